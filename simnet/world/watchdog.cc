#include "simnet/world/watchdog.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "engine/core/node.h"
#include "engine/core/service_context.h"
#include "engine/lua/vm.h"

namespace skysim {

namespace {

// Not used by anybody else in the process: the real-time signals are free for programs.
int Signal() { return SIGRTMIN + 3; }

constexpr char kRegistryKey[] = "skysim.watchdog";  // light userdata Watchdog*

// The coroutine that runs because the C function on top of `L` (coroutine.resume, a function of
// coroutine.wrap) resumed it; null: none does.
lua_State* ResumedBy(lua_State* L) {
  lua_Debug top;
  if (lua_getstack(L, 0, &top) == 0 || lua_getinfo(L, "S", &top) == 0) return nullptr;
  if (std::strcmp(top.what, "C") != 0) return nullptr;
  lua_State* co = lua_tothread(L, 1);
  if (co == nullptr) co = lua_tothread(L, lua_upvalueindex(1));
  if (co == nullptr || co == L || lua_status(co) != LUA_OK) return nullptr;
  return lua_getstack(co, 0, &top) != 0 ? co : nullptr;
}

std::string PlaceOf(lua_State* L) {
  VmContext& vm = VmOf(L);
  std::string place = absl::StrCat("node ", vm.node->name(), ", service ",
                                   FormatHandle(vm.service->handle()), " ", vm.service->script());
  lua_Debug frame;
  for (int level = 0; lua_getstack(L, level, &frame) != 0; ++level) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.currentline <= 0) continue;
    const char* source = frame.source[0] == '@' ? frame.source + 1 : frame.short_src;
    return absl::StrCat(place, ", at ", source, ":", frame.currentline);
  }
  return place;
}

}  // namespace

Watchdog::Watchdog(int cpu_s_max) : cpu_s_max_(cpu_s_max) {
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
  struct itimerspec second = {{1, 0}, {1, 0}};
  CHECK_EQ(timer_settime(timer_, 0, &second, nullptr), 0);
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
  lua_State* L = running_.load(std::memory_order_relaxed);
  if (L == nullptr || ++idle_looks_ < cpu_s_max_) return;
  has_fired_ = true;
  // A thread that has not reached its hook for a second sits in a C function, so that its stack can be
  // looked at.
  bool is_first = idle_looks_ == cpu_s_max_;
  for (; L != nullptr; L = is_first ? nullptr : ResumedBy(L)) {
    lua_sethook(L, &Watchdog::Hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  }
}

void Watchdog::Watch(lua_State* L) {
  lua_pushlightuserdata(L, this);
  lua_setfield(L, LUA_REGISTRYINDEX, kRegistryKey);
}

void Watchdog::Hook(lua_State* L, lua_Debug*) {
  lua_getfield(L, LUA_REGISTRYINDEX, kRegistryKey);
  auto* watchdog = static_cast<Watchdog*>(lua_touserdata(L, -1));
  lua_pop(L, 1);
  if (watchdog != nullptr && watchdog->place_.empty()) watchdog->place_ = PlaceOf(L);
  luaL_error(L, "endless loop: this dispatch does not end");
}

}  // namespace skysim
