// The half of SocketServer that faces the transport: writing, reading, readiness.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "engine/core/socket.h"
#include "engine/core/socket_server.h"
#include "engine/core/udp_address.h"

namespace skysim {

namespace {

// A block of this size need not grow: the stream is read at full speed by then.
constexpr size_t kReadBytesMax = 16u << 20;
// Datagrams read in a row, so that a flood on one socket does not starve the others.
constexpr int kDatagramsPerReadiness = 64;

constexpr size_t kWarningBytes = 1u << 20;

}  // namespace

// -- Writing --------------------------------------------------------------------------------------

void SocketServer::Enqueue(Socket& socket, WriteQueue::Item item, bool is_low) {
  uint64_t cause = item.cause;
  if (queue_bytes_max_ != 0 && socket.queue.bytes() >= queue_bytes_max_) {
    return OnQueueFull(socket, cause);
  }
  if (is_low) {
    socket.queue.PushLow(std::move(item));
  } else {
    socket.queue.PushHigh(std::move(item));
  }
  WarnIfFull(socket, cause);
  SetWriting(socket, true);
}

// A peer that takes nothing must not take all memory.
void SocketServer::OnQueueFull(Socket& socket, uint64_t cause) {
  std::string text = absl::StrCat(socket.queue.bytes(), " bytes wait to be written");
  uint64_t event = Record(EventKind::kSocketError, socket, cause, text);
  if (socket.is_udp) return;
  sink_.OnSocketLog(socket.owner,
                    absl::StrCat("error: socket ", socket.id, " to ", socket.peer.ToString(),
                                 " is closed: ", text, " (config: socket_queue_max)"));
  if (!socket.is_told_closed) TellError(socket, text, event);
  TellClosed(socket, event);
  CloseAndFree(socket);
}

// Writes to a socket with empty queues. What does not go out is queued without a warning: the test
// comes with the next send, as in skynet (network.md 1.7).
void SocketServer::SendDirect(Socket& socket, WriteQueue::Item item) {
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
  if (capacity > kSocketReadBytesMin && 2 * result.size < capacity) {
    socket.read_bytes_next = capacity / 2;
  }
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
  absl::MutexLock lock(&mutex_);
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
  absl::MutexLock lock(&mutex_);
  Socket* socket = FindEndpoint(endpoint);
  if (socket == nullptr) return;
  uint64_t cause = transport_.CurrentCause();
  uint64_t event = Record(EventKind::kConnectFailed, *socket,
                          cause != 0 ? cause : socket->last_event, error);
  if (!socket->is_told_closed) TellError(*socket, error, event);
  Free(*socket);  // the endpoint is gone by itself
}

void SocketServer::OnAcceptable(EndpointId endpoint) {
  absl::MutexLock lock(&mutex_);
  Socket* listener = FindEndpoint(endpoint);
  if (listener == nullptr || !listener->reading) return;
  uint64_t cause = transport_.CurrentCause();
  auto fail = [&](absl::string_view error) {
    uint64_t event = Record(EventKind::kSocketError, *listener, cause, error);
    if (!std::exchange(listener->is_refusing, true)) TellError(*listener, error, event);
  };
  absl::StatusOr<Transport::Accepted> accepted = transport_.Accept(endpoint);
  if (absl::IsResourceExhausted(accepted.status())) return fail(accepted.status().message());
  if (!accepted.ok()) return;  // it went away again
  absl::StatusOr<Socket*> socket =
      Install(listener->owner, State::kAccepted, accepted->endpoint);
  if (!socket.ok()) return fail(socket.status().message());
  (*socket)->peer = accepted->peer;
  listener->is_refusing = false;
  ++listener->accepted;
  listener->read_time_ns = Now();
  SocketId id = (*socket)->id;
  std::string peer = accepted->peer.ToString();
  uint64_t event =
      Record(EventKind::kAccept, *listener, cause, peer, static_cast<uint64_t>(id));
  Tell(listener->owner, SocketEvent::kAccept, listener->id, id, peer, event);
}

void SocketServer::OnReadable(EndpointId endpoint) {
  absl::MutexLock lock(&mutex_);
  Socket* socket = FindEndpoint(endpoint);
  if (socket == nullptr || !socket->reading) return;
  if (socket->is_udp) return ReadDatagrams(*socket);
  ReadStream(*socket);
}

void SocketServer::OnWritable(EndpointId endpoint) {
  absl::MutexLock lock(&mutex_);
  Socket* socket = FindEndpoint(endpoint);
  if (socket != nullptr && socket->writing) Flush(*socket);
}

void SocketServer::OnBroken(EndpointId endpoint, absl::string_view error) {
  absl::MutexLock lock(&mutex_);
  Socket* socket = FindEndpoint(endpoint);
  if (socket == nullptr) return;
  if (socket->is_udp) return EndUdp(*socket, error);
  // As OnWriteError() would have it: what waits to be written finds the break at this moment.
  if (socket->state == State::kHalfCloseRead && socket->writing) {
    Record(EventKind::kSocketError, *socket, transport_.CurrentCause(), error);
    return CloseAndFree(*socket);
  }
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

}  // namespace skysim
