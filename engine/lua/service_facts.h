#ifndef ENGINE_LUA_SERVICE_FACTS_H_
#define ENGINE_LUA_SERVICE_FACTS_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// What a service asks about itself and its node: self, localname, address, starttime, time, getenv,
// setenv, mqlen, endless of module `skynet` (runtime_api.md 4.3). Each would be one line of Lua
// over skynet.core; as C functions they cost a service nothing, as Lua functions 200 bytes each.
// Adds them to the table on top of the stack, that of module `skynet.tasks`.
void AddServiceFacts(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_SERVICE_FACTS_H_
