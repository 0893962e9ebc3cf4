#ifndef ENGINE_CORE_SOCKET_MESSAGE_H_
#define ENGINE_CORE_SOCKET_MESSAGE_H_

#include <cstdint>
#include <cstring>

#include "engine/core/message.h"

namespace skysim {

// What happened to a socket; the numbers are skynet's (skynet.socketdriver.unpack returns them).
enum class SocketEvent : int32_t {
  kData = 1,     // ud = byte count; buffer
  kConnect = 2,  // ud = bound port of a fresh listener, else 0; text
  kClose = 3,
  kAccept = 4,   // id = listener, ud = new socket; text "ip:port"
  kError = 5,    // text
  kUdp = 6,      // ud = datagram size; buffer = datagram, then the packed address
  kWarning = 7,  // ud = KiB queued, or 0
};

// The payload of a message of type kSocket. Skynet's own layout, because services written in C read
// it. If `buffer` is null, a text without NUL follows the struct, up to the end of the message.
// Otherwise it is a block of the node's Memory that the receiver must free.
struct SocketMessage {
  int32_t type;
  int32_t id;
  int32_t ud;
  char* buffer;
};

// Frees the block that a dropped kSocket message owns, if it does.
inline void FreeSocketBuffer(Memory& memory, const Message& message) {
  SocketMessage event;
  if (message.payload.size() < sizeof(event)) return;
  std::memcpy(&event, message.payload.data(), sizeof(event));
  memory.Free(event.buffer);
}

}  // namespace skysim

#endif  // ENGINE_CORE_SOCKET_MESSAGE_H_
