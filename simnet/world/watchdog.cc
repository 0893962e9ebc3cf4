#include "simnet/world/watchdog.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "absl/log/check.h"

namespace skysim {

namespace {

// Not used by anybody else in the process: the real-time signals are free for programs.
int Signal() { return SIGRTMIN + 3; }

}  // namespace

Watchdog::Watchdog(int cpu_s_max, int64_t period_ns) : cpu_s_max_(cpu_s_max) {
  struct sigaction action = {};
  action.sa_sigaction = &Watchdog::OnSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  CHECK_EQ(sigaction(Signal(), &action, &old_action_), 0);
  struct sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
  event.sigev_signo = Signal();
  event.sigev_value.sival_ptr = this;
  CHECK_EQ(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer_), 0);
  struct timespec period = {};
  period.tv_sec = period_ns / kPeriodNs;
  period.tv_nsec = period_ns % kPeriodNs;
  struct itimerspec looks = {period, period};
  CHECK_EQ(timer_settime(timer_, 0, &looks, nullptr), 0);
}

Watchdog::~Watchdog() {
  timer_delete(timer_);
  sigaction(Signal(), &old_action_, nullptr);
}

void Watchdog::OnSignal(int, siginfo_t* info, void*) {
  static_cast<Watchdog*>(info->si_value.sival_ptr)->Look();
}

void Watchdog::Look() {
  uint64_t beats = beats_.load(std::memory_order_relaxed);
  if (beats != last_beats_) {
    last_beats_ = beats;
    idle_looks_ = 0;
    return;
  }
  if (!running_.is_running() || ++idle_looks_ < cpu_s_max_) return;
  has_fired_ = true;
  running_.Hook(&Watchdog::Hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT);
}

// In a hook the function that runs is level 0.
void Watchdog::Hook(lua_State* L, lua_Debug*) {
  luaL_where(L, 0);
  lua_pushliteral(L, "endless loop: this dispatch does not end");
  lua_concat(L, 2);
  lua_error(L);
}

}  // namespace skysim
