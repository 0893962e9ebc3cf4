#ifndef SIMNET_NETWORK_DATAGRAM_FLIGHT_H_
#define SIMNET_NETWORK_DATAGRAM_FLIGHT_H_

#include <cstdint>

#include "engine/platform/transport.h"
#include "simnet/network/fabric.h"
#include "simnet/network/host.h"
#include "simnet/network/link.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// One UDP datagram on its way. Owned by the fabric until it has arrived or is lost. Its fragments
// travel as one. Left out: ICMP answers.
class DatagramFlight final : public Happening, private Holdable {
 public:
  DatagramFlight(Fabric& fabric, uint64_t serial, Link& link, const Host& from, Host& to,
                 Address to_address, Datagram datagram);
  ~DatagramFlight() override;

  void Launch(int64_t arrival_ns);

  const Host& from() const { return from_; }
  const Host& to() const { return to_; }
  uint64_t bytes() const { return datagram_.bytes.size(); }
  int64_t sent_ns() const { return sent_ns_; }
  int64_t arrival_ns() const { return arrival_ns_; }
  bool is_held() const { return is_kept_ || is_kept_by_hand_; }

  // What a story does to it (Network::Deliver() and so on). Always true: it is in flight.
  bool DeliverNow();
  bool Drop();  // destroys this object
  bool Keep();
  bool LetGo();

 private:
  void Happen(uint64_t argument) override;
  uint64_t HeldBytes() const override { return datagram_.bytes.size(); }
  void OnReleased(const Pieces& pieces) override;
  void Stop();

  Fabric& fabric_;
  const uint64_t serial_;
  Link& link_;
  const Host& from_;
  Host& to_;
  const Address to_address_;
  Datagram datagram_;
  const uint32_t epoch_;
  const int64_t sent_ns_;
  int64_t arrival_ns_ = 0;
  uint64_t ticket_ = 0;
  int64_t turn_ = 0;
  bool is_kept_ = false;      // by the held link, now
  bool is_kept_by_hand_ = false;
  bool is_free_ = false;      // no hold keeps it any more
  bool has_crossed_ = false;  // was kept: a partition cannot lose it any more
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_DATAGRAM_FLIGHT_H_
