#include "simnet/network/network.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "simnet/network/connection.h"
#include "simnet/network/fabric.h"
#include "simnet/network/host_transport.h"
#include "simnet/network/in_flight.h"

namespace skysim {

class Network::Impl final {
 public:
  Impl(ChoiceSource& choices, EventQueue& events) : fabric(choices, events) {}

  Host& HostNamed(const std::string& name) {
    Host* host = fabric.FindHostByName(name);
    CHECK(host != nullptr) << "no host is called " << name;
    return *host;
  }

  absl::StatusOr<Link*> LinkNamed(const std::string& from, const std::string& to) {
    for (const std::string& name : {from, to}) {
      if (fabric.FindHostByName(name) == nullptr) {
        return absl::InvalidArgumentError(absl::StrCat("no host is called \"", name, "\""));
      }
    }
    return &fabric.LinkOf(HostNamed(from), HostNamed(to));
  }

  // The connections that use the link, either way.
  void WatchSilenceOf(const Link& link) {
    for (const auto& [serial, connection] : fabric.connections()) {
      for (int direction : {0, 1}) {
        if (&connection->PipeOf(direction).link() == &link) connection->WatchSilence();
      }
    }
  }

  Fabric fabric;
  InFlight in_flight{fabric};
};

Network::Network(ChoiceSource& choices, EventQueue& events)
    : impl_(std::make_unique<Impl>(choices, events)) {}

Network::~Network() = default;

// -- Hosts ----------------------------------------------------------------------------------------

absl::Status Network::AddHost(const std::string& name, const std::string& ip) {
  if (name.empty() || IsIpLiteral(name) || name == "localhost") {
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" cannot be a host's name"));
  }
  if (impl_->fabric.FindHostByName(name) != nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("host \"", name, "\" is there already"));
  }
  if (!IsIpLiteral(ip)) {
    return absl::InvalidArgumentError(
        absl::StrCat("host \"", name, "\": \"", ip, "\" is no IPv4 or IPv6 address"));
  }
  if (const Host* other = impl_->fabric.FindHostByIp(ip)) {
    return absl::InvalidArgumentError(
        absl::StrCat("host \"", name, "\": ", ip, " belongs to \"", other->name, "\""));
  }
  impl_->fabric.AddHost(name, ip);
  return absl::OkStatus();
}

SimulatedTransport& Network::StartHost(const std::string& name, Observer& observer) {
  Host& host = impl_->HostNamed(name);
  CHECK(host.transport == nullptr) << name << " runs already";
  host.is_up = true;
  host.is_stalled = false;
  host.observer = &observer;
  host.transport = std::make_unique<HostTransport>(impl_->fabric, host);
  return *host.transport;
}

void Network::StopHost(const std::string& name, bool is_power_off) {
  Host& host = impl_->HostNamed(name);
  host.observer = nullptr;
  if (host.transport != nullptr && !is_power_off) host.transport->CloseAll();
  host.transport = nullptr;
  if (!is_power_off) return;
  host.is_up = false;
  for (const auto& [serial, connection] : impl_->fabric.connections()) {
    for (int side : {0, 1}) {
      if (&connection->HostOf(side) == &host) connection->PowerOff(side);
    }
  }
}

void Network::PauseHost(const std::string& name) { impl_->HostNamed(name).transport->Pause(); }

void Network::ResumeHost(const std::string& name) { impl_->HostNamed(name).transport->Resume(); }

absl::Status Network::LimitDescriptors(const std::string& name, size_t count) {
  const absl::StatusOr<Link*> self = impl_->LinkNamed(name, name);
  if (self.ok()) impl_->HostNamed(name).descriptors_max = count;
  return self.status();
}

absl::Status Network::SetAcceptDelay(const std::string& name, int64_t delay_ns) {
  const absl::StatusOr<Link*> self = impl_->LinkNamed(name, name);
  if (self.ok()) impl_->HostNamed(name).accept_delay_ns = delay_ns;
  return self.status();
}

absl::Status Network::StallSockets(const std::string& name, bool on) {
  const absl::StatusOr<Link*> self = impl_->LinkNamed(name, name);
  if (!self.ok()) return self.status();
  Host& host = impl_->HostNamed(name);
  host.is_stalled = on;
  if (!on && host.transport != nullptr) host.transport->WakeDeferred();
  return absl::OkStatus();
}

// -- Links ----------------------------------------------------------------------------------------

LinkConfig& Network::DefaultLink() { return impl_->fabric.default_link; }

absl::Status Network::SetLink(const std::string& from, const std::string& to,
                              const LinkConfig& config) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (link.ok()) (*link)->SetConfig(config);
  return link.status();
}

absl::StatusOr<LinkConfig> Network::GetLink(const std::string& from, const std::string& to) const {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (!link.ok()) return link.status();
  return (*link)->config();
}

