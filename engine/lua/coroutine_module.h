#ifndef ENGINE_LUA_COROUTINE_MODULE_H_
#define ENGINE_LUA_COROUTINE_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Module `skynet.coroutine`: coroutines of the user that may call blocking skynet functions. A
// blocking call inside one suspends the whole task around it; meanwhile its status is "blocked"
// (runtime_api.md 5.2). create, resume, yield, status, running, isyieldable, wrap, close, thread.
int OpenCoroutine(lua_State* L);

// Was `co` made by skynet.coroutine? `L`: any thread of the same VM.
bool IsOwnCoroutine(lua_State* L, lua_State* co);

// Makes Lua's coroutine.resume and wrap tell the VM's task scheduler which coroutine runs
// (TaskScheduler::Options::running). After the standard libraries; the scheduler must be there.
void WatchPlainCoroutines(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_COROUTINE_MODULE_H_
