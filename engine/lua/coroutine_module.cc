#include "engine/lua/coroutine_module.h"

#include "engine/lua/coroutine_meter.h"
#include "engine/lua/task_scheduler.h"
#include "engine/lua/vm.h"

// The registry holds one table with weak keys: coroutine -> its state, which is false (not resumed
// by anybody), the task's coroutine that resumed it, or kBlocked while a blocking call inside it
// holds the task.

namespace skysim {

namespace {

const char kStates[] = "skynet.coroutine";  // registry key
const char kBlocked[] = "blocked";

void PushStates(lua_State* L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, kStates) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_newtable(L);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, kStates);
}

// Sets the state of the coroutine at `index` to the value on top, popped.
void SetState(lua_State* L, int index) {
  index = lua_absindex(L, index);
  PushStates(L);
  lua_insert(L, -2);
  lua_pushvalue(L, index);
  lua_insert(L, -2);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

// Pushes the state of the coroutine at `index`; nil: not ours.
void PushState(lua_State* L, int index) {
  index = lua_absindex(L, index);
  PushStates(L);
  lua_pushvalue(L, index);
  lua_rawget(L, -2);
  lua_remove(L, -2);
}

lua_State* CheckThread(lua_State* L, int index) {
  lua_State* co = lua_tothread(L, index);
  luaL_argexpected(L, co != nullptr, index, "coroutine");
  return co;
}

bool IsBlocked(lua_State* L, int index) {
  PushState(L, index);
  bool is_blocked = lua_type(L, -1) == LUA_TSTRING;
  lua_pop(L, 1);
  return is_blocked;
}

int Fail(lua_State* L, const char* text) {
  lua_pushboolean(L, 0);
  lua_pushstring(L, text);
  return 2;
}

int AfterBlock(lua_State* L, int status, lua_KContext context);

// Runs the coroutine at stack index 1 until it yields for its user, ends, fails, or blocks; in the
// last case the task around us is suspended too and AfterBlock() goes on.
int Run(lua_State* L, int arguments) {
  lua_State* co = lua_tothread(L, 1);
  TaskScheduler& tasks = *VmOf(L).tasks;
  int results = 0;
  lua_State* outer_running = tasks.SetRunning(co);
  MeterResumed(L, co);
  int status = lua_resume(co, L, arguments, &results);
  MeterSuspended(L, co);
  tasks.SetRunning(outer_running);
  if (status == LUA_YIELD) {
    bool is_blocked = tasks.current() != nullptr && tasks.current()->wait != Task::Wait::kRunning;
    if (is_blocked || tasks.is_exiting()) {
      lua_pop(co, results);
      lua_pushliteral(L, "blocked");
      SetState(L, 1);
      return lua_yieldk(L, 0, 0, AfterBlock);
    }
  }
  lua_pushboolean(L, 0);
  SetState(L, 1);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    return Fail(L, "too many results to resume");
  }
  lua_pushboolean(L, 1);
  lua_xmove(co, L, results);
  return results + 1;
}

void MarkOwner(lua_State* L) {
  Task* task = VmOf(L).tasks->current();
  if (task == nullptr) {
    lua_pushboolean(L, 0);
  } else {
    lua_rawgeti(L, LUA_REGISTRYINDEX, task->co_ref);
  }
  SetState(L, 1);
}

int AfterBlock(lua_State* L, int, lua_KContext) {
  lua_settop(L, 1);
  MarkOwner(L);
  return Run(L, 0);
}

// Wrapped coroutines: the function's upvalue is the coroutine; failures are raised.
int FinishWrap(lua_State* L, int count) {
  int first = lua_gettop(L) - count + 1;
  if (lua_toboolean(L, first)) return count - 1;
  lua_settop(L, first + 1);
  return lua_error(L);
}

int Resume(lua_State* L) {
  lua_State* co = CheckThread(L, 1);
  PushState(L, 1);
  int type = lua_type(L, -1);
  lua_pop(L, 1);
  if (type == LUA_TNIL) return Fail(L, "cannot resume none skynet coroutine");
  if (type == LUA_TSTRING) {
    return Fail(L, "cannot resume a skynet coroutine suspend by skynet framework");
  }
  if (lua_status(co) == LUA_OK && lua_gettop(co) == 0) {
    return Fail(L, "cannot resume dead coroutine");
  }
  int arguments = lua_gettop(L) - 1;
  if (!lua_checkstack(co, arguments)) return Fail(L, "too many arguments to resume");
  lua_xmove(L, co, arguments);
  MarkOwner(L);
  return Run(L, arguments);
}

int Create(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State* co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushboolean(L, 0);
  SetState(L, -2);
  return 1;
}

int AfterResumeWrapped(lua_State* L, int, lua_KContext) { return FinishWrap(L, lua_gettop(L)); }

int CallWrapped(lua_State* L) {
  lua_pushcfunction(L, Resume);
  lua_insert(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 2);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, AfterResumeWrapped);
  return FinishWrap(L, lua_gettop(L));
}

