// skynet.cluster.core: the cluster frames of engine/wire/cluster_codec.h as Lua functions.
//
// Every frame that a pack function returns is a Lua string that already carries its two length
// bytes: write it to the socket as it is. Every frame that an unpack function takes is without
// them. `msg, sz` is a string (sz is then ignored), or light userdata and its size in bytes, or nil
// for an empty payload.
//
//   packrequest(addr, session, msg, sz) -> frame, session_next [, parts]
//   packpush(addr, session, msg, sz)    -> frame, session_next [, parts]
//     addr is an integer (a handle; 0 asks for a name) or a string of 1 to 255 bytes. session is
//     the number to use, 1 to 2^31-1; session_next the one for the next call (1 after 2^31-1;
//     unchanged after a small push, which takes none). parts is an array of frames to write after
//     `frame`, in order; there only for payloads from 32768 bytes. Owns light userdata: it is
//     freed, also when the call raises. Raises: `Invalid request session`, `Invalid name`, and so
//     on: anything out of range above, and payloads from 2 GiB.
//
//   packtrace(tag) -> frame
//     Raises if the tag is longer than 32768 bytes. An empty tag is legal.
//
//   unpackrequest(msg, sz) -> addr, session, payload, size, padding, is_push
//     Borrows msg: frees nothing. What the frame is shows in `padding` and `addr`:
//       whole request   addr (integer or string), session, ptr, size, false, is_push
//                       ptr is a new block that the caller owns: send it, or skynet.trash(ptr,
//                       size) it. NULL if empty.
//       large, header   addr (integer or string), session, nil, total, true, is_push
//       part, 02        false, session, string, size, true, false
//       last part, 03   false, session, string, size, false, false
//       trace tag, 04   true, tag (a string)
//       malformed       nil, reason
//     So `append(list, payload, size)` is right for headers and parts alike. A push in one frame
//     has session 0. The session of a reply must be this session, all 32 bits (0 to 0xffffffff).
//
//   packresponse(session, ok, msg, sz) -> frame | array of frames
//     session is 0 to 0xffffffff. ok false: msg is the error text, cut at 32768 bytes. ok true: one
//     frame up to 32768 bytes of payload, then an array, to be written in order. Borrows msg: frees
//     nothing (a raw reply dies with its dispatch; a block of skynet.pack is the caller's to trash;
//     a string is simplest).
//
//   unpackresponse(frame) -> session, ok, data, padding
//     error           session, false, text, false
//     ok              session, true, data, false
//     large, begin    session, true, total (integer), true
//     part, more      session, true, data, true
//     part, last      session, true, data, false
//     Raises on a malformed frame, which is what makes a socket channel drop its connection. The
//     values with padding, in order, then the last part, make up a list for concat.
//
//   append(list, msg, sz)
//     Adds to a list under assembly. nil and a size: the announced total (from a header). A string,
//     or light userdata and a size (freed): a part.
//   concat(list) -> ptr, size | nil, reason
//     list is { total, part, part, ... }. The new block is the caller's, NULL if empty. The reason
//     says how announced and received sizes differ (or that there is no header, or a second one);
//     list is left as it is.
//
//   isname(addr) -> boolean
//     Whether addr is a cluster name: a string whose first byte is "@".
//
// nodename() is not here: host name and process id come from the platform.
// Called on the thread that runs the VM. Blocks come from MemoryOf(L).
#ifndef ENGINE_LUA_CLUSTER_CORE_MODULE_H_
#define ENGINE_LUA_CLUSTER_CORE_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Pushes the module table; a lua_CFunction for package.preload["skynet.cluster.core"] or
// luaL_requiref.
int OpenClusterCore(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_CLUSTER_CORE_MODULE_H_
