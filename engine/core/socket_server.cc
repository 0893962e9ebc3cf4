#include "engine/core/socket_server.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/udp_address.h"

// Lifetimes. A Socket lives in its slot until Free(). Free() happens at the end of an effect or of a
// transport callback, never inside the sink, so a Socket& stays good across Tell() and Record(). The
// functions after which a socket may be gone are ApplyClose, ApplyShutdown, Flush, OnWriteError,
// OnStreamEnd, EndUdp and what calls them; nothing touches the socket behind such a call.

namespace skysim {

namespace {

constexpr size_t kSlots = 65536;
constexpr SocketId kIdMax = std::numeric_limits<SocketId>::max();

constexpr size_t kReadBytesMin = 64;
// A block of this size need not grow: the stream is read at full speed by then.
constexpr size_t kReadBytesMax = 16u << 20;
// Datagrams read in a row, so that a flood on one socket does not starve the others.
constexpr int kDatagramsPerReadiness = 64;

constexpr size_t kWarningBytes = 1u << 20;
constexpr size_t kTextBytesMax = 128;

absl::Status AbandonedError() { return absl::UnavailableError("the node has crashed"); }

}  // namespace

enum class SocketServer::State : uint8_t {
  kReserve,         // the id exists, the connect has not begun
  kConnecting,
  kConnected,       // UDP sockets too
  kAccepted,        // not started yet
  kListenIdle,      // a listener that is not started yet
  kListening,
  kHalfCloseRead,   // the peer ended, or a local close waits for its queue
  kHalfCloseWrite,  // a write failed
  kBind,            // an OS descriptor that is not ours
};

struct SocketServer::Socket {
  SocketId id;
  Handle owner;
  State state;
  bool is_udp = false;
  bool is_closing = false;  // closed by a service; the rest of the queue is on its way
  bool is_told_closed = false;
  bool reading = false;  // wanted; the transport knows once the socket is connected
  bool writing = false;
  EndpointId endpoint = 0;
  WriteQueue queue;
  size_t warning_bytes = 0;  // next threshold; 0 = no warning since the queue was empty
  size_t read_bytes_next = kReadBytesMin;
  uint64_t last_event = 0;  // the connect or the last write, as a cause
  Address peer;             // UDP: the default destination; an empty host = none
  uint64_t read_bytes = 0, write_bytes = 0, accepted = 0;
  int64_t read_time_ns = 0, write_time_ns = 0;
};

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
      next_id_(options.first_id) {
  CHECK_GT(next_id_, 0);
  transport_.SetSink(this);
}

SocketServer::SocketServer(Transport& transport, Executor& executor, Memory& memory,
                           Observer& observer, const Clock& clock, SocketEventSink& sink)
    : SocketServer(transport, executor, memory, observer, clock, sink, Options()) {}

SocketServer::~SocketServer() = default;

void SocketServer::Abandon() {
  is_abandoned_ = true;
  by_endpoint_.clear();
  slots_.clear();
}

// -- Operations -----------------------------------------------------------------------------------

SocketId SocketServer::Connect(Handle owner, const std::string& host, uint16_t port) {
  Socket* socket = Allocate(owner, State::kReserve);
  if (socket == nullptr) return -1;
  socket->reading = true;  // a connection reads from its beginning
  SocketId id = socket->id;
  Submit({Command::Kind::kConnect, id, owner, cause_, Payload(), Address{host, port}});
  return id;
}

absl::StatusOr<SocketId> SocketServer::Listen(Handle owner, const std::string& host, uint16_t port,
                                              int backlog) {
  auto failure = [](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("Listen error: ", status.message()));
  };
  if (is_abandoned_) return failure(AbandonedError());
  absl::StatusOr<Transport::Listening> listening = transport_.Listen(host, port, backlog);
  if (!listening.ok()) return failure(listening.status());
  absl::StatusOr<Socket*> socket = Install(owner, State::kListenIdle, listening->endpoint);
  if (!socket.ok()) return failure(socket.status());
  SocketId id = (*socket)->id;
  Submit({Command::Kind::kAnnounce, id, owner, cause_, Payload(), listening->address});
  return id;
}

