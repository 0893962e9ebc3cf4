#include "engine/lua/skynet_module.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/commands.h"
#include "engine/core/node.h"
#include "engine/lua/core_module.h"
#include "engine/lua/lua_service.h"
#include "engine/lua/seri_lua.h"
#include "engine/lua/service_facts.h"
#include "engine/lua/task_scheduler.h"
#include "engine/lua/task_tools.h"
#include "engine/lua/vm.h"
#include "tools/third_party/lua/call_info.h"

// Nothing with a destructor may be alive where a function here yields: the work is done in helpers
// that return before (tools/third_party/lua/lua_api.h).

namespace skysim {

namespace {

// Packs the values [first, top] as `protocol` does.
Payload PackFor(lua_State* L, const Protocol& protocol, int first) {
  Memory& memory = MemoryOf(L);
  if (protocol.packs_seri) {
    SeriBuffer buffer(memory);
    PackValues(L, first, buffer);
    SeriBuffer::Block block = buffer.Detach();
    return Payload(memory, block.data, block.size);
  }
  int top = lua_gettop(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, protocol.pack);
  if (lua_isnil(L, -1)) luaL_error(L, "protocol %s has no pack function", protocol.name.c_str());
  for (int i = first; i <= top; ++i) lua_pushvalue(L, i);
  lua_call(L, top - first + 1, 2);
  Payload payload = TakePayload(L, top + 1);
  lua_settop(L, top);
  return payload;
}

void RaiseInvalidAddress(lua_State* L, const Destination& to) {
  std::string text = to.name != nullptr ? to.name : FormatHandle(to.handle);
  luaL_error(L, "call to invalid address %s", text.c_str());
}

// -- Sending --------------------------------------------------------------------------------------

int FinishSend(lua_State* L, const Destination& to, const Protocol& protocol, Payload payload) {
  if (!SendTo(ServiceOf(L), to, static_cast<MessageType>(protocol.id), 0, std::move(payload))) {
    return 0;
  }
  lua_pushinteger(L, 0);
  return 1;
}

int Send(lua_State* L) {
  Protocol& protocol = TasksOf(L).protocols().Check(L, 2);
  Destination to = CheckDestination(L, 1);
  return FinishSend(L, to, protocol, PackFor(L, protocol, 3));
}

int RawSend(lua_State* L) {
  Protocol& protocol = TasksOf(L).protocols().Check(L, 2);
  Destination to = CheckDestination(L, 1);
  return FinishSend(L, to, protocol, TakePayload(L, 3));
}

// redirect(address, source, type, session, msg [, size]): sends in the name of `source`.
int Redirect(lua_State* L) {
  ServiceContext& context = ServiceOf(L);
  Protocol& protocol = TasksOf(L).protocols().Check(L, 3);
  Destination to = CheckDestination(L, 1);
  Message message;
  message.source = lua_isinteger(L, 2) ? static_cast<Handle>(lua_tointeger(L, 2))
                                       : CheckDestination(L, 2).handle;
  message.session = lua_isnoneornil(L, 4) ? context.NewSession()
                                          : static_cast<int32_t>(luaL_checkinteger(L, 4));
  message.type = static_cast<MessageType>(protocol.id);
  message.payload = TakePayload(L, 5);
  message.cause = context.cause();
  lua_Integer session = message.session;
  bool is_sent = to.is_global ? context.node().SendGlobal(to.name, std::move(message))
                              : context.node().Send(to.handle, std::move(message));
  if (!is_sent) return 0;
  lua_pushinteger(L, session);
  return 1;
}

// -- Calling --------------------------------------------------------------------------------------

// Sends a request and notes that the running task waits for its reply.
void Request(lua_State* L, const Destination& to, const Protocol& protocol, Payload payload,
             const std::string* tag) {
  TaskScheduler& tasks = TasksOf(L);
  ServiceContext& context = tasks.context();
  if (tag != nullptr) {
    SendTo(context, to, MessageType::kTrace, 0, Payload::Copy(MemoryOf(L), *tag));
  }
  int32_t session = tasks.NewSession();
  if (!SendTo(context, to, static_cast<MessageType>(protocol.id), session, std::move(payload))) {
    RaiseInvalidAddress(L, to);
  }
  bool is_local_name = to.name != nullptr && to.name[0] == '.';
  tasks.WaitForReply(session, to.handle,
                     is_local_name || to.is_global ? absl::string_view(to.name) : "");
}

// The trace tag of the running task, logged as a call; null: not traced.
const std::string* TraceCall(lua_State* L, TaskScheduler& tasks) {
  Task* task = tasks.current();
  if (task->trace_tag.empty()) return nullptr;
  tasks.TraceLog(task->trace_tag, "call", L);
  return &task->trace_tag;
}

int AfterCall(lua_State* L, int, lua_KContext context) {
  const Message* reply = TasksOf(L).reply();
  if (reply == nullptr) return luaL_error(L, "call failed");
  auto* protocol = reinterpret_cast<const Protocol*>(context);
  if (protocol->unpacks_seri) {
    return UnpackValues(L, reply->payload.data(), reply->payload.size());
  }
  int top = lua_gettop(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, protocol->unpack);
  lua_pushlightuserdata(L, reply->payload.data());
  lua_pushinteger(L, static_cast<lua_Integer>(reply->payload.size()));
  lua_call(L, 2, LUA_MULTRET);
  return lua_gettop(L) - top;
}

Protocol& StartCall(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  tasks.CheckMayBlock(L);
  Protocol& protocol = tasks.protocols().Check(L, 2);
  Destination to = CheckDestination(L, 1);
  Payload payload = PackFor(L, protocol, 3);
  const std::string* tag = TraceCall(L, tasks);
  Request(L, to, protocol, std::move(payload), tag);
  return protocol;
}

int Call(lua_State* L) {
  Protocol& protocol = StartCall(L);
  return lua_yieldk(L, 0, reinterpret_cast<lua_KContext>(&protocol), AfterCall);
}

int AfterRawCall(lua_State* L, int, lua_KContext) {
  const Message* reply = TasksOf(L).reply();
  if (reply == nullptr) return luaL_error(L, "call failed");
  lua_pushlightuserdata(L, reply->payload.data());
  lua_pushinteger(L, static_cast<lua_Integer>(reply->payload.size()));
  return 2;
}

void StartRawCall(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  tasks.CheckMayBlock(L);
  Protocol& protocol = tasks.protocols().Check(L, 2);
  Destination to = CheckDestination(L, 1);
  Payload payload = TakePayload(L, 3);
  const std::string* tag = TraceCall(L, tasks);
  Request(L, to, protocol, std::move(payload), tag);
}

int RawCall(lua_State* L) {
  StartRawCall(L);
  return lua_yieldk(L, 0, 0, AfterRawCall);
}

// tracecall(tag, address, type, msg, size)
int AfterTraceCall(lua_State* L, int status, lua_KContext context) {
  TaskScheduler& tasks = TasksOf(L);
  tasks.TraceLog(lua_tostring(L, 1), "tracecall end", nullptr);
  return AfterRawCall(L, status, context);
}

void StartTraceCall(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  tasks.CheckMayBlock(L);
  std::string tag = luaL_checkstring(L, 1);
  Destination to = CheckDestination(L, 2);
  Protocol& protocol = tasks.protocols().Check(L, 3);
  Payload payload = TakePayload(L, 4);
  tasks.TraceLog(tag, "tracecall begin", nullptr);
  Request(L, to, protocol, std::move(payload), &tag);
}

int TraceCallFunction(lua_State* L) {
  StartTraceCall(L);
  return lua_yieldk(L, 0, 0, AfterTraceCall);
}

// -- Replying -------------------------------------------------------------------------------------

Task& RequestTask(lua_State* L, const char* otherwise) {
  Task* task = TasksOf(L).current();
  if (task == nullptr || !task->has_request) luaL_error(L, "%s", otherwise);
  return *task;
}

int Reply(lua_State* L, Payload payload) {
  TaskScheduler& tasks = TasksOf(L);
  Task& task = RequestTask(L, "No session");
  if (task.request_session == 0) {
    task.has_request = false;
    lua_pushboolean(L, 0);
    return 1;
  }
  lua_pushboolean(L, tasks.Reply(MessageType::kResponse, std::move(payload)));
  return 1;
}

int Ret(lua_State* L) {
  Payload payload = TakePayload(L, 1);
  return Reply(L, std::move(payload));
}

int RetPack(lua_State* L) {
  SeriBuffer buffer(MemoryOf(L));
  PackValues(L, 1, buffer);
  SeriBuffer::Block block = buffer.Detach();
  return Reply(L, Payload(MemoryOf(L), block.data, block.size));
}

int IgnoreRet(lua_State* L) {
  Task* task = TasksOf(L).current();
  if (task != nullptr) {
    task->owes_reply = false;
    task->has_request = false;
    task->request_session = 0;
  }
  return 0;
}

int Context(lua_State* L) {
  Task* task = TasksOf(L).current();
  if (task == nullptr || task->requester == 0) return 0;
  if (task->has_request) {
    lua_pushinteger(L, task->request_session);
  } else {
    lua_pushnil(L);
  }
  lua_pushinteger(L, task->requester);
  return 2;
}

// The closure of skynet.response: upvalues id, pack function, requester, session, state.
constexpr int kStateOpen = 0, kStateDone = 1;

int SendDeferred(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  auto id = static_cast<uint64_t>(lua_tointeger(L, lua_upvalueindex(1)));
  auto requester = static_cast<Handle>(lua_tointeger(L, lua_upvalueindex(3)));
  auto session = static_cast<int32_t>(lua_tointeger(L, lua_upvalueindex(4)));
  if (lua_type(L, 1) == LUA_TSTRING && std::string(lua_tostring(L, 1)) == "TEST") {
    lua_pushboolean(L, tasks.IsReplyOpen(id));
    return 1;
  }
  if (lua_tointeger(L, lua_upvalueindex(5)) == kStateDone) {
    return luaL_error(L, "Can't response more than once");
  }
  bool is_ok = lua_toboolean(L, 1);
  Payload payload;
  if (is_ok) {
    int top = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(2));
    for (int i = 2; i <= top; ++i) lua_pushvalue(L, i);
    lua_call(L, top - 1, 2);
    payload = TakePayload(L, top + 1);
  }
  lua_pushinteger(L, kStateDone);
  lua_replace(L, lua_upvalueindex(5));
  MessageType type = is_ok ? MessageType::kResponse : MessageType::kError;
  bool is_sent = tasks.TakeDeferred(id) &&
                 tasks.context().Send(requester, type, session, std::move(payload));
  lua_pushboolean(L, is_sent);
  return 1;
}

int Nothing(lua_State*) { return 0; }

int Response(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  Task& task = RequestTask(L, "no session");
  if (task.request_session == 0) {
    task.has_request = false;
    lua_pushcfunction(L, Nothing);
    return 1;
  }
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) lua_pushcfunction(L, SeriPack);
  lua_Integer requester = task.requester, session = task.request_session;
  lua_pushinteger(L, static_cast<lua_Integer>(tasks.DeferReply(task)));
  lua_insert(L, -2);
  lua_pushinteger(L, requester);
  lua_pushinteger(L, session);
  lua_pushinteger(L, kStateOpen);
  lua_pushcclosure(L, SendDeferred, 5);
  return 1;
}

