// skynet.multicast.core: what service/multicastd.lua needs to give one payload to many services.
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
// Skynet's module has functions for a counted block whose address is the message, which somebody
// has to count right; here the message is the bytes, and the engine counts (Payload::Share). So no
// address can leave the node, and none is lost with a service.
// Called on the thread that runs the VM.
#ifndef ENGINE_LUA_MULTICAST_CORE_MODULE_H_
#define ENGINE_LUA_MULTICAST_CORE_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Pushes the module table; a lua_CFunction for package.preload["skynet.multicast.core"].
int OpenMulticastCore(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_MULTICAST_CORE_MODULE_H_
