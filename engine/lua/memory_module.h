#ifndef ENGINE_LUA_MEMORY_MODULE_H_
#define ENGINE_LUA_MEMORY_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Module `skynet.memory`: what the Lua services of this node took from its Memory. There is no
// jemalloc: what only that could tell is 0, false or nothing, and a line `No jemalloc: NAME.` of
// the service's log says so.
//
//   total() -> bytes of all services     block() -> 0: blocks are not counted
//   current() -> bytes of this service   info() -> { handle = bytes }
//   dumpinfo([options])                  logs `No jemalloc: dumpinfo.`
//   dump()                               logs a line for each service, and one for their sum
//   jestat() -> { name = 0 }, mallctl(name) -> 0, dumpheap(), profactive([on]) -> false
int OpenMemory(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_MEMORY_MODULE_H_
