// skynet.multicast.core: one payload for many services. service/multicastd.lua uses
//
//   deliver(handles, source, channel, msg [, size]) -> gone
//     Sends a message of type multicast, whose session is `channel`, from `source` to every key of
//     the table `handles`. All messages hold one block, which is freed when the last of them has
//     been handled, or dropped with its mailbox; a message to another node is a copy of the bytes.
//     msg is a string, or light userdata with its size (owned: also freed when the call raises), or
//     nil. gone is an array of those handles that no service has any more, or nil.
//   nextid(channel) -> channel
//     The channel that the same node opens after this one: 256 more (the low byte is the node's
//     harbor id), 31 bits.
//
// Programs that count themselves have skynet's functions for a package: a block of bytes that stays
// until it has been closed as often as it was bound. What names it in a message is 8 bytes, which
// are a number of this node and no address: those of another node, and of a package that is gone,
// raise "no such multicast package". A box is a block that holds these 8 bytes.
//
//   pack(msg [, size]) -> box, 8      takes msg over, as deliver does
//   packremote(ptr, size) -> box, 8   a package of a copy: what another node has sent
//   bind(box, n)                      so many will close it; frees the box. Once. 0: frees the package
//   unpack(ptr, 8) -> package, ptr, size    also of a string. The bytes stay until the last close
//   close(package)                    raises before bind
//   remote(box) -> ptr, size          the bytes as a block to send to another node; box and package
//                                     are gone. Before bind
// Packages that nobody closes are freed with the node.
//
// Called on the thread that runs the VM.
#ifndef ENGINE_LUA_MULTICAST_CORE_MODULE_H_
#define ENGINE_LUA_MULTICAST_CORE_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Pushes the module table; a lua_CFunction for package.preload["skynet.multicast.core"].
int OpenMulticastCore(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_MULTICAST_CORE_MODULE_H_
