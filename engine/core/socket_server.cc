#include "engine/core/socket_server.h"

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/socket.h"
#include "engine/core/udp_address.h"

namespace skysim {

namespace {

constexpr size_t kSlots = 65536;
constexpr SocketId kIdMax = std::numeric_limits<SocketId>::max();

constexpr size_t kTextBytesMax = 128;

absl::Status AbandonedError() { return absl::UnavailableError("the node has crashed"); }

}  // namespace

// What a service asked for, on its way from the call to its effect.
struct SocketServer::Command {
  enum class Kind : uint8_t {
    kConnect, kAnnounce, kStart, kPause, kClose, kShutdown, kNoDelay, kSend, kSendLow, kSendTo,
    kSetPeer,
  };
  Kind kind;
  SocketId id;
  Handle caller = 0;
  uint64_t cause = 0;
  Payload data;
  Address address;  // kConnect, kAnnounce, kSendTo, kSetPeer
};

SocketServer::SocketServer(Transport& transport, Executor& executor, Memory& memory,
                           Observer& observer, const Clock& clock, SocketEventSink& sink,
                           Options options)
    : transport_(transport),
      executor_(executor),
      memory_(memory),
      observer_(observer),
      clock_(clock),
      sink_(sink),
      begin_ns_(clock.NowNs()),
      queue_bytes_max_(options.queue_bytes_max),
      next_id_(options.first_id) {
  CHECK_GT(next_id_, 0);
  transport_.SetSink(this);
}

SocketServer::SocketServer(Transport& transport, Executor& executor, Memory& memory,
                           Observer& observer, const Clock& clock, SocketEventSink& sink)
    : SocketServer(transport, executor, memory, observer, clock, sink, Options()) {}

SocketServer::~SocketServer() = default;

void SocketServer::Abandon() {
  absl::MutexLock lock(&mutex_);
  is_abandoned_ = true;
  by_endpoint_.clear();
  slots_.clear();
}

// -- Operations -----------------------------------------------------------------------------------

SocketId SocketServer::Connect(Handle owner, const std::string& host, uint16_t port,
                               uint64_t cause) {
  SocketId id;
  {
    absl::MutexLock lock(&mutex_);
    Socket* socket = Allocate(owner, State::kReserve);
    if (socket == nullptr) return -1;
    socket->reading = true;  // a connection reads from its beginning
    id = socket->id;
  }
  Submit({Command::Kind::kConnect, id, owner, cause, Payload(), Address{host, port}});
  return id;
}

absl::StatusOr<SocketId> SocketServer::Listen(Handle owner, const std::string& host, uint16_t port,
                                              int backlog, uint64_t cause) {
  auto failure = [](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("Listen error: ", status.message()));
  };
  executor_.Flush();
  SocketId id;
  Address local;
  {
    absl::MutexLock lock(&mutex_);
    if (is_abandoned_) return failure(AbandonedError());
    absl::StatusOr<Transport::Listening> listening = transport_.Listen(host, port, backlog);
    if (!listening.ok()) return failure(listening.status());
    absl::StatusOr<Socket*> socket = Install(owner, State::kListenIdle, listening->endpoint);
    if (!socket.ok()) return failure(socket.status());
    id = (*socket)->id;
    local = listening->address;
  }
  Submit({Command::Kind::kAnnounce, id, owner, cause, Payload(), std::move(local)});
  return id;
}

absl::StatusOr<SocketId> SocketServer::Bind(Handle owner, int descriptor, uint64_t cause) {
  SocketId id;
  {
    absl::MutexLock lock(&mutex_);
    if (is_abandoned_) return AbandonedError();
    absl::StatusOr<EndpointId> endpoint = transport_.Adopt(descriptor);
    if (!endpoint.ok()) return endpoint.status();
    absl::StatusOr<Socket*> socket = Install(owner, State::kBind, *endpoint);
    if (!socket.ok()) return socket.status();
    id = (*socket)->id;
    SetReading(**socket, true);
  }
  Submit({Command::Kind::kAnnounce, id, owner, cause, Payload(), Address()});
  return id;
}

