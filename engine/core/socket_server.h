#ifndef ENGINE_CORE_SOCKET_SERVER_H_
#define ENGINE_CORE_SOCKET_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/message.h"
#include "engine/core/socket_message.h"
#include "engine/platform/executor.h"
#include "engine/platform/memory.h"
#include "engine/platform/observer.h"
#include "engine/platform/transport.h"

namespace skysim {

// Socket id as services see it: 1 .. 2^31-1. Counted up per node; an id comes again only after the
// counter went round; 0 is skipped (network.md 1.2, B12).
using SocketId = int32_t;

// Receives the events of sockets. Called on the socket thread.
class SocketEventSink {
 public:
  virtual ~SocketEventSink() = default;
  // Puts a kSocket message into `owner`'s mailbox. If `owner` is gone the message is dropped and
  // the sink frees message.buffer. `cause` is the index of the event that led to it.
  virtual void OnSocketEvent(Handle owner, SocketMessage message, absl::string_view text,
                             uint64_t cause) = 0;
};

// What `skynet.socketdriver.info` tells about one socket.
struct SocketInfo {
  SocketId id;
  Handle owner;
  const char* type;  // LISTEN TCP UDP BIND CLOSING UNKNOWN
  std::string local, peer;
  uint64_t read_bytes, write_bytes, accepted;
  int64_t read_time_ns, write_time_ns;  // of the last read and write, 0 = never
  int64_t queued_bytes;
  bool reading, writing;
};

// SocketServer gives a node's services their sockets: ids, states, the high and low write queues,
// half-close, warnings, ownership - every rule of network.md 1.2 to 1.7 - over any Transport. The
// same code runs over epoll and over the simulated network.
//
// Services call the public operations during a dispatch. Each takes effect through the executor
// (at once, or deferred when the dispatch is stretched), in call order. Events go to the sink in the
// order in which they happened. B1: an id accepts and queues data from the moment it exists.
class SocketServer final : private TransportSink {
 public:
  // All borrowed for the server's life.
  SocketServer(Transport& transport, Executor& executor, Memory& memory, Observer& observer,
               const class Clock& clock, SocketEventSink& sink);
  ~SocketServer() override;

  // -- Operations of services. `owner` is the calling service. --------------------------------

  // Asynchronous; answers with one kConnect or kError event. -1: no free slot (65536).
  SocketId Connect(Handle owner, const std::string& host, uint16_t port);
  // Binds at once. The error text is "Listen error" with the reason after it. A kConnect event with
  // the real port follows. Accepts only after Start().
  absl::StatusOr<SocketId> Listen(Handle owner, const std::string& host, uint16_t port, int backlog);
  void Start(Handle owner, SocketId id);
  void Pause(Handle owner, SocketId id);
  void Close(Handle owner, SocketId id);
  void Shutdown(Handle owner, SocketId id);
  void NoDelay(SocketId id);
  // False: the id is dead or closing; the data is freed.
  bool Send(SocketId id, Payload data);
  bool SendLow(SocketId id, Payload data);

  absl::StatusOr<SocketId> Udp(Handle owner, const std::string& host, uint16_t port);
  absl::StatusOr<SocketId> UdpListen(Handle owner, const std::string& host, uint16_t port);
  absl::StatusOr<SocketId> UdpDial(Handle owner, const std::string& host, uint16_t port);
  absl::Status UdpConnect(SocketId id, const std::string& host, uint16_t port);
  // `address` is packed as network.md 1.8 says; empty: the default destination.
  bool UdpSend(SocketId id, absl::string_view address, Payload data);

  std::vector<SocketInfo> Info() const;

  // Index of the event (dispatch) on whose behalf operations are called now; the node sets it
  // around each dispatch so that writes and connects have a cause.
  void SetCause(uint64_t cause);

 private:
  void OnConnected(EndpointId endpoint, const Address& peer) override;
  void OnConnectFailed(EndpointId endpoint, absl::string_view error) override;
  void OnAcceptable(EndpointId listener) override;
  void OnReadable(EndpointId endpoint) override;
  void OnWritable(EndpointId endpoint) override;
  void OnBroken(EndpointId endpoint, absl::string_view error) override;

  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skysim

#endif  // ENGINE_CORE_SOCKET_SERVER_H_
