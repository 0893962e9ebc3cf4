#ifndef ENGINE_LUA_DEBUGCHANNEL_MODULE_H_
#define ENGINE_LUA_DEBUGCHANNEL_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Module `skynet.debugchannel` (runtime_api.md 5.15), what skynet.remotedebug is made of.
//
//   create() -> channel, pointer      the pointer may be sent to another service of the node, once
//   connect(pointer) -> channel       raises "new channel failed" if it is none, or was connected
//   channel:write(text)
//   channel:read() -> text | nil      nil: nothing is there. Never waits: a worker that waits would
//                                     stop others, and a simulation for ever; so a time limit as
//                                     argument has no meaning
//   sethook([co,] f, mask [, count])  as debug.sethook, for the running task's coroutine or that
//                                     of another task: at each event f(event, line) runs, at level
//                                     1 of the coroutine's stack. If it returns true at a line or
//                                     count event, the task stops there as in skynet.wait(co),
//                                     until skynet.wakeup(co). Where a task cannot yield it goes
//                                     on. No f: no hook. A hook ends with its task.
int OpenDebugChannel(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_DEBUGCHANNEL_MODULE_H_
