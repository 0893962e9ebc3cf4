// skynet.netpack: frames with a 16-bit big-endian length, from socket events, as Lua functions.
//
//   filter(queue, msg, sz) -> queue [, what, ...]
//     Takes one socket event (light userdata of a SocketMessage and its size; its buffer is freed
//     here). queue is nil at first, then what filter returned. Then nothing more, or
//       "data", fd, ptr, size     it ended exactly one frame and nothing is left over; ptr is the
//                                 caller's, NULL for a zero-length frame
//       "more"                    it ended a frame and there were more bytes: pop until nothing
//                                 comes
//       "open", newfd, "ip:port"  a connection came to a listener
//       "close", fd               drops the partial frame of fd
//       "error", fd, text         likewise
//       "warning", fd, KiB        the write queue crossed a threshold
//       "init", id, address, port a socket or listener is up
//     UDP and unknown events are ignored.
//
//   pop(queue) -> fd, ptr, size, or nothing.
//     ptr is the caller's, NULL for a zero-length frame. A nil queue is empty.
//
//   pack(str) or pack(ptr, size) -> ptr, size + 2
//     Borrows its argument; the new block is the caller's. Raises from 65536 bytes on.
//
//   tostring(ptr, size) -> string
//     Frees ptr.
//
//   clear(queue)
//     Frees frames and partial frames; the queue can be used again. A collected queue does the
//     same.
//
// Called on the thread that runs the VM. Blocks come from MemoryOf(L).
#ifndef ENGINE_LUA_NETPACK_MODULE_H_
#define ENGINE_LUA_NETPACK_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Pushes the module table; a lua_CFunction for package.preload["skynet.netpack"] or luaL_requiref.
int OpenNetpack(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_NETPACK_MODULE_H_
