#include "engine/os/socket_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"

namespace skysim {
namespace {

struct FreeAddressInfo {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddressInfo = std::unique_ptr<addrinfo, FreeAddressInfo>;

// getaddrinfo(3) for streams, so that each address comes once. Zero: `list` has the answer.
int GetAddressInfo(const std::string& host, int flags, AddressInfo* list) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  list->reset(found);
  return error;
}

SocketAddress CopyOf(const addrinfo& info) {
  SocketAddress address;
  std::memcpy(&address.storage, info.ai_addr, info.ai_addrlen);
  address.size = info.ai_addrlen;
  return address;
}

// The number of the network device is kept for link-local addresses, which mean nothing without.
std::string TextOf(const addrinfo& info) {
  char text[NI_MAXHOST];
  const int error = getnameinfo(info.ai_addr, info.ai_addrlen, text, sizeof(text), nullptr, 0,
                                NI_NUMERICHOST);
  return error == 0 ? text : ToAddress(CopyOf(info)).host;
}

void SetPort(SocketAddress& address, uint16_t port) {
  if (address.family() == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);
  }
}

absl::Status LookUpError(int error, int error_number) {
  switch (error) {
    case EAI_SYSTEM: return SocketError(error_number);
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
      return absl::NotFoundError(gai_strerror(error));
    case EAI_MEMORY: return absl::ResourceExhaustedError(gai_strerror(error));
    default: return absl::UnavailableError(gai_strerror(error));
  }
}

}  // namespace

std::optional<SocketAddress> ParseSocketAddress(const std::string& host, uint16_t port) {
  SocketAddress address;
  auto* ipv4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &ipv4->sin_addr) == 1) {
    ipv4->sin_family = AF_INET;
    address.size = sizeof(*ipv4);
    SetPort(address, port);
    return address;
  }
  auto* ipv6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, host.c_str(), &ipv6->sin6_addr) == 1) {
    ipv6->sin6_family = AF_INET6;
    address.size = sizeof(*ipv6);
    SetPort(address, port);
    return address;
  }
  if (!absl::StrContains(host, '%')) return std::nullopt;
  AddressInfo list;
  if (GetAddressInfo(host, AI_NUMERICHOST, &list) != 0) return std::nullopt;
  address = CopyOf(*list);
  SetPort(address, port);
  return address;
}

Address ToAddress(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN];
  if (address.family() == AF_INET) {
    const auto* ipv4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    return {inet_ntop(AF_INET, &ipv4->sin_addr, text, sizeof(text)), ntohs(ipv4->sin_port)};
  }
  if (address.family() == AF_INET6) {
    const auto* ipv6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    return {inet_ntop(AF_INET6, &ipv6->sin6_addr, text, sizeof(text)), ntohs(ipv6->sin6_port)};
  }
  return {};
}

Address LocalAddressOf(int descriptor) {
  SocketAddress address;
  if (getsockname(descriptor, address.get(), &address.size) != 0) return {};
  return ToAddress(address);
}

Address PeerAddressOf(int descriptor) {
  SocketAddress address;
  if (getpeername(descriptor, address.get(), &address.size) != 0) return {};
  return ToAddress(address);
}

absl::Status SocketError(int error_number) {
  const char* text = std::strerror(error_number);
  switch (error_number) {
    case EADDRINUSE: return absl::AlreadyExistsError(text);
    case EADDRNOTAVAIL: return absl::InvalidArgumentError(text);
    default: return absl::Status(absl::ErrnoToStatusCode(error_number), text);
  }
}

absl::StatusOr<std::vector<std::string>> LookUpHost(const std::string& host) {
  if (ParseSocketAddress(host, 0).has_value()) return std::vector<std::string>{host};
  AddressInfo list;
  const int error = GetAddressInfo(host, 0, &list);
  if (error != 0) return LookUpError(error, errno);
  std::vector<std::string> addresses;
  for (const addrinfo* info = list.get(); info != nullptr; info = info->ai_next) {
    if (info->ai_family != AF_INET && info->ai_family != AF_INET6) continue;
    std::string text = TextOf(*info);
    if (std::find(addresses.begin(), addresses.end(), text) == addresses.end()) {
      addresses.push_back(std::move(text));
    }
  }
  if (addresses.empty()) return absl::NotFoundError(gai_strerror(EAI_NONAME));
  return addresses;
}

}  // namespace skysim
