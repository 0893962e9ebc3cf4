#ifndef ENGINE_CORE_SOCKET_H_
#define ENGINE_CORE_SOCKET_H_

#include <cstddef>
#include <cstdint>

#include "engine/core/socket_server.h"
#include "engine/core/write_queue.h"
#include "engine/platform/transport.h"

// One socket as SocketServer keeps it. For socket_server*.cc only.
//
// Lifetimes. A Socket lives in its slot until Free(). Free() happens at the end of an effect or of
// a transport callback, never inside the sink, so a Socket& stays good across Tell() and Record().
// The functions after which a socket may be gone are ApplyClose, ApplyShutdown, Enqueue, Flush,
// OnWriteError, OnStreamEnd, EndUdp and what calls them; nothing touches the socket behind such a
// call.

namespace skysim {

// Reads begin with blocks of this size (network.md 1.8).
constexpr size_t kSocketReadBytesMin = 64;

enum class SocketServer::State : uint8_t {
  kReserve,         // the id exists, the connect has not begun
  kConnecting,
  kConnected,       // UDP sockets too
  kAccepted,        // not started yet
  kListenIdle,      // a listener that is not started yet
  kListening,
  kHalfCloseRead,   // the peer ended, or a local close waits for its queue
  kHalfCloseWrite,  // a write failed
  kBind,            // an OS descriptor that is not ours
};

struct SocketServer::Socket {
  SocketId id;
  Handle owner;
  State state;
  bool is_udp = false;
  bool is_closing = false;  // closed by a service; the rest of the queue is on its way
  bool is_told_closed = false;
  bool is_refusing = false;  // a listener: there was no room for the last connection
  bool reading = false;  // wanted; the transport knows once the socket is connected
  bool writing = false;
  EndpointId endpoint = 0;
  WriteQueue queue;
  size_t warning_bytes = 0;  // next threshold; 0 = no warning since the queue was empty
  size_t read_bytes_next = kSocketReadBytesMin;
  uint64_t last_event = 0;  // the connect or the last write, as a cause
  Address peer;             // UDP: the default destination; an empty host = none
  uint64_t read_bytes = 0, write_bytes = 0, accepted = 0;
  int64_t read_time_ns = 0, write_time_ns = 0;
};

}  // namespace skysim

#endif  // ENGINE_CORE_SOCKET_H_
