#include "engine/lua/debugchannel_module.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "engine/core/debug_channels.h"
#include "engine/core/node.h"
#include "engine/lua/core_module.h"
#include "engine/lua/task_scheduler.h"
#include "engine/lua/vm.h"

namespace skysim {

namespace {

constexpr char kChannelType[] = "skysim.DebugChannel";
// Its address is the key of a table in the registry: coroutine -> { f, use of its task }.
constexpr char kHooksKey = 0;
constexpr int kHookFunction = 1;
constexpr int kHookUse = 2;

using ChannelRef = std::shared_ptr<DebugChannel>;

// The userdata holds a pointer, because a shared_ptr has another size in other builds.
DebugChannel& CheckChannel(lua_State* L) {
  auto** box = static_cast<ChannelRef**>(luaL_checkudata(L, 1, kChannelType));
  luaL_argcheck(L, *box != nullptr, 1, "the channel was closed");
  return ***box;
}

int PushChannel(lua_State* L, ChannelRef channel) {
  auto** box = static_cast<ChannelRef**>(lua_newuserdatauv(L, sizeof(ChannelRef*), 0));
  *box = nullptr;
  luaL_setmetatable(L, kChannelType);
  *box = new ChannelRef(std::move(channel));
  return 1;
}

int Collect(lua_State* L) {
  auto** box = static_cast<ChannelRef**>(luaL_checkudata(L, 1, kChannelType));
  delete std::exchange(*box, nullptr);
  return 0;
}

int Create(lua_State* L) {
  uint64_t number = 0;
  PushChannel(L, ServiceOf(L).node().debug_channels().Create(&number));
  lua_pushlightuserdata(L, reinterpret_cast<void*>(static_cast<uintptr_t>(number)));
  return 2;
}

int Connect(lua_State* L) {
  luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
  auto number = reinterpret_cast<uintptr_t>(lua_touserdata(L, 1));
  ChannelRef channel = ServiceOf(L).node().debug_channels().Take(number);
  if (channel == nullptr) return luaL_error(L, "new channel failed");
  return PushChannel(L, std::move(channel));
}

int Write(lua_State* L) {
  DebugChannel& channel = CheckChannel(L);
  size_t size = 0;
  const char* text = luaL_checklstring(L, 2, &size);
  channel.Write(std::string(text, size));
  return 0;
}

int Read(lua_State* L) {
  std::string text;
  if (!CheckChannel(L).Read(&text)) return 0;
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

// -- Hooks ----------------------------------------------------------------------------------------

void PushHooks(lua_State* L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kHooksKey) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kHooksKey);
}

const char* EventName(int event) {
  switch (event) {
    case LUA_HOOKCALL: return "call";
    case LUA_HOOKTAILCALL: return "tail call";
    case LUA_HOOKRET: return "return";
    case LUA_HOOKLINE: return "line";
    default: return "count";
  }
}

// Pushes the hook function of the task that runs on `L`. False: `L` has none, or it was another
// task's; a coroutine that a hooked one made has its hook as well.
bool PushHookFunction(lua_State* L) {
  TaskScheduler* tasks = VmOf(L).tasks;
  const Task* task = tasks->current();
  if (task == nullptr || task->co != L) return false;
  int top = lua_gettop(L);
  PushHooks(L);
  lua_pushthread(L);
  if (lua_rawget(L, -2) == LUA_TTABLE) {
    lua_rawgeti(L, -1, kHookUse);
    bool is_same = lua_tointeger(L, -1) == static_cast<lua_Integer>(task->use);
    lua_rawgeti(L, -2, kHookFunction);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    if (is_same) return true;
  }
  lua_settop(L, top);
  return false;
}

// Whether the event can stop the task.
bool CanStop(lua_State* L, const lua_Debug& event) {
  return (event.event == LUA_HOOKLINE || event.event == LUA_HOOKCOUNT) && lua_isyieldable(L);
}

// No object with a destructor here: it ends with a yield.
void Hook(lua_State* L, lua_Debug* event) {
  if (!lua_checkstack(L, LUA_MINSTACK) || !PushHookFunction(L)) {
    lua_sethook(L, nullptr, 0, 0);
    return;
  }
  lua_pushstring(L, EventName(event->event));
  if (event->currentline >= 0) {
    lua_pushinteger(L, event->currentline);
  } else {
    lua_pushnil(L);
  }
  lua_call(L, 2, 1);
  bool stops = lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (!stops || !CanStop(L, *event)) return;
  TaskScheduler* tasks = VmOf(L).tasks;
  lua_pushthread(L);
  tasks->WaitForToken(L, tasks->NewSession(), Task::Wait::kToken, 0);
  lua_yield(L, 0);
}

int MaskOf(const char* text, lua_Integer count) {
  int mask = 0;
  if (std::strchr(text, 'c') != nullptr) mask |= LUA_MASKCALL;
  if (std::strchr(text, 'r') != nullptr) mask |= LUA_MASKRET;
  if (std::strchr(text, 'l') != nullptr) mask |= LUA_MASKLINE;
  if (count > 0) mask |= LUA_MASKCOUNT;
  return mask;
}

int SetHook(lua_State* L) {
  lua_State* co = lua_tothread(L, 1);
  if (co != nullptr) {
    lua_remove(L, 1);
  } else {
    co = L;
  }
  lua_settop(L, 3);
  PushHooks(L);
  constexpr int hooks = 4;
  if (lua_isnil(L, 1)) {
    lua_sethook(co, nullptr, 0, 0);
    lua_pushthread(co);
    if (co != L) lua_xmove(co, L, 1);
    lua_pushnil(L);
    lua_rawset(L, hooks);
    return 0;
  }
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_Integer count = luaL_optinteger(L, 3, 0);
  luaL_argcheck(L, count >= 0 && count <= INT32_MAX, 3, "a count is 0 .. 2147483647");
  int mask = MaskOf(luaL_checkstring(L, 2), count);
  const Task* task = VmOf(L).tasks->FindTask(co);
  if (task == nullptr) return luaL_error(L, "only a task of this service can have this hook");
  lua_pushthread(co);
  if (co != L) lua_xmove(co, L, 1);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, kHookFunction);
  lua_pushinteger(L, task->use);
  lua_rawseti(L, -2, kHookUse);
  lua_rawset(L, hooks);
  lua_sethook(co, mask != 0 ? Hook : nullptr, mask, static_cast<int>(count));
  return 0;
}

}  // namespace

int OpenDebugChannel(lua_State* L) {
  ServiceOf(L);
  constexpr luaL_Reg kMethods[] = {{"write", Write}, {"read", Read}, {nullptr, nullptr}};
  constexpr luaL_Reg kFunctions[] = {
      {"create", Create}, {"connect", Connect}, {"sethook", SetHook}, {nullptr, nullptr}};
  if (luaL_newmetatable(L, kChannelType) != 0) {
    lua_pushcfunction(L, Collect);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, kMethods);
    lua_setfield(L, -2, "__index");
  }
  luaL_newlib(L, kFunctions);
  return 1;
}

}  // namespace skysim
