#ifndef SIMNET_NETWORK_DATAGRAM_FLIGHT_H_
#define SIMNET_NETWORK_DATAGRAM_FLIGHT_H_

#include <cstdint>

#include "engine/platform/transport.h"
#include "simnet/network/fabric.h"
#include "simnet/network/host.h"
#include "simnet/network/link.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// One UDP datagram on its way. Owned by the fabric until it has arrived or is lost. Left out:
// fragmentation (a datagram is lost or not as a whole) and ICMP answers.
class DatagramFlight final : public Happening, private Holdable {
 public:
  DatagramFlight(Fabric& fabric, uint64_t serial, Link& link, Host& to, Address to_address,
                 Datagram datagram);
  ~DatagramFlight() override;

  void Launch(int64_t arrival_ns);

 private:
  void Happen(uint64_t argument) override;
  uint64_t HeldBytes() const override { return datagram_.bytes.size(); }
  void OnReleased(bool as_one_chunk) override;

  Fabric& fabric_;
  const uint64_t serial_;
  Link& link_;
  Host& to_;
  const Address to_address_;
  Datagram datagram_;
  const uint32_t epoch_;
  uint64_t ticket_ = 0;
  int64_t turn_ = 0;
  bool is_kept_ = false;      // by the held link, now
  bool has_crossed_ = false;  // was kept: a partition cannot lose it any more
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_DATAGRAM_FLIGHT_H_
