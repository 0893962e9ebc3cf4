#ifndef ENGINE_LUA_SHARED_ID_H_
#define ENGINE_LUA_SHARED_ID_H_

#include <cstdint>

#include "engine/core/shared_objects.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// The number of a shared object in Lua: light userdata, as skynet passes its pointers, so that it
// fits into any message. It is no address: what a service makes up finds nothing.
constexpr unsigned kSharedIdShift = 4;

inline void PushSharedId(lua_State* L, SharedObjects::Id id) {
  lua_pushlightuserdata(L, reinterpret_cast<void*>(id << kSharedIdShift));
}

// 0 for what is no number of an object.
inline SharedObjects::Id CheckSharedId(lua_State* L, int index) {
  luaL_checktype(L, index, LUA_TLIGHTUSERDATA);
  const auto bits = reinterpret_cast<uintptr_t>(lua_touserdata(L, index));
  return bits % (1u << kSharedIdShift) == 0 ? bits >> kSharedIdShift : 0;
}

}  // namespace skysim

#endif  // ENGINE_LUA_SHARED_ID_H_
