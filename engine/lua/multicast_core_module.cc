#include "engine/lua/multicast_core_module.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/core/message.h"
#include "engine/core/node.h"
#include "engine/core/service_context.h"
#include "engine/lua/core_module.h"

namespace skysim {
namespace {

constexpr lua_Integer kChannelMax = 0x7fffffff;  // it travels as a session
constexpr lua_Integer kChannelsPerNode = 256;    // channels of one node differ by that

int32_t CheckChannel(lua_State* L, int index) {
  const lua_Integer channel = luaL_checkinteger(L, index);
  luaL_argcheck(L, channel >= 0 && channel <= kChannelMax, index, "not a channel of 31 bits");
  return static_cast<int32_t>(channel);
}

Handle CheckHandle(lua_State* L, int index) {
  const lua_Integer handle = luaL_checkinteger(L, index);
  luaL_argcheck(L, handle > 0 && handle <= 0xffffffff, index, "not a handle");
  return static_cast<Handle>(handle);
}

// The key of a table that lua_next has just pushed, below its value.
Handle CheckKey(lua_State* L) {
  const lua_Integer handle = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
  if (handle <= 0 || handle > 0xffffffff) {
    luaL_error(L, "multicast to %s, which is not a handle", luaL_tolstring(L, -2, nullptr));
  }
  return static_cast<Handle>(handle);
}

// Appends `handle` to the array at index `gone`, which is made for the first one.
void AddGone(lua_State* L, int gone, Handle handle) {
  if (lua_isnil(L, gone)) {
    lua_newtable(L);
    lua_replace(L, gone);
  }
  lua_pushinteger(L, handle);
  lua_rawseti(L, gone, static_cast<lua_Integer>(lua_rawlen(L, gone)) + 1);
}

// The keys of the table at `index`, in ascending order: what is sent must not show the order of a
// table.
std::vector<Handle> SortedKeys(lua_State* L, int index) {
  std::vector<Handle> keys;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    keys.push_back(CheckKey(L));
    lua_pop(L, 1);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

int Deliver(lua_State* L) {
  lua_settop(L, 5);
  Payload payload = TakePayload(L, 4);
  luaL_checktype(L, 1, LUA_TTABLE);
  const Handle source = CheckHandle(L, 2);
  const int32_t channel = CheckChannel(L, 3);
  ServiceContext& context = ServiceOf(L);
  lua_pushnil(L);
  const int gone = lua_gettop(L);
  for (const Handle handle : SortedKeys(L, 1)) {
    Message message;
    message.source = source;
    message.session = channel;
    message.type = MessageType::kMulticast;
    message.payload = payload.Share();
    message.cause = context.cause();
    if (!context.node().Send(handle, std::move(message))) AddGone(L, gone, handle);
  }
  return 1;
}

int NextId(lua_State* L) {
  lua_pushinteger(L, (CheckChannel(L, 1) + kChannelsPerNode) & kChannelMax);
  return 1;
}

}  // namespace

int OpenMulticastCore(lua_State* L) {
  static const luaL_Reg kFunctions[] = {
      {"deliver", Deliver},
      {"nextid", NextId},
      {nullptr, nullptr},
  };
  luaL_newlib(L, kFunctions);
  return 1;
}

}  // namespace skysim
