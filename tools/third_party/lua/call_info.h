// What Lua's API does not say about a running C function. Part of our build of Lua 5.4.7.
#ifndef TOOLS_THIRD_PARTY_LUA_CALL_INFO_H_
#define TOOLS_THIRD_PARTY_LUA_CALL_INFO_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// How many results the caller of the running C function takes: 0 if it was called as a statement,
// LUA_MULTRET if it takes all.
int ResultsWanted(lua_State* L);

}  // namespace skysim

#endif  // TOOLS_THIRD_PARTY_LUA_CALL_INFO_H_
