#ifndef ENGINE_PLATFORM_TRANSPORT_H_
#define ENGINE_PLATFORM_TRANSPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skysim {

// Names one endpoint of one transport: a connection, a listener or a UDP socket. Never reused, > 0.
using EndpointId = uint64_t;

// A numeric address. `host` is an IPv4 or IPv6 literal without brackets.
struct Address {
  std::string host;
  uint16_t port = 0;

  // "1.2.3.4:80", "::1:80" (skynet writes IPv6 peers without brackets).
  std::string ToString() const;
  bool operator==(const Address& other) const { return host == other.host && port == other.port; }
};

// What one Read() found. At most one of `is_end`, `error` is set, and then `size` is 0.
struct ReadResult {
  size_t size = 0;        // bytes stored; 0 with neither flag set = nothing there now
  bool is_end = false;    // the peer ended its stream
  std::string error;      // strerror text, e.g. "Connection reset by peer"
};

// What one Write() did.
struct WriteResult {
  // Bytes taken; fewer than offered = buffer full, OnWritable() follows if asked for.
  size_t size = 0;
  std::string error;      // strerror text, e.g. "Broken pipe"
};

struct Datagram {
  Address from;
  std::string bytes;
};

// Receives readiness, as poll(2) would report it: level triggered at the moment of the call, and
// only for what is switched on. Called by one thread at a time (simulated: between dispatches).
class TransportSink {
 public:
  virtual ~TransportSink() = default;

  // A Connect() ended well. Reading is on, writing readiness off.
  virtual void OnConnected(EndpointId endpoint, const Address& peer) = 0;
  // A Connect() failed; the endpoint is gone. `error` is a strerror text ("Connection refused").
  virtual void OnConnectFailed(EndpointId endpoint, absl::string_view error) = 0;
  // A listener has at least one connection to Accept().
  virtual void OnAcceptable(EndpointId listener) = 0;
  // Read() or ReceiveFrom() would return something: bytes, end or error.
  virtual void OnReadable(EndpointId endpoint) = 0;
  // Write() would take at least one byte, or report an error.
  virtual void OnWritable(EndpointId endpoint) = 0;
  // The connection broke (RST, retry limit) and neither reading nor writing is switched on, or the
  // stream had already ended: poll's POLLERR. `error` as in ReadResult. Or, with neither switched
  // on, both directions are over, by whatever way: POLLHUP, with an empty `error`. Once, until
  // something is switched on.
  virtual void OnBroken(EndpointId endpoint, absl::string_view error) = 0;
};

// Transport carries bytes between nodes: what a kernel's socket calls do, without descriptors.
// One per node.
//
// Threads: calls come from any thread, but one at a time (the socket server holds its lock), and
// never block. ResolveHost() and HostName() may be called at any moment and may block. The sink is
// called from one thread at a time, which holds no lock of the transport then; so the sink may hear
// of an endpoint that another thread has just closed.
//
// It promises what TCP promises: bytes in order, no holes, any segmentation. Everything above
// (socket ids, queues, half-close rules, events to services) is engine/core/socket_server.h, the
// same code over every transport.
class Transport {
 public:
  virtual ~Transport() = default;

  // Where readiness goes. Set once, before anything else; borrowed for the transport's life.
  virtual void SetSink(TransportSink* sink) = 0;

  // Binds and listens. Port 0 picks a free one; the result has the real address. Not accepting
  // until SetReading(listener, true). Errors: AlreadyExists "Address already in use", ...
  struct Listening {
    EndpointId endpoint;
    Address address;
  };
  virtual absl::StatusOr<Listening> Listen(const std::string& host, uint16_t port, int backlog) = 0;

  // Takes one waiting connection. Not reading until SetReading(). NotFound: none waits.
  // ResourceExhausted: no descriptor left; one connection was accepted and closed.
  struct Accepted {
    EndpointId endpoint;
    Address peer;
  };
  virtual absl::StatusOr<Accepted> Accept(EndpointId listener) = 0;

  // Begins to connect; ends with exactly one OnConnected or OnConnectFailed, never inside the call.
  // Host names are resolved by the transport.
  virtual EndpointId Connect(const std::string& host, uint16_t port) = 0;

  // Readiness to be reported from now on. A fresh connection (either way) has writing off.
  virtual void SetReading(EndpointId endpoint, bool on) = 0;
  virtual void SetWriting(EndpointId endpoint, bool on) = 0;

  virtual ReadResult Read(EndpointId endpoint, char* buffer, size_t capacity) = 0;
  virtual WriteResult Write(EndpointId endpoint, absl::string_view bytes) = 0;

  // shutdown(2) of one side.
  virtual void ShutdownRead(EndpointId endpoint) = 0;
  virtual void ShutdownWrite(EndpointId endpoint) = 0;

  // close(2): unread bytes make it an RST, else a FIN after what is queued. The id is dead after.
  virtual void Close(EndpointId endpoint) = 0;

  virtual void SetNoDelay(EndpointId endpoint) = 0;

  virtual Address LocalAddress(EndpointId endpoint) const = 0;

  // UDP. An empty host and port 0 leave it unbound (IPv4).
  virtual absl::StatusOr<EndpointId> OpenUdp(const std::string& host, uint16_t port) = 0;
  virtual WriteResult SendTo(EndpointId endpoint, const Address& to, absl::string_view bytes) = 0;
  // NotFound: nothing there now.
  virtual absl::StatusOr<Datagram> ReceiveFrom(EndpointId endpoint) = 0;

  // Numeric addresses of a host name. NotFound "Name or service not known".
  virtual absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host) = 0;

  // Name of the machine, for cluster's own node name.
  virtual std::string HostName() const = 0;

  // Takes over a descriptor of the operating system (stdin) as a connection that Close() forgets
  // but does not close. Most transports have no such thing.
  virtual absl::StatusOr<EndpointId> Adopt(int /*descriptor*/) {
    return absl::UnimplementedError("bind is not available here");
  }

  // Index of the event that led to the callback now running (engine/platform/observer.h), for
  // transports that know: the arrival of a segment, a fault. 0 = not known.
  virtual uint64_t CurrentCause() const { return 0; }

  // Index of the event on whose behalf Write() and SendTo() are called from now on.
  virtual void SetCause(uint64_t cause) {}
};

}  // namespace skysim

#endif  // ENGINE_PLATFORM_TRANSPORT_H_
