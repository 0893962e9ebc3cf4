#ifndef SIMNET_WORLD_WATCHDOG_H_
#define SIMNET_WORLD_WATCHDOG_H_

#include <time.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <string>

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Watchdog stops a dispatch that uses more CPU seconds than it may: an endless loop in Lua. A timer
// on the thread's CPU clock looks once a second whether Beat() was called meanwhile; if it was not
// for `cpu_s_max` times, the Lua thread in running() gets a hook that raises an error and keeps
// raising it until the dispatch is left. If that does not help within a second, so do the coroutines
// that it has resumed. What a run does before that does not depend on it.
//
// A C function that does not end (a pattern that backtracks for ever) is not stopped. One thread: the
// one that made it and runs Lua.
class Watchdog final {
 public:
  explicit Watchdog(int cpu_s_max);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // A dispatch ended.
  void Beat() { beats_.store(beats_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }

  // The Lua thread that runs, or null; kept by the task schedulers.
  std::atomic<lua_State*>& running() { return running_; }

  // Makes the VM of `L` one whose loops place() can name.
  void Watch(lua_State* L);

  // It had to stop a dispatch.
  bool has_fired() const { return has_fired_; }
  // Where it did: "node a, service :00000008 main, at ./service/main.lua:12"; empty if nobody knows.
  const std::string& place() const { return place_; }

 private:
  static void OnSignal(int, siginfo_t* info, void*);
  static void Hook(lua_State* L, lua_Debug*);
  void Look();

  const int cpu_s_max_;
  timer_t timer_;
  struct sigaction old_action_;
  std::atomic<uint64_t> beats_{0};
  std::atomic<lua_State*> running_{nullptr};
  uint64_t last_beats_ = 0;
  int idle_looks_ = 0;
  std::atomic<bool> has_fired_{false};
  std::string place_;
};

}  // namespace skysim

#endif  // SIMNET_WORLD_WATCHDOG_H_
