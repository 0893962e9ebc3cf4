// skynet.socketdriver: the sockets of a node, as Lua functions (network.md 1.8).
//
// Addresses: (host, port), or "host:port" / "[v6]:port" with port nil. Raises `Invalid address X.`,
// `Invalid port in address X.`, `Invalid port`.
//
//   connect(host [, port]) -> id         asynchronous; -1 without a free slot
//   listen(host [, port [, backlog]]) -> id   empty host = 0.0.0.0, backlog 32; raises
//                                        `Listen error: reason`
//   bind(descriptor) -> id               raises where the platform has no descriptors
//   start(id), pause(id), close(id), shutdown(id), nodelay(id)
//   send(id, data [, size]) -> boolean   data: string; table of strings (concatenated);
//   lsend(id, data [, size]) -> boolean  lightuserdata and size (ownership moves); userdata
//                                        [and size] (copied). False: the id is dead
//   udp([host, port]) -> id              raises `udp init failed: reason`
//   udp_listen(host, port), udp_dial(host, port) -> id; udp_connect(id, host, port)
//   udp_send(id, packed_address, data) -> boolean
//   udp_address(packed_address) -> ip, port
//   info() -> array of tables
//   resolve(host) -> array of strings
//   unpack(message, size) -> type, id, ud, string or lightuserdata [, packed udp address]
//   buffer() -> buffer                   what was received and is not read yet. The pool argument
//   push(buffer, pool, ptr, size) -> bytes in all   below is accepted and not needed
//   pop(buffer, pool, n) -> string or nil, remaining bytes
//   readall(buffer, pool) -> string
//   readline(buffer, pool, separator) -> string, or nothing; true instead if pool is nil, and the
//                                        line stays
//   clear(buffer, pool)
//   drop(ptr, size)                      frees
//   str2p(string) -> ptr, size           copies into a block
//   header(string) -> integer            big-endian, 1 to 4 bytes
//
// Called on the thread that runs the VM. Blocks are of the server's Memory.
#ifndef ENGINE_LUA_SOCKETDRIVER_MODULE_H_
#define ENGINE_LUA_SOCKETDRIVER_MODULE_H_

#include "engine/core/handle.h"
#include "engine/core/socket_server.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Pushes the module table. Its functions act for service `self` on `sockets`, which must outlive
// the VM.
int PushSocketDriver(lua_State* L, SocketServer& sockets, Handle self);

// The same for the service and the node of VmOf(L): a lua_CFunction for package.preload. Raises in
// a VM that runs no service.
int OpenSocketDriver(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_SOCKETDRIVER_MODULE_H_
