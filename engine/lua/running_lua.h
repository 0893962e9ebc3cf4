#ifndef ENGINE_LUA_RUNNING_LUA_H_
#define ENGINE_LUA_RUNNING_LUA_H_

#include <atomic>
#include <cstdint>

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Says which Lua thread (coroutine) a worker is running, so that another thread, or a signal
// handler, can put a hook on it: the one way to stop a loop in Lua that does not end. The worker's
// side costs one atomic operation.
class RunningLua final {
 public:
  // The worker runs `L` from now on; null: nothing. Returns what ran before. Waits while a Hook()
  // is under way, so that a coroutine that was hooked cannot be collected meanwhile.
  lua_State* Set(lua_State* L) {
    uintptr_t before = state_.load(std::memory_order_relaxed) & ~kPinned;
    uintptr_t expected = before;
    while (!state_.compare_exchange_weak(expected, reinterpret_cast<uintptr_t>(L),
                                         std::memory_order_acq_rel, std::memory_order_relaxed)) {
      expected = before;
    }
    return reinterpret_cast<lua_State*>(before);
  }

  // Puts a hook on what runs now (lua_sethook). False: nothing runs, or another Hook() is under
  // way. Any thread; also a signal handler on the worker's own.
  bool Hook(lua_Hook hook, int mask, int count) {
    uintptr_t running = state_.load(std::memory_order_acquire);
    if (running == 0 || (running & kPinned) != 0) return false;
    if (!state_.compare_exchange_strong(running, running | kPinned, std::memory_order_acq_rel)) {
      return false;
    }
    lua_sethook(reinterpret_cast<lua_State*>(running), hook, mask, count);
    state_.store(running, std::memory_order_release);
    return true;
  }

  bool is_running() const { return state_.load(std::memory_order_relaxed) != 0; }

 private:
  static constexpr uintptr_t kPinned = 1;  // lua_States are aligned

  std::atomic<uintptr_t> state_{0};
};

}  // namespace skysim

#endif  // ENGINE_LUA_RUNNING_LUA_H_
