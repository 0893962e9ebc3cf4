#ifndef SIMNET_WORLD_WATCHDOG_H_
#define SIMNET_WORLD_WATCHDOG_H_

#include <time.h>

#include <atomic>
#include <csignal>
#include <cstdint>

#include "engine/lua/running_lua.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Watchdog stops a dispatch that uses more CPU seconds than it may: an endless loop in Lua. A timer
// on the thread's CPU clock looks once a second whether Beat() was called meanwhile; if it was not
// for `cpu_s_max` times, the Lua thread in running() gets a hook that raises an error and keeps
// raising it until the dispatch is left. What a run does before that does not depend on it.
//
// One thread: the one that made it and runs Lua.
class Watchdog final {
 public:
  static constexpr int64_t kPeriodNs = 1'000'000'000;

  // `period_ns`: CPU time between two looks, so that the limit is `cpu_s_max` of them. Tests that
  // wait for the limit are in a hurry.
  explicit Watchdog(int cpu_s_max, int64_t period_ns = kPeriodNs);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // A dispatch ended.
  void Beat() {
    beats_.store(beats_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  // The Lua thread that runs; kept by the task schedulers.
  RunningLua& running() { return running_; }

  // It had to stop a dispatch; the error with its traceback is in that service's log.
  bool has_fired() const { return has_fired_; }

 private:
  static void OnSignal(int, siginfo_t* info, void*);
  static void Hook(lua_State* L, lua_Debug*);
  void Look();

  const int cpu_s_max_;
  timer_t timer_;
  struct sigaction old_action_;
  std::atomic<uint64_t> beats_{0};
  RunningLua running_;
  uint64_t last_beats_ = 0;
  int idle_looks_ = 0;
  std::atomic<bool> has_fired_{false};
};

}  // namespace skysim

#endif  // SIMNET_WORLD_WATCHDOG_H_
