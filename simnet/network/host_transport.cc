#include "simnet/network/host_transport.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/match.h"

// An endpoint id is a sequence number of the host above the index of a slot: never used twice,
// found without a hash. A pointer into endpoints_ dies with the next endpoint made, and so with
// every call of the sink: after one the endpoint is looked up again.

namespace skysim {
namespace {

constexpr int kSlotBits = 20;
constexpr uint64_t kSlotMask = (uint64_t{1} << kSlotBits) - 1;

// A poller that finds an endpoint still ready comes round again after about a microsecond; time
// must move, or a sink that never reads would stop it.
constexpr int64_t kPollAgainNs = 1000;

// Linux: an address of the local network that nobody has fails when ARP gives up, after three
// requests one second apart (EHOSTUNREACH).
constexpr int64_t kNoRouteNs = 3'000'000'000;

// Linux: net.core.somaxconn, and net.core.rmem_default for the queue of a UDP socket.
constexpr size_t kBacklogMax = 4096;
constexpr size_t kUdpQueuedBytesMax = 212'992;

// 65535 - 8 (UDP header) - 20 (IPv4 header).
constexpr size_t kDatagramBytesMax = 65'507;

constexpr char kTooManyFiles[] = "Too many open files";  // EMFILE
constexpr char kUnknownName[] = "Name or service not known";

bool IsAny(absl::string_view host) { return host.empty() || host == "0.0.0.0" || host == "::"; }

bool IsLoopback(absl::string_view host) {
  return absl::StartsWith(host, "127.") || host == "::1" || host == "localhost";
}

// What a datagram takes of its socket's queue. Linux counts memory, not bytes (skb->truesize): 256 of
// the sk_buff, and a buffer for the datagram with 59 of headers and alignment and 320 of
// skb_shared_info, which is 576 bytes or a power of two. Asked of Linux 6.18 over loopback by
// tools/ask_kernel; others differ by some per cent, and drivers by what they allocate.
size_t QueuedBytes(const Datagram& datagram) {
  const size_t needed = datagram.bytes.size() + 59 + 320;
  size_t buffer = 576;
  if (needed > buffer) {
    for (buffer = 1024; buffer < needed;) buffer *= 2;
  }
  return 256 + buffer;
}

bool Overlap(absl::string_view a, absl::string_view b) { return a == b || IsAny(a) || IsAny(b); }

}  // namespace

HostTransport::HostTransport(Fabric& fabric, Host& host) : fabric_(fabric), host_(host) {}

HostTransport::~HostTransport() { CHECK_EQ(calls_, 0) << host_.name << " stopped by its own sink"; }

// -- The table ------------------------------------------------------------------------------------

HostTransport::Endpoint* HostTransport::Find(EndpointId id) {
  const uint64_t slot = id & kSlotMask;
  if (slot >= endpoints_.size() || endpoints_[slot].id != id || id == 0) return nullptr;
  return &endpoints_[slot];
}

const HostTransport::Endpoint* HostTransport::Find(EndpointId id) const {
  return const_cast<HostTransport*>(this)->Find(id);
}

HostTransport::Endpoint& HostTransport::Add(Kind kind) {
  if (free_.empty()) {
    CHECK_LE(endpoints_.size(), kSlotMask) << "too many endpoints on " << host_.name;
    free_.push_back(static_cast<uint32_t>(endpoints_.size()));
    endpoints_.emplace_back();
  }
  const uint32_t slot = free_.back();
  free_.pop_back();
  Endpoint& endpoint = endpoints_[slot];
  endpoint = Endpoint();
  endpoint.id = host_.TakeEndpointSequence() << kSlotBits | slot;
  endpoint.kind = kind;
  if (kind != Kind::kFailing) ++descriptors_;
  return endpoint;
}

void HostTransport::Remove(Endpoint& endpoint) {
  const EndpointId id = endpoint.id;
  for (std::vector<EndpointId>* list : {&listeners_, &udp_sockets_}) {
    list->erase(std::remove(list->begin(), list->end(), id), list->end());
  }
  if (endpoint.kind != Kind::kFailing) --descriptors_;
  endpoint = Endpoint();
  free_.push_back(static_cast<uint32_t>(id & kSlotMask));
}

// -- Names and ports ------------------------------------------------------------------------------

absl::StatusOr<std::vector<std::string>> HostTransport::ResolveHost(const std::string& host) {
  if (host == "localhost") return std::vector<std::string>{"127.0.0.1"};
  if (IsIpLiteral(host)) return std::vector<std::string>{host};
  const Host* found = fabric_.FindHostByName(host);
  if (found == nullptr) return absl::NotFoundError(kUnknownName);
  return std::vector<std::string>{found->ip};
}

absl::StatusOr<std::string> HostTransport::BindableHost(const std::string& host) const {
  if (host.empty()) return std::string("0.0.0.0");
  if (host == "localhost") return std::string("127.0.0.1");
  if (IsAny(host) || IsLoopback(host) || host == host_.ip) return host;
  if (host == host_.name) return host_.ip;
  const bool is_known = IsIpLiteral(host) || fabric_.FindHostByName(host) != nullptr;
  if (!is_known) return absl::NotFoundError(kUnknownName);
  return absl::InvalidArgumentError("Cannot assign requested address");
}

bool HostTransport::IsPortTaken(Kind kind, const std::string& host, uint16_t port) const {
  for (EndpointId id : kind == Kind::kUdp ? udp_sockets_ : listeners_) {
    const Endpoint& other = *Find(id);
    const Address& address = kind == Kind::kUdp ? other.udp->address : other.listener->address;
    const bool is_bound = kind != Kind::kUdp || other.udp->is_bound;
    if (is_bound && address.port == port && Overlap(address.host, host)) return true;
  }
  return false;
}

uint16_t HostTransport::TakeFreePort(Kind kind, const std::string& host) {
  uint16_t port = host_.TakePort();
  while (IsPortTaken(kind, host, port)) port = host_.TakePort();
  return port;
}

// -- Listening ------------------------------------------------------------------------------------

absl::StatusOr<Transport::Listening> HostTransport::Listen(const std::string& host, uint16_t port,
                                                           int backlog) {
  absl::StatusOr<std::string> bound = BindableHost(host);
  if (!bound.ok()) return bound.status();
  if (!HasDescriptor()) return absl::ResourceExhaustedError(kTooManyFiles);
  if (port == 0) {
    port = TakeFreePort(Kind::kListener, *bound);
  } else if (IsPortTaken(Kind::kListener, *bound, port)) {
    return absl::AlreadyExistsError("Address already in use");
  }
  Endpoint& endpoint = Add(Kind::kListener);
  endpoint.listener = std::make_unique<Listener>();
  endpoint.listener->endpoint = endpoint.id;
  endpoint.listener->address = {*bound, port};
  // A negative backlog is a large unsigned one to the kernel.
  endpoint.listener->backlog = std::min(static_cast<size_t>(backlog), kBacklogMax);
  listeners_.push_back(endpoint.id);
  return Listening{endpoint.id, endpoint.listener->address};
}

absl::StatusOr<Transport::Accepted> HostTransport::Accept(EndpointId id) {
  Endpoint* listening = Find(id);
  if (listening == nullptr || listening->kind != Kind::kListener ||
      !IsReadable(*listening)) {
    return absl::NotFoundError("Resource temporarily unavailable");
  }
  Connection* connection = listening->listener->queue.front().connection;
  listening->listener->queue.pop_front();
  // With the descriptor that is kept in reserve, as transport.h says.
  if (!HasDescriptor()) {
    connection->Accept(0);
    connection->Close(1);
    return absl::ResourceExhaustedError(kTooManyFiles);
  }
  Endpoint& endpoint = Add(Kind::kStream);
  endpoint.connection = connection;
  endpoint.side = 1;
  connection->Accept(endpoint.id);
  return Accepted{endpoint.id, connection->PeerAddress(1)};
}

void HostTransport::OnEstablished(Listener& listener, Connection* connection) {
  const EndpointId id = listener.endpoint;
  const int64_t ready_ns = fabric_.events.NowNs() + host_.accept_delay_ns;
  listener.queue.push_back({connection, ready_ns});
  if (host_.accept_delay_ns == 0) return Poll(id);
  fabric_.events.Schedule(ready_ns, &host_, id);
}

HostTransport::Listener* HostTransport::FindListener(const Address& address) {
  for (EndpointId id : listeners_) {
    Listener* listener = Find(id)->listener.get();
    const Address& bound = listener->address;
    if (bound.port == address.port && (IsAny(bound.host) || bound.host == address.host)) {
      return listener;
    }
  }
  return nullptr;
}

HostTransport::Listener* HostTransport::FindListener(EndpointId id) {
  Endpoint* endpoint = Find(id);
  return endpoint == nullptr ? nullptr : endpoint->listener.get();
}

// -- Connecting -----------------------------------------------------------------------------------

EndpointId HostTransport::Connect(const std::string& host, uint16_t port) {
  const absl::StatusOr<std::vector<std::string>> resolved =
      ResolveHost(IsAny(host) ? "127.0.0.1" : host);
  if (!resolved.ok()) return FailLater(kUnknownName, 0);
  const std::string& ip = resolved->front();
  Host* to = IsLoopback(ip) ? &host_ : fabric_.FindHostByIp(ip);
  if (!HasDescriptor()) return FailLater(kTooManyFiles, 0);
  if (to == nullptr) return FailLater("No route to host", kNoRouteNs);
  Endpoint& endpoint = Add(Kind::kStream);
  endpoint.is_connecting = true;
  const Address from = {to == &host_ ? ip : host_.ip, TakeFreePort(Kind::kListener, "0.0.0.0")};
  const EndpointId id = endpoint.id;
  endpoint.connection = &fabric_.Connect(host_, *to, from, {ip, port}, id);
  endpoint.connection->Start();
  return id;
}

EndpointId HostTransport::FailLater(const char* error, int64_t delay_ns) {
  Endpoint& endpoint = Add(Kind::kFailing);
  endpoint.error = error;
  WakeAt(endpoint, fabric_.events.NowNs() + delay_ns);
  return endpoint.id;
}

void HostTransport::OnConnected(EndpointId id, const Address& peer) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr) return;
  if (IsHeldUp()) {
    endpoint->is_connect_untold = true;
    return Defer(*endpoint);
  }
  endpoint->is_connecting = false;
  endpoint->is_reading = true;
  current_cause_ = 0;
  ++calls_;
  sink_->OnConnected(id, peer);
  --calls_;
  if (Find(id) != nullptr) WakeSoon(id);
}

