#ifndef ENGINE_LUA_RAW_ACCESS_H_
#define ENGINE_LUA_RAW_ACCESS_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Replaces the functions of Lua's base library that look past metatables and would show a shared
// table (shared_view.h) or a sheet (datasheet_module.h) as an empty table: next, rawget, rawlen,
// rawset, getmetatable, setmetatable. With other values they are what they were.
void ReplaceRawAccess(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_RAW_ACCESS_H_
