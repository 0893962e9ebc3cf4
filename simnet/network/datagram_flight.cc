#include "simnet/network/datagram_flight.h"

#include <algorithm>
#include <utility>

#include "simnet/network/host_transport.h"

namespace skysim {

DatagramFlight::DatagramFlight(Fabric& fabric, uint64_t serial, Link& link, const Host& from,
                               Host& to, Address to_address, Datagram datagram)
    : fabric_(fabric),
      serial_(serial),
      link_(link),
      from_(from),
      to_(to),
      to_address_(std::move(to_address)),
      datagram_(std::move(datagram)),
      epoch_(link.epoch()),
      sent_ns_(fabric.events.NowNs()) {}

DatagramFlight::~DatagramFlight() {
  fabric_.events.Cancel(ticket_);
  if (is_kept_) link_.Forget(this);
}

void DatagramFlight::Launch(int64_t arrival_ns) {
  arrival_ns_ = arrival_ns;
  ticket_ = fabric_.events.Schedule(arrival_ns, this, 0);
}

void DatagramFlight::OnReleased(const Pieces& pieces) {
  is_kept_ = false;
  Launch(fabric_.events.NowNs() + (pieces.is_joined() ? 0 : turn_));
}

// It is neither on its way nor kept.
void DatagramFlight::Stop() {
  fabric_.events.Cancel(std::exchange(ticket_, 0));
  if (std::exchange(is_kept_, false)) link_.Forget(this);
}

bool DatagramFlight::DeliverNow() {
  Stop();
  is_kept_by_hand_ = false;
  is_free_ = true;
  Launch(fabric_.events.NowNs());
  return true;
}

bool DatagramFlight::Drop() {
  fabric_.RemoveDatagram(serial_);
  return true;
}

bool DatagramFlight::Keep() {
  Stop();
  is_kept_by_hand_ = true;
  has_crossed_ = has_crossed_ || !link_.HasLost(epoch_);
  return true;
}

bool DatagramFlight::LetGo() {
  if (!std::exchange(is_kept_by_hand_, false)) return true;
  Launch(std::max(arrival_ns_, fabric_.events.NowNs()));
  return true;
}

void DatagramFlight::Happen(uint64_t) {
  ticket_ = 0;
  const bool is_lost = !has_crossed_ && link_.HasLost(epoch_);
  if (!is_lost && link_.is_held() && !is_free_) {
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