void HostTransport::OnConnectFailed(EndpointId id, const char* error) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr) return;
  if (IsHeldUp()) {
    if (endpoint->kind != Kind::kFailing) --descriptors_;
    endpoint->kind = Kind::kFailing;
    endpoint->connection = nullptr;  // its kernel forgets it
    endpoint->error = error;
    return Defer(*endpoint);
  }
  Remove(*endpoint);
  ++calls_;
  sink_->OnConnectFailed(id, error);
  --calls_;
}

// -- Readiness ------------------------------------------------------------------------------------

void HostTransport::Switch(EndpointId id, bool Endpoint::*direction, bool on) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr) return;
  endpoint->*direction = on;
  if (on) endpoint->has_told_break = false;
  const bool is_ready = direction == &Endpoint::is_reading ? IsReadable(*endpoint)
                                                           : IsWritable(*endpoint);
  if (on ? is_ready : HasBreakToTell(*endpoint)) WakeAt(*endpoint, fabric_.events.NowNs());
}

void HostTransport::SetReading(EndpointId id, bool on) { Switch(id, &Endpoint::is_reading, on); }

void HostTransport::SetWriting(EndpointId id, bool on) {
  const Endpoint* endpoint = Find(id);
  if (endpoint != nullptr && endpoint->kind == Kind::kStream) {
    endpoint->connection->SetWaitingForSpace(endpoint->side, on);
  }
  Switch(id, &Endpoint::is_writing, on);
}

