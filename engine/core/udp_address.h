#ifndef ENGINE_CORE_UDP_ADDRESS_H_
#define ENGINE_CORE_UDP_ADDRESS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/platform/transport.h"

namespace skysim {

// A UDP address as services carry it about (network.md 1.8): 1 byte family (1 = IPv4, 2 = IPv6),
// 2 bytes port big-endian, 4 or 16 bytes address. Pure functions.

// Bytes of the packed address that begins with `family`; 0 for an unknown family.
size_t PackedUdpAddressSize(char family);

// nullopt: address.host is not an IPv4 or IPv6 literal.
std::optional<std::string> PackUdpAddress(const Address& address);

// nullopt: wrong family or length.
std::optional<Address> UnpackUdpAddress(absl::string_view packed);

}  // namespace skysim

#endif  // ENGINE_CORE_UDP_ADDRESS_H_
