#include "simnet/live/loopback_transport.h"

#include <utility>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace skysim {
namespace {

constexpr size_t kNodesMax = 250;

// Of a reserved block that no machine routes (RFC 1112, class E): connecting to it fails at once.
constexpr char kNowhere[] = "240.0.0.1";

// 127.0.x.y is where other programs of the machine listen.
std::string AddressOf(uint32_t run, size_t number) {
  return absl::StrCat("127.", 1 + run / 254 % 254, ".", 1 + run % 254, ".", number);
}

}  // namespace

std::string LoopbackMap::ClaimAddress() const { return AddressOf(run_, kNodesMax + 1); }

absl::Status LoopbackMap::Add(const std::string& name, const std::string& ip) {
  size_t number = ip_by_loopback_.size() + 1;
  if (number > kNodesMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("more than ", kNodesMax, " nodes do not fit on real sockets"));
  }
  std::string loopback = AddressOf(run_, number);
  loopback_by_host_[name] = loopback;
  loopback_by_host_[ip] = loopback;
  ip_by_loopback_[loopback] = ip;
  return absl::OkStatus();
}

const std::string* LoopbackMap::Find(const std::string& host) const {
  auto found = loopback_by_host_.find(host);
  return found == loopback_by_host_.end() ? nullptr : &found->second;
}

std::string LoopbackMap::IpOf(const std::string& loopback) const {
  auto found = ip_by_loopback_.find(loopback);
  return found == ip_by_loopback_.end() ? loopback : found->second;
}

LoopbackTransport::LoopbackTransport(Transport& sockets, const LoopbackMap& map, std::string name)
    : sockets_(sockets), map_(map), name_(std::move(name)) {
  CHECK(map_.Find(name_) != nullptr) << name_;
}

bool LoopbackTransport::IsOwn(absl::string_view host) const {
  return host.empty() || host == "0.0.0.0" || host == "::" || host == "::1" ||
         host == "localhost" || absl::StartsWith(host, "127.");
}

std::string LoopbackTransport::Inward(const std::string& host) const {
  const std::string* loopback = map_.Find(IsOwn(host) ? name_ : host);
  return loopback == nullptr ? kNowhere : *loopback;
}

Address LoopbackTransport::Outward(const Address& address) const {
  return Address{map_.IpOf(address.host), address.port};
}

void LoopbackTransport::SetSink(TransportSink* sink) {
  sink_ = sink;
  sockets_.SetSink(this);
}

absl::StatusOr<Transport::Listening> LoopbackTransport::Listen(const std::string& host,
                                                               uint16_t port, int backlog) {
  if (!IsOwn(host) && Inward(host) != Inward(name_)) {
    return absl::InvalidArgumentError("Cannot assign requested address");
  }
  absl::StatusOr<Listening> listening = sockets_.Listen(Inward(name_), port, backlog);
  if (!listening.ok()) return listening;
  listening->address = IsOwn(host)
                           ? Address{host.empty() ? "0.0.0.0" : host, listening->address.port}
                           : Outward(listening->address);
  return listening;
}

absl::StatusOr<Transport::Accepted> LoopbackTransport::Accept(EndpointId listener) {
  absl::StatusOr<Accepted> accepted = sockets_.Accept(listener);
  if (accepted.ok()) accepted->peer = Outward(accepted->peer);
  return accepted;
}

EndpointId LoopbackTransport::Connect(const std::string& host, uint16_t port) {
  return sockets_.Connect(Inward(host), port);
}

Address LoopbackTransport::LocalAddress(EndpointId endpoint) const {
  return Outward(sockets_.LocalAddress(endpoint));
}

absl::StatusOr<EndpointId> LoopbackTransport::OpenUdp(const std::string& host, uint16_t port) {
  if (!IsOwn(host) && Inward(host) != Inward(name_)) {
    return absl::InvalidArgumentError("Cannot assign requested address");
  }
  // Bound in any case: unbound, it would send from another address than the node's.
  return sockets_.OpenUdp(Inward(name_), port);
}

WriteResult LoopbackTransport::SendTo(EndpointId endpoint, const Address& to,
                                      absl::string_view bytes) {
  return sockets_.SendTo(endpoint, Address{Inward(to.host), to.port}, bytes);
}

absl::StatusOr<Datagram> LoopbackTransport::ReceiveFrom(EndpointId endpoint) {
  absl::StatusOr<Datagram> datagram = sockets_.ReceiveFrom(endpoint);
  if (datagram.ok()) datagram->from = Outward(datagram->from);
  return datagram;
}

absl::StatusOr<std::vector<std::string>> LoopbackTransport::ResolveHost(const std::string& host) {
  if (IsOwn(host)) return std::vector<std::string>{host == "localhost" ? "127.0.0.1" : host};
  const std::string* loopback = map_.Find(host);
  if (loopback == nullptr) return absl::NotFoundError("Name or service not known");
  return std::vector<std::string>{map_.IpOf(*loopback)};
}

void LoopbackTransport::OnConnected(EndpointId endpoint, const Address& peer) {
  sink_->OnConnected(endpoint, Outward(peer));
}

void LoopbackTransport::OnConnectFailed(EndpointId endpoint, absl::string_view error) {
  sink_->OnConnectFailed(endpoint, error);
}

void LoopbackTransport::OnBroken(EndpointId endpoint, absl::string_view error) {
  sink_->OnBroken(endpoint, error);
}

}  // namespace skysim
