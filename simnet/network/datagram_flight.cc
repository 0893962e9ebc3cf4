#include "simnet/network/datagram_flight.h"

#include <utility>

#include "simnet/network/host_transport.h"

namespace skysim {

DatagramFlight::DatagramFlight(Fabric& fabric, uint64_t serial, Link& link, Host& to,
                               Address to_address, Datagram datagram)
    : fabric_(fabric),
      serial_(serial),
      link_(link),
      to_(to),
      to_address_(std::move(to_address)),
      datagram_(std::move(datagram)),
      epoch_(link.epoch()) {}

DatagramFlight::~DatagramFlight() {
  fabric_.events.Cancel(ticket_);
  if (is_kept_) link_.Forget(this);
}

void DatagramFlight::Launch(int64_t arrival_ns) {
  ticket_ = fabric_.events.Schedule(arrival_ns, this, 0);
}

void DatagramFlight::OnReleased(bool as_one_chunk) {
  is_kept_ = false;
  Launch(fabric_.events.NowNs() + (as_one_chunk ? 0 : turn_));
}

void DatagramFlight::Happen(uint64_t) {
  ticket_ = 0;
  const bool is_lost = !has_crossed_ && link_.HasLost(epoch_);
  if (!is_lost && link_.is_held()) {
    is_kept_ = has_crossed_ = true;
    turn_ = link_.TakeTurn();
    return link_.Keep(this);
  }
  const Address to_address = to_address_;
  Datagram datagram = std::move(datagram_);
  Host& to = to_;
  fabric_.RemoveDatagram(serial_);  // destroys this object
  if (!is_lost && to.transport != nullptr) {
    to.transport->ReceiveDatagram(to_address, std::move(datagram));
  }
}

}  // namespace skysim