bool HostTransport::IsReadable(const Endpoint& endpoint) const {
  switch (endpoint.kind) {
    case Kind::kStream:
      return !endpoint.is_connecting && endpoint.connection->IsReadable(endpoint.side);
    case Kind::kListener:
      return !endpoint.listener->queue.empty() &&
             endpoint.listener->queue.front().ready_ns <= fabric_.events.NowNs();
    case Kind::kUdp:
      return !endpoint.udp->queue.empty();
    case Kind::kFree:
    case Kind::kFailing:
      return false;
  }
  return false;
}

bool HostTransport::IsWritable(const Endpoint& endpoint) const {
  if (endpoint.kind == Kind::kUdp) return true;
  return endpoint.kind == Kind::kStream && !endpoint.is_connecting &&
         endpoint.connection->IsWritable(endpoint.side);
}

void HostTransport::Poll(EndpointId id) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr || sink_ == nullptr) return;
  if (IsHeldUp()) return Defer(*endpoint);
  const bool is_stream = endpoint->kind == Kind::kStream;
  current_cause_ = is_stream ? endpoint->connection->Cause(endpoint->side) : 0;
  ++calls_;
  if (!ReportBreak(id)) {
    if (endpoint->is_reading && IsReadable(*endpoint)) {
      if (endpoint->kind == Kind::kListener) {
        sink_->OnAcceptable(id);
      } else {
        sink_->OnReadable(id);
      }
      endpoint = Find(id);
    }
    if (endpoint != nullptr && endpoint->is_writing && IsWritable(*endpoint)) sink_->OnWritable(id);
  }
  --calls_;
  current_cause_ = 0;
  endpoint = Find(id);
  if (endpoint == nullptr) return;
  if ((endpoint->is_reading && IsReadable(*endpoint)) ||
      (endpoint->is_writing && IsWritable(*endpoint))) {
    WakeAt(*endpoint, fabric_.events.NowNs() + kPollAgainNs);
  }
}

