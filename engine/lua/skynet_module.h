#ifndef ENGINE_LUA_SKYNET_MODULE_H_
#define ENGINE_LUA_SKYNET_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Module `skynet.tasks`: the functions of `skynet` (runtime_api.md 4.3) that act on tasks, straight
// on the TaskScheduler: call, rawcall, send, rawsend, ret, retpack, response, wait, sleep, wakeup,
// fork, timeout and so on. lualib/skynet.lua puts them into its table and adds the rest.
int OpenTasks(lua_State* L);
// The module's table, before the state is a service's.
void PushTasks(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_SKYNET_MODULE_H_
