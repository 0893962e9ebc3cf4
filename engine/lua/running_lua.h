#ifndef ENGINE_LUA_RUNNING_LUA_H_
#define ENGINE_LUA_RUNNING_LUA_H_

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstdint>

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Says which Lua thread (coroutine) a worker is running, so that it can be given a hook from
// outside: the one way to stop a loop in Lua that does not end. The worker's side costs two stores
// and one atomic operation.
//
// Lua lets nobody but the thread that runs a coroutine put a hook on it, as lua_sethook() walks the
// calls under way; a signal handler on that thread may (Lua 5.4 manual, lua_sethook). So another
// thread sends the worker a signal, whose handler does it.
class RunningLua final {
 public:
  RunningLua() = default;
  RunningLua(const RunningLua&) = delete;
  RunningLua& operator=(const RunningLua&) = delete;

  // The calling thread runs `L` from now on; null: nothing. Returns what ran before. Waits while a
  // hook is being put, so that a coroutine that gets one cannot be collected meanwhile.
  lua_State* Set(lua_State* L) {
    worker_.store(pthread_self(), std::memory_order_relaxed);
    uintptr_t before = state_.load(std::memory_order_relaxed) & ~kPinned;
    uintptr_t expected = before;
    while (!state_.compare_exchange_weak(expected, reinterpret_cast<uintptr_t>(L),
                                         std::memory_order_acq_rel, std::memory_order_relaxed)) {
      if ((expected & kPinned) != 0) AwaitSignal();
      expected = before;
    }
    return reinterpret_cast<lua_State*>(before);
  }

  // Puts a hook that counts instructions, and more as `mask` says, on what runs now
  // (lua_sethook with a count of 1). False: nothing runs, or another hook is being put. Only on the
  // thread that runs it, its signal handlers included.
  bool Hook(lua_Hook hook, int mask);

  // The same from any thread, a little later.
  bool HookSoon(lua_Hook hook, int mask);

  bool is_running() const { return state_.load(std::memory_order_relaxed) != 0; }

 private:
  static constexpr uintptr_t kPinned = 1;  // lua_States are aligned

  static int Signal();
  static bool InstallHandler();
  static void OnSignal(int, siginfo_t* info, void*);
  static void AwaitSignal();
  uintptr_t Pin();

  std::atomic<uintptr_t> state_{0};
  std::atomic<pthread_t> worker_{};
  lua_Hook hook_ = nullptr;  // with mask_, of who has pinned
  int mask_ = 0;
};

}  // namespace skysim

#endif  // ENGINE_LUA_RUNNING_LUA_H_
