/* A Lua module in C: counters as userdata, and what such a module may ask of its service. */
#include <string.h>

#include "lua.h"
/* The others need lua.h. */
#include "lauxlib.h"
#include "skynet.h"

#define TALLY "tally"

static struct skynet_context* Context(lua_State* lua) {
  struct skynet_context* context;
  lua_getfield(lua, LUA_REGISTRYINDEX, "skynet_context");
  context = lua_touserdata(lua, -1);
  lua_pop(lua, 1);
  if (context == NULL) luaL_error(lua, "tally: this Lua state is no service");
  return context;
}

/* new() -> a counter */
static int New(lua_State* lua) {
  lua_Integer* count = lua_newuserdatauv(lua, sizeof(*count), 0);
  *count = 0;
  luaL_setmetatable(lua, TALLY);
  return 1;
}

/* counter:add(n) -> the sum; n < 0 raises */
static int Add(lua_State* lua) {
  lua_Integer* count = luaL_checkudata(lua, 1, TALLY);
  lua_Integer more = luaL_checkinteger(lua, 2);
  if (more < 0) return luaL_error(lua, "tally: %I is negative", more);
  *count += more;
  lua_pushinteger(lua, *count);
  return 1;
}

/* say(text): a line of the log */
static int Say(lua_State* lua) {
  skynet_error(Context(lua), "tally says %s %d", luaL_checkstring(lua, 1), 7);
  return 0;
}

/* block(text) -> pointer, size: a message that the caller sends or trashes */
static int Block(lua_State* lua) {
  size_t size;
  const char* text = luaL_checklstring(lua, 1, &size);
  lua_pushlightuserdata(lua, memcpy(skynet_malloc(size), text, size));
  lua_pushinteger(lua, (lua_Integer)size);
  return 2;
}

/* send(handle, text) -> session */
static int Send(lua_State* lua) {
  size_t size;
  const char* text = luaL_checklstring(lua, 2, &size);
  lua_pushinteger(lua, skynet_send(Context(lua), 0, (uint32_t)luaL_checkinteger(lua, 1),
                                   PTYPE_TEXT, 0, (void*)text, size));
  return 1;
}

/* listen(): not for a Lua service */
static int Listen(lua_State* lua) {
  skynet_callback(Context(lua), NULL, NULL);
  return 0;
}

static const luaL_Reg kMethods[] = {{"add", Add}, {NULL, NULL}};
static const luaL_Reg kFunctions[] = {{"new", New},   {"say", Say},       {"block", Block},
                                      {"send", Send}, {"listen", Listen}, {NULL, NULL}};

int luaopen_tally(lua_State* lua) {
  luaL_newmetatable(lua, TALLY);
  luaL_newlib(lua, kMethods);
  lua_setfield(lua, -2, "__index");
  lua_pop(lua, 1);
  luaL_newlib(lua, kFunctions);
  return 1;
}

/* require "tally.deep" finds it in the same library. */
int luaopen_tally_deep(lua_State* lua) {
  lua_pushliteral(lua, "deep");
  return 1;
}