absl::Status Network::Partition(const std::string& from, const std::string& to) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (!link.ok()) return link.status();
  (*link)->Partition();
  impl_->WatchSilenceOf(**link);
  return absl::OkStatus();
}

absl::Status Network::Heal(const std::string& from, const std::string& to) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (!link.ok() || !(*link)->is_partitioned()) return link.status();
  (*link)->Heal();
  impl_->WatchSilenceOf(**link);
  return absl::OkStatus();
}

absl::Status Network::Hold(const std::string& from, const std::string& to) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (link.ok()) (*link)->Hold();
  return link.status();
}

absl::Status Network::Release(const std::string& from, const std::string& to,
                              const Pieces& pieces) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (link.ok()) (*link)->Release(pieces);
  return link.status();
}

absl::Status Network::Cut(const std::string& from, const std::string& to,
                          std::vector<uint64_t> lengths) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (link.ok()) (*link)->Cut(std::move(lengths));
  return link.status();
}

absl::StatusOr<uint64_t> Network::HeldBytes(const std::string& from, const std::string& to) const {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (!link.ok()) return link.status();
  return (*link)->HeldBytes();
}

// -- Messages in flight -------------------------------------------------------------------------

std::vector<MessageInFlight> Network::ListInFlight() { return impl_->in_flight.List(); }

absl::Status Network::Deliver(uint64_t id) { return impl_->in_flight.Deliver(id); }

absl::Status Network::Drop(uint64_t id) { return impl_->in_flight.Drop(id); }

absl::Status Network::HoldMessage(uint64_t id) { return impl_->in_flight.Hold(id); }

absl::Status Network::ReleaseMessage(uint64_t id) { return impl_->in_flight.Release(id); }

// -- Connections ----------------------------------------------------------------------------------

absl::StatusOr<int> Network::ResetConnections(const std::string& from, const std::string& to) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (!link.ok()) return link.status();
  int count = 0;
  for (const auto& [serial, connection] : impl_->fabric.connections()) {
    const bool is_theirs =
        connection->HostOf(0).name == from && connection->HostOf(1).name == to;
    if (is_theirs && connection->Reset()) ++count;
  }
  return count;
}

absl::Status Network::SetConnectRule(const std::string& from, const std::string& to,
                                     ConnectRule rule) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (link.ok()) (*link)->connect_rule = rule;
  return link.status();
}

absl::Status Network::ForgetIdle(const std::string& from, const std::string& to, int64_t idle_ns,
                                 bool resets) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (!link.ok()) return link.status();
  const absl::StatusOr<Link*> back = impl_->LinkNamed(to, from);
  (*link)->flow_rule = {idle_ns, resets, impl_->fabric.events.NowNs()};
  (*link)->has_middle_box = (*back)->has_middle_box = true;
  impl_->WatchSilenceOf(**link);
  return absl::OkStatus();
}

absl::Status Network::DelayConnects(const std::string& from, const std::string& to,
                                    int64_t delay_ns, int count) {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (!link.ok()) return link.status();
  (*link)->connect_delay_ns = delay_ns;
  (*link)->connects_delayed = count;
  return absl::OkStatus();
}

std::vector<Network::ConnectionInfo> Network::Connections() const {
  std::vector<ConnectionInfo> infos;
  for (const auto& [serial, connection] : impl_->fabric.connections()) {
    infos.push_back({serial, connection->HostOf(0).name, connection->HostOf(1).name,
                     connection->LocalAddress(0), connection->LocalAddress(1),
                     connection->StateName(), connection->BytesUnderWay(0),
                     connection->BytesUnderWay(1)});
  }
  return infos;
}

absl::StatusOr<int> Network::AcceptedConnections(const std::string& from,
                                                 const std::string& to) const {
  const absl::StatusOr<Link*> link = impl_->LinkNamed(from, to);
  if (!link.ok()) return link.status();
  return (*link)->accepted;
}

// -- Calm -----------------------------------------------------------------------------------------

void Network::CalmDown() {
  for (Link* link : impl_->fabric.Links()) {
    link->Heal();
    if (link->is_held()) link->Release(Pieces());
    link->connect_rule = ConnectRule::kAllow;
    link->connects_delayed = 0;
  }
  for (const MessageInFlight& message : ListInFlight()) {
    if (message.is_held) ReleaseMessage(message.id).IgnoreError();  // its link may have let it go
  }
  for (const std::unique_ptr<Host>& host : impl_->fabric.hosts()) {
    if (host->is_stalled) StallSockets(host->name, false).IgnoreError();
  }
}

int Network::ResetHalfDead() {
  int count = 0;
  for (const auto& [serial, connection] : impl_->fabric.connections()) {
    if (connection->IsHalfDead() && connection->Reset()) ++count;
  }
  return count;
}

}  // namespace skysim