absl::StatusOr<SocketId> SocketServer::Bind(Handle owner, int descriptor) {
  if (is_abandoned_) return AbandonedError();
  absl::StatusOr<EndpointId> endpoint = transport_.Adopt(descriptor);
  if (!endpoint.ok()) return endpoint.status();
  absl::StatusOr<Socket*> socket = Install(owner, State::kBind, *endpoint);
  if (!socket.ok()) return socket.status();
  SocketId id = (*socket)->id;
  SetReading(**socket, true);
  Submit({Command::Kind::kAnnounce, id, owner, cause_, Payload(), Address()});
  return id;
}

void SocketServer::Start(Handle owner, SocketId id) {
  Submit({Command::Kind::kStart, id, owner, cause_, Payload(), Address()});
}

void SocketServer::Pause(SocketId id) {
  Submit({Command::Kind::kPause, id, 0, cause_, Payload(), Address()});
}

void SocketServer::Close(SocketId id) {
  Submit({Command::Kind::kClose, id, 0, cause_, Payload(), Address()});
}

void SocketServer::Shutdown(SocketId id) {
  Submit({Command::Kind::kShutdown, id, 0, cause_, Payload(), Address()});
}

void SocketServer::NoDelay(SocketId id) {
  Submit({Command::Kind::kNoDelay, id, 0, cause_, Payload(), Address()});
}

bool SocketServer::Send(SocketId id, Payload data) {
  return SubmitSend({Command::Kind::kSend, id, 0, cause_, std::move(data), Address()});
}

bool SocketServer::SendLow(SocketId id, Payload data) {
  return SubmitSend({Command::Kind::kSendLow, id, 0, cause_, std::move(data), Address()});
}

bool SocketServer::SubmitSend(Command command) {
  const Socket* socket = Find(command.id);
  if (socket == nullptr || socket->is_closing) return false;
  Submit(std::move(command));
  return true;
}

absl::StatusOr<SocketId> SocketServer::Udp(Handle owner, const std::string& host, uint16_t port) {
  absl::StatusOr<Socket*> socket = InstallUdp(owner, host, port);
  if (!socket.ok()) return socket.status();
  return (*socket)->id;
}

absl::StatusOr<SocketId> SocketServer::UdpListen(Handle owner, const std::string& host,
                                                 uint16_t port) {
  if (port == 0) return absl::InvalidArgumentError("Invalid port");
  return Udp(owner, host, port);
}

absl::StatusOr<SocketId> SocketServer::UdpDial(Handle owner, const std::string& host,
                                               uint16_t port) {
  absl::StatusOr<Address> peer = ResolveNumeric(host, port);
  if (!peer.ok()) return peer.status();
  bool is_ipv6 = absl::StrContains(peer->host, ':');
  absl::StatusOr<Socket*> socket = InstallUdp(owner, is_ipv6 ? "::" : "", 0);
  if (!socket.ok()) return socket.status();
  SocketId id = (*socket)->id;
  Submit({Command::Kind::kSetPeer, id, owner, cause_, Payload(), *std::move(peer)});
  return id;
}

absl::Status SocketServer::UdpConnect(SocketId id, const std::string& host, uint16_t port) {
  absl::StatusOr<Address> peer = ResolveNumeric(host, port);
  if (!peer.ok()) return peer.status();
  Submit({Command::Kind::kSetPeer, id, 0, cause_, Payload(), *std::move(peer)});
  return absl::OkStatus();
}

bool SocketServer::UdpSend(SocketId id, absl::string_view address, Payload data) {
  std::optional<Address> to = UnpackUdpAddress(address);
  if (!to.has_value()) return false;
  return SubmitSend({Command::Kind::kSendTo, id, 0, cause_, std::move(data), *std::move(to)});
}

