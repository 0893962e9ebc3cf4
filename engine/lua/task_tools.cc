#include "engine/lua/task_tools.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/node.h"
#include "engine/lua/core_module.h"
#include "engine/lua/coroutine_meter.h"
#include "engine/lua/lua_service.h"
#include "engine/lua/vm.h"

namespace skysim {

namespace {

// -- Protocols ------------------------------------------------------------------------------------

int RegisterProtocol(lua_State* L) {
  TasksOf(L).protocols().Register(L, 1);
  return 0;
}

int Dispatch(lua_State* L) {
  Protocols& protocols = TasksOf(L).protocols();
  if (lua_isnoneornil(L, 2)) {
    Protocol* protocol = protocols.Find(L, 1);
    if (protocol == nullptr || protocol->dispatch == LUA_NOREF) return 0;
    lua_rawgeti(L, LUA_REGISTRYINDEX, protocol->dispatch);
    return 1;
  }
  luaL_checktype(L, 2, LUA_TFUNCTION);
  protocols.ReplaceDispatch(L, protocols.Check(L, 1), 2);
  return 1;
}

int TraceProto(lua_State* L) {
  Protocol& protocol = TasksOf(L).protocols().Check(L, 1);
  protocol.trace = lua_isnoneornil(L, 2)   ? Protocol::Trace::kDefault
                   : lua_toboolean(L, 2) ? Protocol::Trace::kOn
                                         : Protocol::Trace::kOff;
  return 0;
}

int ReplaceUnknown(lua_State* L, int& ref) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
  luaL_unref(L, LUA_REGISTRYINDEX, ref);
  lua_pushvalue(L, 1);
  ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return 1;
}

int DispatchUnknownRequest(lua_State* L) {
  return ReplaceUnknown(L, TasksOf(L).unknown_request_ref);
}

int DispatchUnknownResponse(lua_State* L) {
  return ReplaceUnknown(L, TasksOf(L).unknown_response_ref);
}

// install([forward map {type = type}]): from now on messages go to the tasks.
int Install(lua_State* L) {
  LuaServiceOf(L).UseTasks(L, lua_istable(L, 1) ? 1 : 0);
  return 0;
}

// dispatch_message(type, msg, size, session, source): as if it had just arrived. The bytes stay the
// caller's.
int DispatchMessage(lua_State* L) {
  Message message;
  message.type = static_cast<MessageType>(luaL_checkinteger(L, 1));
  message.payload = Payload(MemoryOf(L), static_cast<char*>(lua_touserdata(L, 2)),
                            static_cast<size_t>(luaL_optinteger(L, 3, 0)));
  message.session = static_cast<int32_t>(luaL_optinteger(L, 4, 0));
  message.source = static_cast<Handle>(luaL_optinteger(L, 5, 0));
  message.cause = ServiceOf(L).cause();
  TasksOf(L).Dispatch(std::move(message), /*keeps_payload=*/true);
  return 0;
}

// -- Looking --------------------------------------------------------------------------------------

int TaskInfo(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  std::vector<Task*> waiting = tasks.WaitingTasks();
  if (lua_isnoneornil(L, 1)) {
    lua_pushinteger(L, static_cast<lua_Integer>(waiting.size()));
    return 1;
  }
  if (lua_istable(L, 1)) {
    for (Task* task : waiting) {
      TaskReport report = tasks.Report(*task);
      tasks.PushCoroutine(L, *task);
      luaL_tolstring(L, -1, nullptr);
      lua_pushfstring(L, "%s session: %d", lua_tostring(L, -1), report.session);
      lua_pushlstring(L, report.stack.data(), report.stack.size());
      lua_rawset(L, 1);
      lua_pop(L, 2);
    }
    return 0;
  }
  if (lua_isinteger(L, 1)) {
    Task* task = tasks.FindSession(static_cast<int32_t>(lua_tointeger(L, 1)));
    std::string text = task == nullptr ? "No session" : tasks.Report(*task).stack;
    lua_pushlstring(L, text.data(), text.size());
    return 1;
  }
  lua_State* co = lua_tothread(L, 1);
  luaL_argexpected(L, co != nullptr, 1, "nil, table, session or coroutine");
  Task* task = tasks.FindTask(co);
  if (task == nullptr) return 0;
  lua_pushinteger(L, task->wait_session);
  return 1;
}

// waits() -> array of {session =, stack =, waits_for =}, in order of session.
int Waits(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  lua_newtable(L);
  lua_Integer count = 0;
  for (Task* task : tasks.WaitingTasks()) {
    TaskReport report = tasks.Report(*task);
    lua_newtable(L);
    lua_pushinteger(L, report.session);
    lua_setfield(L, -2, "session");
    lua_pushlstring(L, report.stack.data(), report.stack.size());
    lua_setfield(L, -2, "stack");
    lua_pushlstring(L, report.waits_for.data(), report.waits_for.size());
    lua_setfield(L, -2, "waits_for");
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

int TraceTag(lua_State* L) {
  Task* task = TasksOf(L).current();
  if (task == nullptr || task->trace_tag.empty()) return 0;
  lua_pushlstring(L, task->trace_tag.data(), task->trace_tag.size());
  return 1;
}

int Trace(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  Task* task = tasks.current();
  if (task == nullptr) return luaL_error(L, "skynet.trace needs a task");
  std::string info = luaL_optstring(L, 1, "");
  ServiceContext& context = tasks.context();
  context.node().Log(context.handle(),
                     absl::StrCat("TRACE ", task->trace_tag.empty() ? "nil" : task->trace_tag));
  if (task->trace_is_off) return 0;
  task->trace_tag = tasks.NewTraceTag();
  tasks.TraceLog(task->trace_tag, info.empty() ? "trace" : absl::StrCat("trace ", info), nullptr);
  return 0;
}

// memlimit(bytes): during the main chunk only; lualib/skynet.lua takes the function away after.
int MemLimit(lua_State* L) {
  lua_Integer bytes = luaL_checkinteger(L, 1);
  luaL_argcheck(L, bytes > 0, 1, "must be positive");
  LuaServiceOf(L).vm()->SetMemoryLimit(static_cast<size_t>(bytes));
  ServiceContext& context = ServiceOf(L);
  context.node().Log(context.handle(), absl::StrFormat("Set memory limit to %.2f M",
                                                       static_cast<double>(bytes) / (1 << 20)));
  return 0;
}

// -- skynet.profile -------------------------------------------------------------------------------

// The coroutine to measure: the argument, or the one that runs. Null task: it is no task's.
lua_State* ProfiledCoroutine(lua_State* L, Task*& task) {
  lua_State* co = lua_tothread(L, 1);
  luaL_argexpected(L, co != nullptr || lua_isnoneornil(L, 1), 1, "coroutine");
  if (co == nullptr) co = L;
  TaskScheduler& tasks = TasksOf(L);
  Task* current = tasks.current();
  task = current != nullptr && current->co == co ? current : tasks.FindTask(co);
  return co;
}

int ProfileStart(lua_State* L) {
  Task* task;
  lua_State* co = ProfiledCoroutine(L, task);
  const bool is_new = task == nullptr ? StartMeter(L, co) : task->profile_began_ns < 0;
  if (!is_new) return luaL_error(L, "Thread %p start profile more than once", co);
  if (task != nullptr) {
    task->profile_began_ns = VmOf(L).platform->clock.CpuNs();
    task->profile_total_ns = 0;
  }
  return 0;
}

int64_t StopTask(lua_State* L, Task& task) {
  if (task.profile_began_ns < 0) return -1;
  int64_t total = task.profile_total_ns;
  if (&task == TasksOf(L).current()) {
    total += VmOf(L).platform->clock.CpuNs() - task.profile_began_ns;
  }
  task.profile_began_ns = -1;
  return total;
}

int ProfileStop(lua_State* L) {
  Task* task;
  lua_State* co = ProfiledCoroutine(L, task);
  const int64_t total = task == nullptr ? StopMeter(L, co) : StopTask(L, *task);
  if (total < 0) return luaL_error(L, "Call profile.start() before profile.stop()");
  lua_pushnumber(L, static_cast<double>(total) / 1e9);
  return 1;
}

}  // namespace

TaskScheduler& TasksOf(lua_State* L) {
  TaskScheduler* tasks = VmOf(L).tasks;
  if (tasks == nullptr) luaL_error(L, "Init skynet context first");
  return *tasks;
}

void AddTaskTools(lua_State* L) {
  const luaL_Reg functions[] = {
      {"register_protocol", RegisterProtocol},
      {"dispatch", Dispatch},
      {"traceproto", TraceProto},
      {"dispatch_unknown_request", DispatchUnknownRequest},
      {"dispatch_unknown_response", DispatchUnknownResponse},
      {"dispatch_message", DispatchMessage},
      {"install", Install},
      {"task", TaskInfo},
      {"waits", Waits},
      {"trace", Trace},
      {"tracetag", TraceTag},
      {"memlimit", MemLimit},
      {"profile_start", ProfileStart},
      {"profile_stop", ProfileStop},
      {nullptr, nullptr},
  };
  luaL_setfuncs(L, functions, 0);
}

}  // namespace skysim