// Linux, tcp_poll: POLLERR for a pending error, POLLHUP when both directions are over.
bool HostTransport::HasBreakToTell(const Endpoint& endpoint) const {
  if (endpoint.kind != Kind::kStream || endpoint.is_connecting) return false;
  const Connection& connection = *endpoint.connection;
  const bool has_error = connection.PendingError(endpoint.side) != nullptr;
  const bool is_asked = endpoint.is_reading || endpoint.is_writing;
  if (is_asked) return has_error && connection.HasSeenEnd(endpoint.side);
  return (has_error || connection.IsHungUp(endpoint.side)) && !endpoint.has_told_break;
}

// What poll(2) reports unasked. True if it did.
bool HostTransport::ReportBreak(EndpointId id) {
  Endpoint& endpoint = *Find(id);
  if (!HasBreakToTell(endpoint)) return false;
  endpoint.has_told_break = true;
  Connection& connection = *endpoint.connection;
  const char* error = connection.PendingError(endpoint.side);
  connection.ClearError(endpoint.side);
  sink_->OnBroken(id, error == nullptr ? "" : error);
  return true;
}

void HostTransport::WakeAt(Endpoint& endpoint, int64_t when_ns) {
  if (std::exchange(endpoint.is_wake_scheduled, true)) return;
  fabric_.events.Schedule(when_ns, &host_, endpoint.id);
}

void HostTransport::WakeSoon(EndpointId id) {
  Endpoint* endpoint = Find(id);
  if (endpoint != nullptr) WakeAt(*endpoint, fabric_.events.NowNs());
}

void HostTransport::Wake(EndpointId id) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr) return;
  endpoint->is_wake_scheduled = false;
  if (IsHeldUp()) return Defer(*endpoint);
  if (endpoint->kind == Kind::kFailing) return OnConnectFailed(id, endpoint->error);
  if (endpoint->is_connect_untold) return TellConnect(*endpoint);
  Poll(id);
}

// -- A pause --------------------------------------------------------------------------------------

void HostTransport::Resume() {
  is_paused_ = false;
  WakeDeferred();
}

void HostTransport::WakeDeferred() {
  if (IsHeldUp()) return;
  for (EndpointId id : std::exchange(deferred_, {})) {
    Endpoint* endpoint = Find(id);
    if (endpoint == nullptr) continue;
    endpoint->is_wake_scheduled = false;
    WakeAt(*endpoint, fabric_.events.NowNs());
  }
}

void HostTransport::Defer(Endpoint& endpoint) {
  if (!std::exchange(endpoint.is_wake_scheduled, true)) deferred_.push_back(endpoint.id);
}

// A program learns by getsockopt(SO_ERROR) how its connect ended: one that was reset since has
// failed, as far as it can see.
void HostTransport::TellConnect(Endpoint& endpoint) {
  endpoint.is_connect_untold = false;
  Connection& connection = *endpoint.connection;
  const char* error = connection.PendingError(endpoint.side);
  if (error == nullptr) return OnConnected(endpoint.id, connection.PeerAddress(endpoint.side));
  const int side = endpoint.side;
  const EndpointId id = endpoint.id;
  endpoint.connection = nullptr;
  connection.Close(side);
  OnConnectFailed(id, error);
}

// -- Streams --------------------------------------------------------------------------------------

ReadResult HostTransport::Read(EndpointId id, char* buffer, size_t capacity) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr || endpoint->kind != Kind::kStream || endpoint->is_connecting) return {};
  return endpoint->connection->Read(endpoint->side, buffer, capacity);
}

WriteResult HostTransport::Write(EndpointId id, absl::string_view bytes) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr || endpoint->kind != Kind::kStream || endpoint->is_connecting) return {};
  return endpoint->connection->Write(endpoint->side, bytes, cause_);
}

void HostTransport::ShutdownRead(EndpointId id) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr || endpoint->kind != Kind::kStream) return;
  endpoint->connection->ShutdownRead(endpoint->side);
  if (endpoint->is_reading || HasBreakToTell(*endpoint)) {
    WakeAt(*endpoint, fabric_.events.NowNs());
  }
}