absl::StatusOr<std::vector<std::string>> SocketServer::Resolve(const std::string& host) {
  if (is_abandoned_) return AbandonedError();
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
  std::vector<SocketInfo> all;
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
                                                               uint16_t port) {
  if (is_abandoned_) return AbandonedError();
  absl::StatusOr<EndpointId> endpoint = transport_.OpenUdp(host, port);
  if (!endpoint.ok()) return endpoint.status();
  absl::StatusOr<Socket*> socket = Install(owner, State::kConnected, *endpoint);
  if (!socket.ok()) return socket.status();
  (*socket)->is_udp = true;
  SetReading(**socket, true);
  if (!host.empty()) {
    Record(EventKind::kListen, **socket, cause_, Address{host, port}.ToString());
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
  if (is_abandoned_) return;
  if (!executor_.IsDeferring()) return Apply(command);
  executor_.Defer([this, command = std::move(command)]() mutable { Apply(command); });
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
  switch (socket.state) {
    case State::kReserve:
    case State::kConnecting:
    case State::kHalfCloseRead:
    case State::kBind: return Enqueue(socket, command);
    case State::kConnected:
      if (!socket.queue.empty() || command.kind == Command::Kind::kSendLow) {
        return Enqueue(socket, command);
      }
      return SendDirect(socket, command);
    case State::kAccepted:
    case State::kHalfCloseWrite: return;
    case State::kListenIdle:
    case State::kListening:
      Record(EventKind::kSocketError, socket, command.cause, "write to a listening socket");
      return;
  }
}

void SocketServer::ApplySetPeer(Socket& socket, Command& command) {
  if (socket.is_udp) socket.peer = std::move(command.address);
}

// -- Writing --------------------------------------------------------------------------------------

void SocketServer::Enqueue(Socket& socket, Command& command) {
  WriteQueue::Item item{std::move(command.data), 0, command.cause, nullptr};
  if (command.kind == Command::Kind::kSendTo) {
    item.to = std::make_unique<Address>(std::move(command.address));
  }
  if (command.kind == Command::Kind::kSendLow) {
    socket.queue.PushLow(std::move(item));
  } else {
    socket.queue.PushHigh(std::move(item));
  }
  WarnIfFull(socket, command.cause);
  SetWriting(socket, true);
}

// Writes to a socket with empty queues. What does not go out is queued without a warning: the test
// comes with the next send, as in skynet (network.md 1.7).
void SocketServer::SendDirect(Socket& socket, Command& command) {
  WriteQueue::Item item{std::move(command.data), 0, command.cause, nullptr};
  if (command.kind == Command::Kind::kSendTo) {
    item.to = std::make_unique<Address>(std::move(command.address));
  }
  socket.queue.PushHigh(std::move(item));
  if (WriteFront(socket) == Wrote::kFull) SetWriting(socket, true);
}

SocketServer::Wrote SocketServer::WriteFront(Socket& socket) {
  return socket.is_udp ? WriteDatagram(socket) : WriteStream(socket);
}

SocketServer::Wrote SocketServer::WriteStream(Socket& socket) {
  WriteQueue::Item& item = socket.queue.front();
  absl::string_view bytes = item.rest();
  transport_.SetCause(item.cause);
  WriteResult result = transport_.Write(socket.endpoint, bytes);
  if (!result.error.empty()) {
    OnWriteError(socket, result.error, item.cause);
    return Wrote::kFailed;
  }
  if (result.size > 0) {
    absl::string_view taken = bytes.substr(0, result.size);
    socket.last_event = Record(EventKind::kWrite, socket, item.cause, "", taken.size(), taken);
    socket.write_bytes += taken.size();
    socket.write_time_ns = Now();
    socket.queue.Advance(taken.size());
  }
  return result.size == bytes.size() ? Wrote::kItem : Wrote::kFull;
}

SocketServer::Wrote SocketServer::WriteDatagram(Socket& socket) {
  WriteQueue::Item& item = socket.queue.front();
  const Address& to = item.to != nullptr ? *item.to : socket.peer;
  absl::string_view bytes = item.rest();
  if (!to.host.empty()) {  // no default destination: dropped
    transport_.SetCause(item.cause);
    WriteResult result = transport_.SendTo(socket.endpoint, to, bytes);
    if (result.error.empty() && result.size < bytes.size()) return Wrote::kFull;
    if (result.error.empty()) {
      socket.last_event =
          Record(EventKind::kWrite, socket, item.cause, to.ToString(), bytes.size(), bytes);
      socket.write_bytes += bytes.size();
      socket.write_time_ns = Now();
    } else {  // this datagram cannot be sent; the next may go elsewhere
      Record(EventKind::kSocketError, socket, item.cause, result.error);
    }
  }
  socket.queue.Advance(bytes.size());
  return Wrote::kItem;
}

void SocketServer::Flush(Socket& socket) {
  while (!socket.queue.empty()) {
    Wrote wrote = WriteFront(socket);
    if (wrote == Wrote::kFailed) return;
    if (wrote == Wrote::kFull) return SetWriting(socket, true);
  }
  SetWriting(socket, false);
  if (socket.is_closing) return CloseAndFree(socket);
  if (socket.warning_bytes > 0) {
    socket.warning_bytes = 0;
    Tell(socket.owner, SocketEvent::kWarning, socket.id, 0, "", socket.last_event);
  }
}

void SocketServer::OnWriteError(Socket& socket, absl::string_view error, uint64_t cause) {
  uint64_t event = Record(EventKind::kSocketError, socket, cause, error);
  // The peer's end or the service's close was told already: nothing is left to say.
  if (socket.state == State::kHalfCloseRead) return CloseAndFree(socket);
  socket.queue.Clear();
  socket.warning_bytes = 0;
  SetWriting(socket, false);
  socket.state = State::kHalfCloseWrite;
  transport_.ShutdownWrite(socket.endpoint);
  TellError(socket, error, event);
}

void SocketServer::WarnIfFull(Socket& socket, uint64_t cause) {
  size_t queued = socket.queue.bytes();
  if (queued < kWarningBytes || queued < socket.warning_bytes) return;
  socket.warning_bytes =
      socket.warning_bytes == 0 ? 2 * kWarningBytes : 2 * socket.warning_bytes;
  Tell(socket.owner, SocketEvent::kWarning, socket.id, static_cast<int32_t>((queued + 1023) / 1024),
       "", cause);
}

// -- Reading --------------------------------------------------------------------------------------

void SocketServer::ReadStream(Socket& socket) {
  while (ReadOnce(socket)) {
  }
}

bool SocketServer::ReadOnce(Socket& socket) {
  size_t capacity = socket.read_bytes_next;
  char* block = static_cast<char*>(memory_.Allocate(capacity));
  ReadResult result = transport_.Read(socket.endpoint, block, capacity);
  if (result.size == 0) {
    memory_.Free(block);
    if (result.is_end) {
      OnStreamEnd(socket);
    } else if (!result.error.empty()) {
      TellError(socket, result.error, Record(EventKind::kSocketError, socket,
                                             transport_.CurrentCause(), result.error));
    }
    return false;
  }
  socket.read_bytes += result.size;
  socket.read_time_ns = Now();
  uint64_t event = Record(EventKind::kRead, socket, transport_.CurrentCause(), "", result.size,
                          absl::string_view(block, result.size));
  TellBuffer(socket, SocketEvent::kData, block, result.size, event);
  if (result.size == capacity) {
    socket.read_bytes_next = std::min(2 * capacity, kReadBytesMax);
    return capacity < kReadBytesMax;
  }
  if (capacity > kReadBytesMin && 2 * result.size < capacity) socket.read_bytes_next = capacity / 2;
  return false;
}

void SocketServer::ReadDatagrams(Socket& socket) {
  for (int i = 0; i < kDatagramsPerReadiness; ++i) {
    absl::StatusOr<Datagram> datagram = transport_.ReceiveFrom(socket.endpoint);
    if (datagram.ok()) {
      TellDatagram(socket, *datagram);
      continue;
    }
    if (!absl::IsNotFound(datagram.status())) EndUdp(socket, datagram.status().message());
    return;
  }
}

void SocketServer::TellDatagram(Socket& socket, const Datagram& datagram) {
  std::optional<std::string> from = PackUdpAddress(datagram.from);
  CHECK(from.has_value()) << "a transport gives numeric addresses, not " << datagram.from.host;
  size_t size = datagram.bytes.size();
  char* block = static_cast<char*>(memory_.Allocate(size + from->size()));
  std::copy(datagram.bytes.begin(), datagram.bytes.end(), block);
  std::copy(from->begin(), from->end(), block + size);
  socket.read_bytes += size;
  socket.read_time_ns = Now();
  uint64_t event = Record(EventKind::kRead, socket, transport_.CurrentCause(),
                          datagram.from.ToString(), size, datagram.bytes);
  TellBuffer(socket, SocketEvent::kUdp, block, size, event);
}

// A UDP socket that cannot receive is closed, with an error and no kClose.
void SocketServer::EndUdp(Socket& socket, absl::string_view error) {
  TellError(socket, error,
            Record(EventKind::kSocketError, socket, transport_.CurrentCause(), error));
  CloseAndFree(socket);
}

void SocketServer::OnStreamEnd(Socket& socket) {
  uint64_t event = Record(EventKind::kPeerClosed, socket, transport_.CurrentCause(), "");
  TellClosed(socket, event);
  if (socket.state == State::kHalfCloseWrite) return CloseAndFree(socket);
  // Open for writing until a service closes it.
  SetReading(socket, false);
  if (socket.state != State::kBind) transport_.ShutdownRead(socket.endpoint);
  socket.state = State::kHalfCloseRead;
}

// -- What the transport reports -------------------------------------------------------------------

void SocketServer::OnConnected(EndpointId endpoint, const Address& peer) {
  Socket* socket = FindEndpoint(endpoint);
  if (socket == nullptr) return;
  CHECK(socket->state == State::kConnecting) << "socket " << socket->id << " was not connecting";
  socket->peer = peer;
  uint64_t cause = transport_.CurrentCause();
  uint64_t event = Record(EventKind::kConnected, *socket, cause != 0 ? cause : socket->last_event,
                          peer.ToString());
  if (!socket->reading) transport_.SetReading(endpoint, false);
  if (socket->is_closing) {
    socket->state = State::kHalfCloseRead;
  } else {
    socket->state = State::kConnected;
    Tell(socket->owner, SocketEvent::kConnect, socket->id, 0, peer.host, event);
  }
  if (!socket->queue.empty()) {
    socket->writing = false;  // it was wanted; the transport has it off
    Flush(*socket);
  }
}

void SocketServer::OnConnectFailed(EndpointId endpoint, absl::string_view error) {
  Socket* socket = FindEndpoint(endpoint);
  if (socket == nullptr) return;
  uint64_t cause = transport_.CurrentCause();
  uint64_t event = Record(EventKind::kConnectFailed, *socket,
                          cause != 0 ? cause : socket->last_event, error);
  if (!socket->is_told_closed) TellError(*socket, error, event);
  Free(*socket);  // the endpoint is gone by itself
}

void SocketServer::OnAcceptable(EndpointId endpoint) {
  Socket* listener = FindEndpoint(endpoint);
  if (listener == nullptr || !listener->reading) return;
  uint64_t cause = transport_.CurrentCause();
  auto fail = [&](absl::string_view error) {
    TellError(*listener, error, Record(EventKind::kSocketError, *listener, cause, error));
  };
  absl::StatusOr<Transport::Accepted> accepted = transport_.Accept(endpoint);
  if (absl::IsResourceExhausted(accepted.status())) return fail(accepted.status().message());
  if (!accepted.ok()) return;  // it went away again
  absl::StatusOr<Socket*> socket =
      Install(listener->owner, State::kAccepted, accepted->endpoint);
  if (!socket.ok()) return fail(socket.status().message());
  (*socket)->peer = accepted->peer;
  ++listener->accepted;
  listener->read_time_ns = Now();
  SocketId id = (*socket)->id;
  std::string peer = accepted->peer.ToString();
  uint64_t event =
      Record(EventKind::kAccept, *listener, cause, peer, static_cast<uint64_t>(id));
  Tell(listener->owner, SocketEvent::kAccept, listener->id, id, peer, event);
}

void SocketServer::OnReadable(EndpointId endpoint) {
  Socket* socket = FindEndpoint(endpoint);
  if (socket == nullptr || !socket->reading) return;
  if (socket->is_udp) return ReadDatagrams(*socket);
  ReadStream(*socket);
}

void SocketServer::OnWritable(EndpointId endpoint) {
  Socket* socket = FindEndpoint(endpoint);
  if (socket != nullptr && socket->writing) Flush(*socket);
}

void SocketServer::OnBroken(EndpointId endpoint, absl::string_view error) {
  Socket* socket = FindEndpoint(endpoint);
  if (socket == nullptr) return;
  if (socket->is_udp) return EndUdp(*socket, error);
  uint64_t event = transport_.CurrentCause();
  if (!error.empty()) {  // else a mere hang-up
    event = Record(EventKind::kSocketError, *socket, event, error);
    TellError(*socket, error, event);
  }
  TellClosed(*socket, event);
  CloseAndFree(*socket);
}

void SocketServer::SetReading(Socket& socket, bool on) {
  if (socket.reading == on) return;
  socket.reading = on;
  bool is_early = socket.state == State::kReserve || socket.state == State::kConnecting;
  if (!is_early) transport_.SetReading(socket.endpoint, on);
}

void SocketServer::SetWriting(Socket& socket, bool on) {
  if (socket.writing == on) return;
  socket.writing = on;
  bool is_early = socket.state == State::kReserve || socket.state == State::kConnecting;
  if (!is_early) transport_.SetWriting(socket.endpoint, on);
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
