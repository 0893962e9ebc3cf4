#include "simnet/network/host.h"

#include <arpa/inet.h>

#include <utility>

#include "simnet/network/host_transport.h"

namespace skysim {
namespace {

constexpr uint32_t kDynamicPortMin = 49152;
constexpr uint32_t kDynamicPorts = 65536 - kDynamicPortMin;

}  // namespace

bool IsIpLiteral(const std::string& text) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, text.c_str(), address) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address) == 1;
}

Host::Host(uint32_t id, std::string name, std::string ip)
    : id(id), name(std::move(name)), ip(std::move(ip)) {}

Host::~Host() = default;

uint16_t Host::TakePort() {
  return static_cast<uint16_t>(kDynamicPortMin + next_port_++ % kDynamicPorts);
}

void Host::Happen(uint64_t endpoint) {
  if (transport != nullptr) transport->Wake(endpoint);
}

}  // namespace skysim