void SocketServer::Start(Handle owner, SocketId id, uint64_t cause) {
  Submit({Command::Kind::kStart, id, owner, cause, Payload(), Address()});
}

void SocketServer::Pause(SocketId id, uint64_t cause) {
  Submit({Command::Kind::kPause, id, 0, cause, Payload(), Address()});
}

void SocketServer::Close(SocketId id, uint64_t cause) {
  Submit({Command::Kind::kClose, id, 0, cause, Payload(), Address()});
}

void SocketServer::Shutdown(SocketId id, uint64_t cause) {
  Submit({Command::Kind::kShutdown, id, 0, cause, Payload(), Address()});
}

void SocketServer::NoDelay(SocketId id, uint64_t cause) {
  Submit({Command::Kind::kNoDelay, id, 0, cause, Payload(), Address()});
}

bool SocketServer::Send(SocketId id, Payload data, uint64_t cause) {
  return SubmitSend({Command::Kind::kSend, id, 0, cause, std::move(data), Address()});
}

bool SocketServer::SendLow(SocketId id, Payload data, uint64_t cause) {
  return SubmitSend({Command::Kind::kSendLow, id, 0, cause, std::move(data), Address()});
}

absl::StatusOr<SocketId> SocketServer::Udp(Handle owner, const std::string& host, uint16_t port,
                                           uint64_t cause) {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<Socket*> socket = InstallUdp(owner, host, port, cause);
  if (!socket.ok()) return socket.status();
  return (*socket)->id;
}

absl::StatusOr<SocketId> SocketServer::UdpListen(Handle owner, const std::string& host,
                                                 uint16_t port, uint64_t cause) {
  if (port == 0) return absl::InvalidArgumentError("Invalid port");
  return Udp(owner, host, port, cause);
}

absl::StatusOr<SocketId> SocketServer::UdpDial(Handle owner, const std::string& host,
                                               uint16_t port, uint64_t cause) {
  absl::StatusOr<Address> peer = ResolveNumeric(host, port);
  if (!peer.ok()) return peer.status();
  bool is_ipv6 = absl::StrContains(peer->host, ':');
  absl::StatusOr<SocketId> id = Udp(owner, is_ipv6 ? "::" : "", 0, cause);
  if (!id.ok()) return id.status();
  Submit({Command::Kind::kSetPeer, *id, owner, cause, Payload(), *std::move(peer)});
  return id;
}

absl::Status SocketServer::UdpConnect(SocketId id, const std::string& host, uint16_t port,
                                      uint64_t cause) {
  absl::StatusOr<Address> peer = ResolveNumeric(host, port);
  if (!peer.ok()) return peer.status();
  Submit({Command::Kind::kSetPeer, id, 0, cause, Payload(), *std::move(peer)});
  return absl::OkStatus();
}

bool SocketServer::UdpSend(SocketId id, absl::string_view address, Payload data, uint64_t cause) {
  std::optional<Address> to = UnpackUdpAddress(address);
  if (!to.has_value()) return false;
  return SubmitSend({Command::Kind::kSendTo, id, 0, cause, std::move(data), *std::move(to)});
}

// Without the lock: it may wait for an answer of the network.
absl::StatusOr<std::vector<std::string>> SocketServer::Resolve(const std::string& host) {
  {
    absl::MutexLock lock(&mutex_);
    if (is_abandoned_) return AbandonedError();
  }
  return transport_.ResolveHost(host);
}