// -- Waiting --------------------------------------------------------------------------------------

// Ends with the token on top of the stack.
void PushToken(lua_State* L, int index) {
  if (lua_isnoneornil(L, index)) {
    lua_pushthread(L);
  } else {
    lua_pushvalue(L, index);
  }
}

int AfterWait(lua_State* L, int, lua_KContext) {
  lua_settop(L, 0);
  return 0;
}

int Wait(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  tasks.CheckMayBlock(L);
  PushToken(L, 1);
  tasks.WaitForToken(L, tasks.NewSession(), Task::Wait::kToken, 0);
  return lua_yieldk(L, 0, 0, AfterWait);
}

int AfterSleep(lua_State* L, int, lua_KContext) {
  if (!TasksOf(L).current()->was_woken) return 0;
  lua_pushliteral(L, "BREAK");
  return 1;
}

// Skynet keeps a delay in 32 bits, where a bigger one would mean "now"; here it is an error.
lua_Integer CheckTicks(lua_State* L, int index) {
  lua_Integer ticks = luaL_checkinteger(L, index);
  luaL_argcheck(L, ticks <= INT32_MAX, index, "a delay is at most 2147483647 ticks");
  return ticks;
}

int64_t UntilNs(lua_State* L, int64_t ticks) {
  return VmOf(L).platform->clock.NowNs() + std::max(ticks, int64_t{0}) * Timers::kTickNs;
}

