// Lua's C API, for C++ files of the project. Lua is compiled as C++ but its API has C linkage, as
// in any other build of Lua, so that C modules of users load. Two things differ from a usual Lua:
//
// - An error (lua_error, luaL_error, out of memory) is a C++ exception: destructors of the C++
//   frames between the error and its pcall run. `catch (...)` would see it: do not, or rethrow.
// - A yield is a long jump, because an exception costs 20 times as much. No object with a
//   destructor may be alive in a C++ function where it calls lua_yield or lua_yieldk.
//
// What a state's hash seed is, and how to give one: lua_hooks.h.
#ifndef TOOLS_THIRD_PARTY_LUA_LUA_API_H_
#define TOOLS_THIRD_PARTY_LUA_LUA_API_H_

extern "C" {
#include "lua.h"
// The others need lua.h.
#include "lauxlib.h"
#include "lualib.h"
}

#endif  // TOOLS_THIRD_PARTY_LUA_LUA_API_H_
