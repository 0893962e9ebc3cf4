#include "engine/lua/raw_access.h"

#include "engine/lua/datasheet_module.h"
#include "engine/lua/shared_view.h"

namespace skysim {

namespace {

// Views and tables that open themselves have a C function as the first item of their metatables;
// hardly any other table does, so that this one look is all that others pay.
bool IsMarked(lua_State* L) {
  if (lua_getmetatable(L, 1) == 0) return false;
  const bool is_marked = lua_rawgeti(L, -1, 1) == LUA_TFUNCTION;
  lua_pop(L, 2);
  return is_marked;
}

// If the table at index 1 keeps its contents elsewhere, puts those there; if it waits to be filled,
// fills it.
void OpenTable(lua_State* L) {
  if (!IsMarked(L)) return;
  lua_getmetatable(L, 1);
  lua_rawgeti(L, -1, 1);
  if (lua_tocfunction(L, -1) == OpensItself) {
    lua_rawgeti(L, -2, 2);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
  }
  lua_pop(L, 2);
  if (PushViewContents(L, 1)) lua_replace(L, 1);
}

// Whether the value at index 1 is a shared table.
bool IsShared(lua_State* L) { return IsMarked(L) && IsView(L, 1); }

int Next(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  OpenTable(L);
  if (lua_next(L, 1) != 0) return 2;
  lua_pushnil(L);
  return 1;
}

int RawGet(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  OpenTable(L);
  lua_rawget(L, 1);
  return 1;
}

int RawLength(lua_State* L) {
  const int type = lua_type(L, 1);
  luaL_argexpected(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "table or string");
  if (type == LUA_TTABLE) OpenTable(L);
  lua_pushinteger(L, static_cast<lua_Integer>(lua_rawlen(L, 1)));
  return 1;
}

int RawSet(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (IsMarked(L)) {
    if (IsView(L, 1)) return luaL_error(L, "attempt to change a shared table");
    OpenTable(L);
  }
  lua_rawset(L, 1);
  return 1;
}

int GetMetatable(lua_State* L) {
  luaL_checkany(L, 1);
  if (lua_getmetatable(L, 1) == 0 || IsShared(L)) {
    lua_pushnil(L);
    return 1;
  }
  luaL_getmetafield(L, 1, "__metatable");  // pushes nothing if there is none
  return 1;
}

int SetMetatable(lua_State* L) {
  const int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (lua_getmetatable(L, 1) != 0) {
    if (IsShared(L)) return luaL_error(L, "can't setmetatable to shared table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) {
      return luaL_error(L, "cannot change a protected metatable");
    }
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

}  // namespace

void ReplaceRawAccess(lua_State* L) {
  const luaL_Reg functions[] = {{"next", Next},
                                {"rawget", RawGet},
                                {"rawlen", RawLength},
                                {"rawset", RawSet},
                                {"getmetatable", GetMetatable},
                                {"setmetatable", SetMetatable},
                                {nullptr, nullptr}};
  lua_pushglobaltable(L);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}

}  // namespace skysim
