#ifndef ENGINE_LUA_PAIRS_COPY_H_
#define ENGINE_LUA_PAIRS_COPY_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// If the table at `index` (absolute) has a __pairs metamethod, puts a plain table of what that
// yields in its place: so a C function that iterates with lua_next sees proxies as Lua code does.
// False: it has none. Raises what __pairs raises, and for a key that is nil or NaN; __pairs must
// not yield.
inline bool ReplaceByPairs(lua_State* L, int index) {
  luaL_checkstack(L, 8, "pairs");
  if (luaL_getmetafield(L, index, "__pairs") == LUA_TNIL) return false;
  lua_pushvalue(L, index);
  lua_call(L, 1, 3);  // iterator, state, control
  lua_newtable(L);
  lua_insert(L, -4);
  while (true) {
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) break;
    lua_pushvalue(L, -2);
    lua_replace(L, -4);  // the next control; stack: copy, iterator, state, control, key, value
    if (lua_tonumber(L, -2) != lua_tonumber(L, -2)) luaL_error(L, "table index is NaN");
    lua_rawset(L, -6);
  }
  lua_pop(L, 5);
  lua_replace(L, index);
  return true;
}

}  // namespace skysim

#endif  // ENGINE_LUA_PAIRS_COPY_H_