void StartSleep(lua_State* L, lua_Integer ticks, int token_index) {
  TaskScheduler& tasks = TasksOf(L);
  tasks.CheckMayBlock(L);
  PushToken(L, token_index);
  int32_t session = tasks.NewSession();
  tasks.WaitForToken(L, session, Task::Wait::kSleep, UntilNs(L, ticks));
  StartTimer(tasks.context(), session, ticks);
  Task& task = *tasks.current();
  if (!task.trace_tag.empty()) tasks.TraceLog(task.trace_tag, "sleep", L);
}

int Sleep(lua_State* L) {
  StartSleep(L, CheckTicks(L, 1), 2);
  return lua_yieldk(L, 0, 0, AfterSleep);
}

int Yield(lua_State* L) {
  lua_settop(L, 0);
  StartSleep(L, 0, 1);
  return lua_yieldk(L, 0, 0, AfterSleep);
}

int Wakeup(lua_State* L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  if (!TasksOf(L).Wakeup(L)) return 0;
  lua_pushboolean(L, 1);
  return 1;
}

int Fork(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  TasksOf(L).Fork(L, lua_gettop(L) - 1);
  return 1;
}

int Timeout(lua_State* L) {
  lua_Integer ticks = CheckTicks(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  TaskScheduler& tasks = TasksOf(L);
  int32_t session = tasks.NewSession();
  bool wants_coroutine = ResultsWanted(L) != 0;
  tasks.Timeout(L, session, UntilNs(L, ticks), wants_coroutine);
  StartTimer(tasks.context(), session, ticks);
  return wants_coroutine ? 1 : 0;
}

// -- Ends -----------------------------------------------------------------------------------------

int Exit(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  tasks.CheckMayBlock(L);
  tasks.Exit(L);
  return lua_yield(L, 0);
}

// killthread(coroutine | pattern)
int KillThread(lua_State* L) {
  TaskScheduler& tasks = TasksOf(L);
  Task* found = nullptr;
  if (lua_State* co = lua_tothread(L, 1)) {
    found = tasks.FindTask(co);
  } else {
    luaL_checkstring(L, 1);
    for (Task* task : tasks.WaitingTasks()) {
      lua_getglobal(L, "string");
      lua_getfield(L, -1, "find");
      tasks.PushCoroutine(L, *task);
      luaL_tolstring(L, -1, nullptr);
      lua_replace(L, -2);
      lua_pushvalue(L, 1);
      lua_call(L, 2, 1);
      bool is_match = !lua_isnil(L, -1);
      lua_settop(L, 1);
      if (is_match) {
        found = task;
        break;
      }
    }
  }
  if (found == nullptr) return 0;
  tasks.PushCoroutine(L, *found);
  return tasks.Kill(*found) ? 1 : 0;
}

int Term(lua_State* L) {
  if (lua_isinteger(L, 1)) {
    TasksOf(L).FailCallsTo(static_cast<Handle>(lua_tointeger(L, 1)), "");
  } else {
    TasksOf(L).FailCallsTo(0, luaL_checkstring(L, 1));
  }
  return 0;
}

}  // namespace

int OpenTasks(lua_State* L) {
  TasksOf(L);
  PushTasks(L);
  return 1;
}

void PushTasks(lua_State* L) {
  const luaL_Reg functions[] = {
      {"send", Send},
      {"rawsend", RawSend},
      {"redirect", Redirect},
      {"call", Call},
      {"rawcall", RawCall},
      {"tracecall", TraceCallFunction},
      {"ret", Ret},
      {"retpack", RetPack},
      {"response", Response},
      {"ignoreret", IgnoreRet},
      {"context", Context},
      {"wait", Wait},
      {"sleep", Sleep},
      {"yield", Yield},
      {"wakeup", Wakeup},
      {"fork", Fork},
      {"timeout", Timeout},
      {"exit", Exit},
      {"killthread", KillThread},
      {"term", Term},
      {nullptr, nullptr},
  };
  luaL_newlib(L, functions);
  AddTaskTools(L);
  AddServiceFacts(L);
}

}  // namespace skysim
