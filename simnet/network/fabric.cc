#include "simnet/network/fabric.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "simnet/network/connection.h"
#include "simnet/network/datagram_flight.h"

namespace skysim {
namespace {

// A host to itself: what a wake-up through the loopback device takes.
constexpr int64_t kLoopbackDelayNs = 20'000;
constexpr uint32_t kLoopbackMssBytes = 65536;

// RFC 791: each fragment has a header of 20 bytes, and all but the last carry a multiple of 8. The
// datagram's own header, 8 bytes, travels with it.
uint64_t Fragments(uint64_t datagram_bytes, uint32_t mtu_bytes) {
  if (datagram_bytes + 28 <= mtu_bytes) return 1;
  const uint64_t room = std::max<uint64_t>((mtu_bytes - std::min(mtu_bytes, 20u)) / 8 * 8, 8);
  return (datagram_bytes + 8 + room - 1) / room;
}

}  // namespace

Fabric::Fabric(ChoiceSource& choices, EventQueue& events) : choices(choices), events(events) {
  self_link_.delay.min_ns = self_link_.delay.max_ns = kLoopbackDelayNs;
  self_link_.mss_bytes = self_link_.mtu_bytes = kLoopbackMssBytes;
}

Fabric::~Fabric() = default;

Host& Fabric::AddHost(const std::string& name, const std::string& ip) {
  hosts_.push_back(std::make_unique<Host>(static_cast<uint32_t>(hosts_.size()), name, ip));
  Host& host = *hosts_.back();
  by_name_[name] = &host;
  by_ip_[ip] = &host;
  return host;
}

Host* Fabric::FindHostByName(absl::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

Host* Fabric::FindHostByIp(absl::string_view ip) const {
  const auto found = by_ip_.find(ip);
  return found == by_ip_.end() ? nullptr : found->second;
}

Link& Fabric::LinkOf(const Host& from, const Host& to) {
  std::unique_ptr<Link>& link = links_[uint64_t{from.id} << 32 | to.id];
  if (link == nullptr) {
    link = std::make_unique<Link>(absl::StrCat(from.name, ">", to.name),
                                  &from == &to ? self_link_ : default_link);
  }
  return *link;
}

std::vector<Link*> Fabric::Links() const {
  std::vector<std::pair<uint64_t, Link*>> sorted;
  for (const auto& [ids, link] : links_) sorted.push_back({ids, link.get()});
  std::sort(sorted.begin(), sorted.end());  // by ids, which differ
  std::vector<Link*> links;
  for (const auto& [ids, link] : sorted) links.push_back(link);
  return links;
}

Connection& Fabric::Connect(Host& from, Host& to, const Address& from_address,
                            const Address& to_address, EndpointId endpoint) {
  const uint64_t serial = ++serial_;
  const uint64_t number = LinkOf(from, to).connects++;
  std::unique_ptr<Connection>& connection = connections_[serial];
  connection = std::make_unique<Connection>(*this, serial, number, from, to, from_address,
                                            to_address, endpoint);
  return *connection;
}

void Fabric::Remove(uint64_t serial) { events.Schedule(events.NowNs(), this, serial); }

void Fabric::Happen(uint64_t serial) { connections_.erase(serial); }

LinkStreams& Fabric::DatagramStreamsOf(const Link& link) {
  std::unique_ptr<LinkStreams>& streams = datagram_streams_[&link];
  if (streams == nullptr) streams = std::make_unique<LinkStreams>(choices, link.name(), "udp");
  return *streams;
}

void Fabric::SendDatagram(Host& from, Host& to, const Address& from_address,
                          const Address& to_address, absl::string_view bytes) {
  Link& link = LinkOf(from, to);
  LinkStreams& streams = DatagramStreamsOf(link);
  const LinkConfig& config = link.config();
  const int64_t now_ns = events.NowNs();
  if (link.IsFull(now_ns, bytes.size())) return;
  const int64_t left_ns = link.Transmit(now_ns, bytes.size());
  // A datagram is lost if any of its fragments is.
  bool is_lost = link.ShouldLose(streams);
  for (uint64_t i = Fragments(bytes.size(), config.mtu_bytes); i > 1; --i) {
    is_lost |= link.ShouldLoseFragment(streams);
  }
  if (link.is_partitioned() || is_lost) return;
  const int copies = streams.ShouldDuplicate(config.duplicate) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    int64_t delay_ns = streams.ChooseDelayNs(config);
    // Late by another delay and a millisecond: datagrams sent within that time overtake it.
    if (streams.ShouldReorder(config.reorder)) delay_ns += config.delay.min_ns + 1'000'000;
    const uint64_t serial = ++serial_;
    std::unique_ptr<DatagramFlight>& flight = datagrams_[serial];
    flight = std::make_unique<DatagramFlight>(*this, serial, link, from, to, to_address,
                                              Datagram{from_address, std::string(bytes)});
    flight->Launch(left_ns + delay_ns);
  }
}

void Fabric::RemoveDatagram(uint64_t serial) { datagrams_.erase(serial); }

std::map<uint64_t, DatagramFlight*> Fabric::Datagrams() const {
  std::map<uint64_t, DatagramFlight*> sorted;
  for (const auto& [serial, flight] : datagrams_) sorted[serial] = flight.get();
  return sorted;
}

DatagramFlight* Fabric::FindDatagram(uint64_t serial) const {
  const auto found = datagrams_.find(serial);
  return found == datagrams_.end() ? nullptr : found->second.get();
}

}  // namespace skysim
