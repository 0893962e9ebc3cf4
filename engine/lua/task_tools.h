#ifndef ENGINE_LUA_TASK_TOOLS_H_
#define ENGINE_LUA_TASK_TOOLS_H_

#include "engine/lua/task_scheduler.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// The rest of module `skynet.tasks`, beside what sends, calls and waits (skynet_module.h):
// protocols, looking at tasks, traces, memory limit, CPU profile. Adds its functions to the table
// on top of the stack.
void AddTaskTools(lua_State* L);

// The scheduler of `L`'s service; raises "Init skynet context first" if it has none.
TaskScheduler& TasksOf(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_TASK_TOOLS_H_
