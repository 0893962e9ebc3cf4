#ifndef SIMNET_NETWORK_HOST_H_
#define SIMNET_NETWORK_HOST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/platform/observer.h"
#include "simnet/time/event_queue.h"

namespace skysim {

class HostTransport;

// "10.0.0.1", "::1": a numeric IPv4 or IPv6 address.
bool IsIpLiteral(const std::string& text);

// Host is one machine of the simulated network, as far as it outlives the node that runs on it: its
// names, its power, its port counter. While a node runs it has a transport. Lives as long as the
// network. One thread.
class Host final : public Happening {
 public:
  Host(uint32_t id, std::string name, std::string ip);
  ~Host() override;

  const uint32_t id;  // in order of adding
  const std::string name, ip;
  bool is_up = true;  // powered: a kernel answers
  // How the process that runs here is limited and held up.
  size_t descriptors_max = 0;   // of its sockets; 0: no limit
  int64_t accept_delay_ns = 0;  // from the end of a handshake until it accepts
  bool is_stalled = false;      // its socket thread does nothing
  std::unique_ptr<HostTransport> transport;  // null: no node runs
  Observer* observer = nullptr;              // of the running node

  // The next port of the dynamic range (RFC 6335: 49152 and up), round and round.
  uint16_t TakePort();
  // Ids count up over all lives of the host, so that a stale one never hits a new endpoint.
  uint64_t TakeEndpointSequence() { return ++endpoint_sequence_; }

  // An endpoint asked to be looked at again. The host takes it because it outlives transports.
  void Happen(uint64_t endpoint) override;

 private:
  uint32_t next_port_ = 0;
  uint64_t endpoint_sequence_ = 0;
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_HOST_H_
