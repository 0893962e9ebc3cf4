#ifndef ENGINE_OS_SOCKET_ADDRESS_H_
#define ENGINE_OS_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/platform/transport.h"

namespace skysim {

// An address as the socket calls of the operating system take and give it.
struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = sizeof(sockaddr_storage);

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// "10.0.0.1", "::1", "fe80::1%eth0" and a port. Empty: `host` is a name, or nothing.
std::optional<SocketAddress> ParseSocketAddress(const std::string& host, uint16_t port);

// Without an IPv6 scope. Empty host: neither IPv4 nor IPv6.
Address ToAddress(const SocketAddress& address);

// Of one end of a socket; the empty address if it has none.
Address LocalAddressOf(int descriptor);
Address PeerAddressOf(int descriptor);

// The error of a socket call that failed with `error_number` (errno, > 0): strerror's text.
// AlreadyExists: EADDRINUSE. InvalidArgument: EADDRNOTAVAIL. ResourceExhausted: no descriptor or
// memory left.
absl::Status SocketError(int error_number);

// Numeric addresses of a host name, in the order in which to try them; a literal is its own
// address. Asks the system's resolver (getaddrinfo(3)), and waits for name servers. Any thread.
// Errors have the text of gai_strerror(3): NotFound "Name or service not known", Unavailable
// "Temporary failure in name resolution".
absl::StatusOr<std::vector<std::string>> LookUpHost(const std::string& host);

}  // namespace skysim

#endif  // ENGINE_OS_SOCKET_ADDRESS_H_