std::vector<SocketInfo> SocketServer::Info() const {
  auto type_of = [](const Socket& socket) {
    switch (socket.state) {
      case State::kReserve: return "UNKNOWN";
      case State::kListenIdle:
      case State::kListening: return "LISTEN";
      case State::kHalfCloseRead:
      case State::kHalfCloseWrite: return "CLOSING";
      case State::kBind: return "BIND";
      default: return socket.is_udp ? "UDP" : "TCP";
    }
  };
  executor_.Flush();  // who has just written finds its bytes counted
  std::vector<SocketInfo> all;
  absl::MutexLock lock(&mutex_);
  for (const std::unique_ptr<Socket>& slot : slots_) {
    if (slot == nullptr) continue;
    const Socket& s = *slot;
    Address address = s.peer;
    if (s.state == State::kListenIdle || s.state == State::kListening) {
      address = transport_.LocalAddress(s.endpoint);
    } else if (s.is_udp && address.host.empty()) {
      address = transport_.LocalAddress(s.endpoint);
    }
    all.push_back({s.id, s.owner, type_of(s), address.host.empty() ? "" : address.ToString(),
                   s.read_bytes, s.write_bytes, s.accepted, s.read_time_ns, s.write_time_ns,
                   s.queue.bytes(), s.reading, s.writing});
  }
  return all;
}

// -- Slots ----------------------------------------------------------------------------------------

SocketServer::Socket* SocketServer::Find(SocketId id) const {
  if (id <= 0) return nullptr;
  size_t slot = static_cast<size_t>(id) % kSlots;
  if (slot >= slots_.size()) return nullptr;
  Socket* socket = slots_[slot].get();
  return socket != nullptr && socket->id == id ? socket : nullptr;
}

SocketServer::Socket* SocketServer::FindEndpoint(EndpointId endpoint) const {
  auto found = by_endpoint_.find(endpoint);
  return found == by_endpoint_.end() ? nullptr : found->second;
}

SocketServer::Socket* SocketServer::Allocate(Handle owner, State state) {
  if (is_abandoned_) return nullptr;
  for (size_t tries = 0; tries < kSlots; ++tries) {
    SocketId id = next_id_;
    next_id_ = id == kIdMax ? 1 : id + 1;
    size_t slot = static_cast<size_t>(id) % kSlots;
    if (slot >= slots_.size()) slots_.resize(slot + 1);
    if (slots_[slot] != nullptr) continue;
    slots_[slot] = std::make_unique<Socket>();
    Socket& socket = *slots_[slot];
    socket.id = id;
    socket.owner = owner;
    socket.state = state;
    return &socket;
  }
  return nullptr;
}

// Gives an endpoint that exists a socket; closes it if there is no slot.
absl::StatusOr<SocketServer::Socket*> SocketServer::Install(Handle owner, State state,
                                                            EndpointId endpoint) {
  Socket* socket = Allocate(owner, state);
  if (socket == nullptr) {
    transport_.Close(endpoint);
    return absl::ResourceExhaustedError("no free socket id");
  }
  SetEndpoint(*socket, endpoint);
  return socket;
}

absl::StatusOr<SocketServer::Socket*> SocketServer::InstallUdp(Handle owner,
                                                               const std::string& host,
                                                               uint16_t port, uint64_t cause) {
  if (is_abandoned_) return AbandonedError();
  absl::StatusOr<EndpointId> endpoint = transport_.OpenUdp(host, port);
  if (!endpoint.ok()) return endpoint.status();
  absl::StatusOr<Socket*> socket = Install(owner, State::kConnected, *endpoint);
  if (!socket.ok()) return socket.status();
  (*socket)->is_udp = true;
  SetReading(**socket, true);
  if (!host.empty()) {
    Record(EventKind::kListen, **socket, cause, Address{host, port}.ToString());
  }
  return socket;
}

absl::StatusOr<Address> SocketServer::ResolveNumeric(const std::string& host, uint16_t port) {
  absl::StatusOr<std::vector<std::string>> hosts = Resolve(host);
  if (!hosts.ok()) return hosts.status();
  if (hosts->empty()) return absl::NotFoundError("Name or service not known");
  return Address{hosts->front(), port};
}

