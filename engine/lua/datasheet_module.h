#ifndef ENGINE_LUA_DATASHEET_MODULE_H_
#define ENGINE_LUA_DATASHEET_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Module `skynet.datasheet.core`: sheets (engine/wire/datasheet.h) that services of a node share.
//
//   compile(table) -> string   Raises `Invalid key`, `Invalid value`, with the path of the table,
//                              for what a sheet cannot hold, and for cycles and deep nesting.
//                              Fields are in the order of their keys
//   new(string) -> handle      Raises `Invalid datasheet: ...` for bytes that are none
//   id(handle) -> light userdata, find(light userdata) -> handle     as in skynet.sharedtree
//   fill(handle, index, table) -> { key = index }     puts the values of a table of the sheet into
//                              `table`, and returns its sub-tables
//   opening                    metatable field 1 of a table that fills itself when it is first
//                              read; field 2 is the function that does so (raw_access.h)
int OpenDatasheet(lua_State* L);

// The value of `opening`.
int OpensItself(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_DATASHEET_MODULE_H_