int Wrap(lua_State* L) {
  Create(L);
  lua_pushcclosure(L, CallWrapped, 1);
  return 1;
}

int Yield(lua_State* L) {
  Task* task = VmOf(L).tasks->current();
  if (task == nullptr || L == task->co) {
    return luaL_error(L, "Call skynet.coroutine.yield out of skynet.coroutine.resume");
  }
  return lua_yield(L, lua_gettop(L));
}

const char* StatusOf(lua_State* L, lua_State* co) {
  if (L == co) return "running";
  switch (lua_status(co)) {
    case LUA_YIELD: return "suspended";
    case LUA_OK: {
      lua_Debug frame;
      if (lua_getstack(co, 0, &frame)) return "normal";
      return lua_gettop(co) == 0 ? "dead" : "suspended";
    }
    default: return "dead";
  }
}

int Status(lua_State* L) {
  lua_State* co = CheckThread(L, 1);
  lua_pushstring(L, IsBlocked(L, 1) ? kBlocked : StatusOf(L, co));
  return 1;
}

int Running(lua_State* L) {
  lua_pushboolean(L, lua_pushthread(L));
  return 2;
}

int IsYieldable(lua_State* L) {
  lua_pushboolean(L, lua_isyieldable(L));
  return 1;
}

int Close(lua_State* L) {
  lua_State* co = CheckThread(L, 1);
  if (IsBlocked(L, 1)) return luaL_error(L, "cannot close a blocked coroutine");
  const char* status = StatusOf(L, co);
  if (status[0] != 'd' && status[0] != 's') {
    return luaL_error(L, "cannot close a %s coroutine", status);
  }
  if (lua_closethread(co, L) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
}

// thread([co]) -> the skynet task's coroutine that it belongs to, and whether it is that itself.
int Thread(lua_State* L) {
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_pushthread(L);
  } else {
    CheckThread(L, 1);
    lua_settop(L, 1);
  }
  PushState(L, 1);
  if (lua_isnil(L, -1)) {
    lua_pushvalue(L, 1);
    lua_pushboolean(L, 1);
    return 2;
  }
  if (!lua_isthread(L, -1)) {  // blocked, or not running: the task that runs now is the best answer
    Task* task = VmOf(L).tasks->current();
    lua_pop(L, 1);
    if (task == nullptr || IsBlocked(L, 1)) {
      lua_pushnil(L);
    } else {
      lua_rawgeti(L, LUA_REGISTRYINDEX, task->co_ref);
    }
  }
  lua_pushboolean(L, 0);
  return 2;
}

// -- Lua's own coroutines, seen by a watchdog -----------------------------------------------------

// Calls the original coroutine.resume, upvalue 1, with what is on the stack, and says meanwhile
// that `co` runs.
int ResumeSeen(lua_State* L, lua_State* co) {
  TaskScheduler& tasks = *VmOf(L).tasks;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_State* outer_running = tasks.SetRunning(co);
  if (co != L) MeterResumed(L, co);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  if (co != L) MeterSuspended(L, co);
  tasks.SetRunning(outer_running);
  return lua_gettop(L);
}

int SeenResume(lua_State* L) {
  lua_State* co = lua_tothread(L, 1);
  return ResumeSeen(L, co == nullptr ? L : co);
}

// The function of coroutine.wrap: upvalues resume and coroutine. An error closes the coroutine and
// is raised here, texts with the place of the call, as Lua does.
int CallSeenWrap(lua_State* L) {
  lua_State* co = lua_tothread(L, lua_upvalueindex(2));
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  int results = ResumeSeen(L, co);
  if (lua_toboolean(L, 1)) return results - 1;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_closethread(co, L);
    lua_xmove(co, L, 1);
  }
  if (lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

int SeenWrap(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_State* co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, CallSeenWrap, 2);
  return 1;
}

}  // namespace

void WatchPlainCoroutines(lua_State* L) {
  lua_getglobal(L, "coroutine");
  lua_getfield(L, -1, "resume");
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, SeenWrap, 1);
  lua_setfield(L, -3, "wrap");
  lua_pushcclosure(L, SeenResume, 1);
  lua_setfield(L, -2, "resume");
  lua_pop(L, 1);
}

bool IsOwnCoroutine(lua_State* L, lua_State* co) {
  lua_pushthread(co);
  if (L != co) lua_xmove(co, L, 1);
  PushState(L, -1);
  bool is_own = !lua_isnil(L, -1);
  lua_pop(L, 2);
  return is_own;
}

int OpenCoroutine(lua_State* L) {
  const luaL_Reg functions[] = {
      {"create", Create},   {"resume", Resume},           {"yield", Yield},
      {"status", Status},   {"running", Running},         {"isyieldable", IsYieldable},
      {"wrap", Wrap},       {"close", Close},             {"thread", Thread},
      {nullptr, nullptr},
  };
  luaL_newlib(L, functions);
  return 1;
}

}  // namespace skysim
