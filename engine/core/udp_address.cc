#include "engine/core/udp_address.h"

#include <arpa/inet.h>

#include <cstdint>

namespace skysim {

namespace {

constexpr char kFamilyIpv4 = 1;
constexpr char kFamilyIpv6 = 2;
constexpr size_t kHeaderBytes = 3;  // family, port
constexpr size_t kIpv4Bytes = 4;
constexpr size_t kIpv6Bytes = 16;

}  // namespace

size_t PackedUdpAddressSize(char family) {
  if (family == kFamilyIpv4) return kHeaderBytes + kIpv4Bytes;
  if (family == kFamilyIpv6) return kHeaderBytes + kIpv6Bytes;
  return 0;
}

std::optional<std::string> PackUdpAddress(const Address& address) {
  char raw[kIpv6Bytes];
  char family;
  // inet_pton and inet_ntop are pure conversions; they ask no resolver.
  if (inet_pton(AF_INET, address.host.c_str(), raw) == 1) {
    family = kFamilyIpv4;
  } else if (inet_pton(AF_INET6, address.host.c_str(), raw) == 1) {
    family = kFamilyIpv6;
  } else {
    return std::nullopt;
  }
  std::string packed = {family, static_cast<char>(address.port >> 8),
                        static_cast<char>(address.port & 0xff)};
  packed.append(raw, PackedUdpAddressSize(family) - kHeaderBytes);
  return packed;
}

std::optional<Address> UnpackUdpAddress(absl::string_view packed) {
  if (packed.empty() || packed.size() != PackedUdpAddressSize(packed[0])) return std::nullopt;
  char text[INET6_ADDRSTRLEN];
  int family = packed[0] == kFamilyIpv4 ? AF_INET : AF_INET6;
  inet_ntop(family, packed.data() + kHeaderBytes, text, sizeof(text));
  auto byte = [&](size_t i) { return static_cast<uint8_t>(packed[i]); };
  return Address{text, static_cast<uint16_t>(byte(1) << 8 | byte(2))};
}

}  // namespace skysim
