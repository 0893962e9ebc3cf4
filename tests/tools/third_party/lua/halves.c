/* A user's C module, as any Lua 5.4 would load it: compiled as C, linked with nothing. */
#include "lua.h"
/* The other needs lua.h. */
#include "lauxlib.h"

static int Halve(lua_State* lua) {
  lua_Integer number = luaL_checkinteger(lua, 1);
  if (number % 2 != 0) return luaL_error(lua, "%I is odd", number);
  lua_pushinteger(lua, number / 2);
  return 1;
}

static const luaL_Reg kFunctions[] = {{"halve", Halve}, {NULL, NULL}};

int luaopen_halves(lua_State* lua) {
  luaL_newlib(lua, kFunctions);
  return 1;
}