void SocketServer::SetEndpoint(Socket& socket, EndpointId endpoint) {
  socket.endpoint = endpoint;
  by_endpoint_[endpoint] = &socket;
}

void SocketServer::Free(Socket& socket) {
  by_endpoint_.erase(socket.endpoint);
  slots_[static_cast<size_t>(socket.id) % kSlots].reset();
}

void SocketServer::CloseAndFree(Socket& socket) {
  if (socket.endpoint != 0) transport_.Close(socket.endpoint);
  Free(socket);
}

// -- Effects of operations ------------------------------------------------------------------------

void SocketServer::Submit(Command command) {
  if (executor_.IsDeferring()) {
    executor_.Defer([this, command = std::move(command)]() mutable {
      absl::MutexLock lock(&mutex_);
      Apply(command);
    });
    return;
  }
  absl::MutexLock lock(&mutex_);
  Apply(command);
}

bool SocketServer::SubmitSend(Command command) {
  absl::ReleasableMutexLock lock(&mutex_);
  const Socket* socket = Find(command.id);
  if (socket == nullptr || socket->is_closing) return false;
  if (!executor_.IsDeferring()) {
    Apply(command);
    return true;
  }
  lock.Release();
  Submit(std::move(command));
  return true;
}

void SocketServer::Apply(Command& command) {
  if (is_abandoned_) return;
  if (command.kind == Command::Kind::kStart) return ApplyStart(command);
  Socket* socket = Find(command.id);
  if (socket == nullptr) return;  // it died between the call and its effect
  switch (command.kind) {
    case Command::Kind::kConnect: return ApplyConnect(*socket, command);
    case Command::Kind::kAnnounce: return ApplyAnnounce(*socket, command);
    case Command::Kind::kStart: return;
    case Command::Kind::kPause: return SetReading(*socket, false);
    case Command::Kind::kClose: return ApplyClose(*socket, command.cause);
    case Command::Kind::kShutdown: return ApplyShutdown(*socket, command.cause);
    case Command::Kind::kNoDelay:
      if (socket->endpoint != 0) transport_.SetNoDelay(socket->endpoint);
      return;
    case Command::Kind::kSend:
    case Command::Kind::kSendLow:
    case Command::Kind::kSendTo: return ApplySend(*socket, command);
    case Command::Kind::kSetPeer: return ApplySetPeer(*socket, command);
  }
}

void SocketServer::ApplyConnect(Socket& socket, Command& command) {
  socket.state = State::kConnecting;
  socket.last_event =
      Record(EventKind::kConnect, socket, command.cause, command.address.ToString());
  SetEndpoint(socket, transport_.Connect(command.address.host, command.address.port));
}

void SocketServer::ApplyAnnounce(Socket& socket, Command& command) {
  if (socket.state == State::kBind) {
    return Tell(socket.owner, SocketEvent::kConnect, socket.id, 0, "binding", command.cause);
  }
  const Address& local = command.address;
  uint64_t event = Record(EventKind::kListen, socket, command.cause, local.ToString());
  Tell(socket.owner, SocketEvent::kConnect, socket.id, local.port, local.host, event);
}

void SocketServer::ApplyStart(Command& command) {
  Socket* socket = Find(command.id);
  auto answer = [&](SocketEvent event, absl::string_view text) {
    Tell(command.caller, event, command.id, 0, text, command.cause);
  };
  if (socket == nullptr) return answer(SocketEvent::kError, "invalid socket");
  if (socket->state == State::kHalfCloseRead || socket->is_closing) {
    return answer(SocketEvent::kError, "socket closed");
  }
  State before = socket->state;
  if (before == State::kAccepted) socket->state = State::kConnected;
  if (before == State::kListenIdle) socket->state = State::kListening;
  SetReading(*socket, true);
  if (before == State::kAccepted || before == State::kListenIdle) {
    socket->owner = command.caller;
    answer(SocketEvent::kConnect, "start");
  } else if (before == State::kConnected) {
    socket->owner = command.caller;
    answer(SocketEvent::kConnect, "transfer");
  }
}

