#include "engine/lua/running_lua.h"

#include <time.h>

namespace skysim {

// The watchdog of a simulation has the one before it; the real-time signals are free for programs.
int RunningLua::Signal() { return SIGRTMIN + 4; }

// For good: a signal that comes late must still find its handler.
bool RunningLua::InstallHandler() {
  struct sigaction action = {};
  action.sa_sigaction = &RunningLua::OnSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  return sigaction(Signal(), &action, nullptr) == 0;
}

// 0: nothing runs, or somebody else has pinned.
uintptr_t RunningLua::Pin() {
  uintptr_t running = state_.load(std::memory_order_relaxed);
  if (running == 0 || (running & kPinned) != 0 ||
      !state_.compare_exchange_strong(running, running | kPinned, std::memory_order_acq_rel)) {
    return 0;
  }
  return running;
}

bool RunningLua::Hook(lua_Hook hook, int mask) {
  uintptr_t running = Pin();
  if (running == 0) return false;
  lua_sethook(reinterpret_cast<lua_State*>(running), hook, mask, 1);
  state_.store(running, std::memory_order_release);
  return true;
}

bool RunningLua::HookSoon(lua_Hook hook, int mask) {
  static const bool is_installed = InstallHandler();
  if (!is_installed) return false;
  uintptr_t running = Pin();
  if (running == 0) return false;
  hook_ = hook;
  mask_ = mask;
  // As before, but the handler sees the two.
  state_.store(running | kPinned, std::memory_order_release);
  // Pinned, so the worker stays where it is until its handler has been there.
  sigval value = {};
  value.sival_ptr = this;
  if (pthread_sigqueue(worker_.load(std::memory_order_relaxed), Signal(), value) == 0) return true;
  state_.store(running, std::memory_order_release);
  return false;
}

void RunningLua::OnSignal(int, siginfo_t* info, void*) {
  if (info->si_code != SI_QUEUE) return;  // somebody else's
  RunningLua& self = *static_cast<RunningLua*>(info->si_value.sival_ptr);
  uintptr_t running = self.state_.load(std::memory_order_acquire) & ~kPinned;
  lua_sethook(reinterpret_cast<lua_State*>(running), self.hook_, self.mask_, 1);
  self.state_.store(running, std::memory_order_release);
}

// The signal is on its way to this thread. Sanitizers deliver signals in system calls only.
void RunningLua::AwaitSignal() {
  struct timespec moment = {0, 1000};
  nanosleep(&moment, nullptr);
}

}  // namespace skysim