void HostTransport::ShutdownWrite(EndpointId id) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr || endpoint->kind != Kind::kStream) return;
  endpoint->connection->ShutdownWrite(endpoint->side);
  if (HasBreakToTell(*endpoint)) WakeAt(*endpoint, fabric_.events.NowNs());
}

void HostTransport::Close(EndpointId id) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr) return;
  Connection* connection = endpoint->connection;
  const int side = endpoint->side;
  const std::unique_ptr<Listener> listener = std::move(endpoint->listener);
  if (listener == nullptr) {
    Remove(*endpoint);
    if (connection != nullptr) connection->Close(side);
    return;
  }
  Remove(*endpoint);
  for (const Listener::Waiting& waiting : listener->queue) waiting.connection->Abort(1);
}

void HostTransport::CloseAll() {
  for (size_t slot = 0; slot < endpoints_.size(); ++slot) {
    if (endpoints_[slot].kind != Kind::kFree) Close(endpoints_[slot].id);
  }
}

Address HostTransport::LocalAddress(EndpointId id) const {
  const Endpoint* endpoint = Find(id);
  if (endpoint == nullptr) return {};
  if (endpoint->connection != nullptr) return endpoint->connection->LocalAddress(endpoint->side);
  if (endpoint->listener != nullptr) return endpoint->listener->address;
  return endpoint->udp != nullptr ? endpoint->udp->address : Address();
}

// -- UDP ------------------------------------------------------------------------------------------

absl::StatusOr<EndpointId> HostTransport::OpenUdp(const std::string& host, uint16_t port) {
  absl::StatusOr<std::string> bound = BindableHost(host);
  if (!bound.ok()) return bound.status();
  if (!HasDescriptor()) return absl::ResourceExhaustedError(kTooManyFiles);
  const bool is_bound = !host.empty() || port != 0;
  if (is_bound && port == 0) port = TakeFreePort(Kind::kUdp, *bound);
  if (is_bound && IsPortTaken(Kind::kUdp, *bound, port)) {
    return absl::AlreadyExistsError("Address already in use");
  }
  Endpoint& endpoint = Add(Kind::kUdp);
  endpoint.udp = std::make_unique<Udp>();
  endpoint.udp->address = {*bound, port};
  endpoint.udp->is_bound = is_bound;
  udp_sockets_.push_back(endpoint.id);
  return endpoint.id;
}

WriteResult HostTransport::SendTo(EndpointId id, const Address& to, absl::string_view bytes) {
  WriteResult result;
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr || endpoint->kind != Kind::kUdp) return result;
  if (bytes.size() > kDatagramBytesMax) {
    result.error = "Message too long";
    return result;
  }
  Udp& udp = *endpoint->udp;
  if (!udp.is_bound) udp.address.port = TakeFreePort(Kind::kUdp, udp.address.host);
  udp.is_bound = true;
  Host* host = IsLoopback(to.host) ? &host_ : fabric_.FindHostByIp(to.host);
  Address from = udp.address;
  if (IsAny(from.host)) from.host = IsLoopback(to.host) ? to.host : host_.ip;
  if (host != nullptr) fabric_.SendDatagram(host_, *host, from, to, bytes);
  result.size = bytes.size();
  return result;
}

absl::StatusOr<Datagram> HostTransport::ReceiveFrom(EndpointId id) {
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr || endpoint->kind != Kind::kUdp || endpoint->udp->queue.empty()) {
    return absl::NotFoundError("Resource temporarily unavailable");
  }
  Udp& udp = *endpoint->udp;
  Datagram datagram = std::move(udp.queue.front());
  udp.queue.pop_front();
  udp.queued_bytes -= QueuedBytes(datagram);
  return datagram;
}

void HostTransport::ReceiveDatagram(const Address& to, Datagram datagram) {
  for (EndpointId id : udp_sockets_) {
    Udp& udp = *Find(id)->udp;
    const bool is_for_it = udp.is_bound && udp.address.port == to.port &&
                           (IsAny(udp.address.host) || udp.address.host == to.host);
    if (!is_for_it) continue;
    const size_t queued_bytes = udp.queued_bytes + QueuedBytes(datagram);
    if (queued_bytes > kUdpQueuedBytesMax) return;
    udp.queued_bytes = queued_bytes;
    udp.queue.push_back(std::move(datagram));
    return Poll(id);
  }
}

}  // namespace skysim