void SocketServer::ApplyClose(Socket& socket, uint64_t cause) {
  if (socket.queue.empty()) return ApplyShutdown(socket, cause);
  if (socket.is_closing) return;
  socket.is_closing = true;
  TellClosed(socket, Record(EventKind::kClose, socket, cause, ""));
  SetReading(socket, false);
  // A connect under way goes on for the sake of the queue: OnConnected() knows.
  if (socket.state == State::kReserve || socket.state == State::kConnecting) return;
  if (socket.state == State::kConnected && !socket.is_udp) transport_.ShutdownRead(socket.endpoint);
  socket.state = State::kHalfCloseRead;
}

void SocketServer::ApplyShutdown(Socket& socket, uint64_t cause) {
  TellClosed(socket, Record(EventKind::kClose, socket, cause, ""));
  CloseAndFree(socket);
}

void SocketServer::ApplySend(Socket& socket, Command& command) {
  if (socket.is_closing) return;  // this send was behind the close
  if (command.data.size() == 0 && !socket.is_udp) return;
  WriteQueue::Item item{std::move(command.data), 0, command.cause, nullptr};
  if (command.kind == Command::Kind::kSendTo) {
    item.to = std::make_unique<Address>(std::move(command.address));
  }
  bool is_low = command.kind == Command::Kind::kSendLow;
  switch (socket.state) {
    case State::kReserve:
    case State::kConnecting:
    case State::kHalfCloseRead:
    case State::kBind: return Enqueue(socket, std::move(item), is_low);
    case State::kConnected:
      if (!is_low && socket.queue.empty()) return SendDirect(socket, std::move(item));
      return Enqueue(socket, std::move(item), is_low);
    case State::kAccepted:
    case State::kHalfCloseWrite: return;
    case State::kListenIdle:
    case State::kListening:
      Record(EventKind::kSocketError, socket, command.cause, "write to a listening socket");
      sink_.OnSocketLog(socket.owner, absl::StrCat("error: socket ", socket.id,
                                                   " is a listener: write is dropped"));
      return;
  }
}

void SocketServer::ApplySetPeer(Socket& socket, Command& command) {
  if (socket.is_udp) socket.peer = std::move(command.address);
}

// -- Events ---------------------------------------------------------------------------------------

uint64_t SocketServer::Record(EventKind kind, const Socket& socket, uint64_t cause,
                              absl::string_view text, uint64_t size, absl::string_view bytes) {
  Event event;
  event.kind = kind;
  event.service = socket.owner;
  event.session = socket.id;
  event.size = size;
  event.cause = cause;
  event.text = text;
  event.bytes = bytes;
  return observer_.Record(event);
}

void SocketServer::Tell(Handle owner, SocketEvent event, SocketId id, int32_t ud,
                        absl::string_view text, uint64_t cause) {
  SocketMessage message{static_cast<int32_t>(event), id, ud, nullptr};
  sink_.OnSocketEvent(owner, message, text.substr(0, kTextBytesMax), cause);
}

void SocketServer::TellBuffer(const Socket& socket, SocketEvent event, char* buffer, size_t size,
                              uint64_t cause) {
  SocketMessage message{static_cast<int32_t>(event), socket.id, static_cast<int32_t>(size), buffer};
  sink_.OnSocketEvent(socket.owner, message, "", cause);
}

void SocketServer::TellError(const Socket& socket, absl::string_view text, uint64_t cause) {
  Tell(socket.owner, SocketEvent::kError, socket.id, 0, text, cause);
}

void SocketServer::TellClosed(Socket& socket, uint64_t cause) {
  if (socket.is_told_closed) return;
  socket.is_told_closed = true;
  Tell(socket.owner, SocketEvent::kClose, socket.id, 0, "", cause);
}

}  // namespace skysim
