#include "engine/os/epoll_transport.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "engine/os/socket_address.h"

// Who closes a descriptor: calls, which come one at a time, and the socket thread that of a connect
// under way, which calls touch under the lock only. So a call may use the descriptor of anything
// else after it gave up the lock.
//
// Order of locks: mutex_, then the resolver's own. The resolver's thread takes only the latter.

namespace skysim {
namespace {

constexpr EndpointId kWakeId = 0;  // no endpoint has it

constexpr size_t kDatagramBytesMax = 65'535;

// With nothing on epoll still reports a break (EPOLLERR, EPOLLHUP), and with EPOLLONESHOT only
// once, until epoll_ctl() is called again.
constexpr uint32_t kBreakOnly = EPOLLONESHOT;

constexpr uint32_t kBreak = EPOLLERR | EPOLLHUP;

void SetOption(int descriptor, int level, int option) {
  constexpr int kOn = 1;
  setsockopt(descriptor, level, option, &kOn, sizeof(kOn));
}

// Takes the pending error of a socket; 0: none, or no socket.
int TakeError(int descriptor) {
  int error = 0;
  socklen_t size = sizeof(error);
  const int result = getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  return result == 0 ? error : 0;
}

bool IsNothingNow(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

absl::Status NothingNow() { return absl::NotFoundError(std::strerror(EAGAIN)); }

WriteResult WriteResultOf(ssize_t size) {
  WriteResult result;
  if (size >= 0) {
    result.size = static_cast<size_t>(size);
  } else if (!IsNothingNow(errno)) {
    result.error = std::strerror(errno);
  }
  return result;
}

// write(2) to what is no socket and knows no MSG_NOSIGNAL: takes back the SIGPIPE that it raised.
ssize_t WriteToPipe(int descriptor, absl::string_view bytes) {
  sigset_t pipe_signal, pending, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t size =
      Uninterrupted([&] { return write(descriptor, bytes.data(), bytes.size()); });
  const int error = errno;
  if (size < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 0) {
    constexpr timespec kAtOnce = {};
    Uninterrupted([&] { return sigtimedwait(&pipe_signal, nullptr, &kAtOnce); });
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return size;
}

int AcceptFrom(int listener, SocketAddress* peer) {
  return Uninterrupted([&] {
    peer->size = sizeof(peer->storage);
    return accept4(listener, peer->get(), &peer->size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  });
}

void EraseFrom(std::vector<EndpointId>& list, EndpointId id) {
  list.erase(std::remove(list.begin(), list.end(), id), list.end());
}

}  // namespace

absl::StatusOr<std::unique_ptr<EpollTransport>> EpollTransport::Make() { return Make(Options()); }

absl::StatusOr<std::unique_ptr<EpollTransport>> EpollTransport::Make(Options options) {
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return SocketError(errno);
  Descriptor wake(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake.is_open()) return SocketError(errno);
  Descriptor reserve(fcntl(wake.number(), F_DUPFD_CLOEXEC, 0));
  if (!reserve.is_open()) return SocketError(errno);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kWakeId;
  if (epoll_ctl(epoll.number(), EPOLL_CTL_ADD, wake.number(), &event) != 0) {
    return SocketError(errno);
  }
  if (!options.lookup) options.lookup = LookUpHost;
  return std::unique_ptr<EpollTransport>(new EpollTransport(
      std::move(options), std::move(epoll), std::move(wake), std::move(reserve)));
}

EpollTransport::EpollTransport(Options options, Descriptor epoll, Descriptor wake,
                               Descriptor reserve)
    : lookup_(std::move(options.lookup)),
      connect_from_(std::move(options.connect_from)),
      epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      reserve_(std::move(reserve)),
      resolver_(std::make_unique<NameResolver>(lookup_, [this] { Interrupt(); })) {}

EpollTransport::~EpollTransport() {
  resolver_.reset();
  absl::MutexLock lock(&mutex_);
  while (!endpoints_.empty()) Remove(endpoints_.begin()->first);
}

// -- The table ------------------------------------------------------------------------------------

EpollTransport::Endpoint* EpollTransport::Find(EndpointId id) {
  auto found = endpoints_.find(id);
  return found == endpoints_.end() ? nullptr : &found->second;
}

EpollTransport::Endpoint& EpollTransport::Add(Kind kind, Descriptor descriptor) {
  const EndpointId id = ++last_id_;
  Endpoint& endpoint = endpoints_[id];
  endpoint.id = id;
  endpoint.kind = kind;
  endpoint.descriptor = std::move(descriptor);
  return endpoint;
}

void EpollTransport::Remove(EndpointId id) {
  auto found = endpoints_.find(id);
  Endpoint& endpoint = found->second;
  Unwatch(endpoint);
  if (endpoint.kind == Kind::kAdopted) {
    fcntl(endpoint.descriptor.number(), F_SETFL, endpoint.flags_before);
    endpoint.descriptor.Release();
    EraseFrom(always_ready_, id);
  }
  if (endpoint.is_resting) EraseFrom(resting_, id);
  endpoints_.erase(found);
}

int EpollTransport::DescriptorOf(EndpointId id, Kind kind) const {
  absl::MutexLock lock(&mutex_);
  auto found = endpoints_.find(id);
  if (found == endpoints_.end() || found->second.kind != kind) return -1;
  return found->second.descriptor.number();
}

int EpollTransport::StreamOf(EndpointId id) const {
  absl::MutexLock lock(&mutex_);
  auto found = endpoints_.find(id);
  if (found == endpoints_.end()) return -1;
  const Kind kind = found->second.kind;
  const bool is_stream = kind == Kind::kStream || kind == Kind::kAdopted;
  return is_stream ? found->second.descriptor.number() : -1;
}

absl::StatusOr<EndpointId> EpollTransport::Install(Kind kind, Descriptor descriptor) {
  absl::MutexLock lock(&mutex_);
  const Endpoint& endpoint = Add(kind, std::move(descriptor));
  const EndpointId id = endpoint.id;
  const int error = Watch(endpoint, EPOLL_CTL_ADD);
  if (error == 0) return id;
  endpoints_.erase(id);
  return SocketError(error);
}

void EpollTransport::EndStream(EndpointId id) {
  absl::MutexLock lock(&mutex_);
  if (Endpoint* endpoint = Find(id)) endpoint->has_ended = true;
}

// -- What epoll watches ---------------------------------------------------------------------------

int EpollTransport::Watch(const Endpoint& endpoint, int operation) {
  epoll_event event = {};
  event.data.u64 = endpoint.id;
  if (endpoint.kind == Kind::kConnecting) {
    event.events = EPOLLOUT;
  } else if (!endpoint.is_resting) {
    event.events = (endpoint.is_reading ? EPOLLIN : 0u) | (endpoint.is_writing ? EPOLLOUT : 0u);
  }
  if (event.events == 0) event.events = kBreakOnly;
  const int result =
      epoll_ctl(epoll_.number(), operation, endpoint.descriptor.number(), &event);
  return result == 0 ? 0 : errno;
}

// Not left to close(2): a child between fork() and exec() may share the socket, and epoll would
// report it for as long.
void EpollTransport::Unwatch(const Endpoint& endpoint) {
  if (!endpoint.descriptor.is_open() || endpoint.is_always_ready) return;
  epoll_event ignored = {};
  epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, endpoint.descriptor.number(), &ignored);
}

void EpollTransport::Switch(EndpointId id, bool Endpoint::*direction, bool on) {
  absl::MutexLock lock(&mutex_);
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr || endpoint->kind == Kind::kConnecting) return;
  if (std::exchange(endpoint->*direction, on) == on) return;
  if (on) endpoint->has_told_break = false;
  if (endpoint->is_always_ready) return Interrupt();
  const int error = Watch(*endpoint, EPOLL_CTL_MOD);
  CHECK_EQ(error, 0) << "endpoint " << id << ": " << std::strerror(error);
}

void EpollTransport::SetReading(EndpointId id, bool on) { Switch(id, &Endpoint::is_reading, on); }

void EpollTransport::SetWriting(EndpointId id, bool on) { Switch(id, &Endpoint::is_writing, on); }

// A counter that is full (EAGAIN) wakes as well.
void EpollTransport::Interrupt() {
  constexpr uint64_t kOne = 1;
  Uninterrupted([&] { return write(wake_.number(), &kOne, sizeof(kOne)); });
}

// -- Listening ------------------------------------------------------------------------------------

// UDP without SO_REUSEADDR: it would let two sockets share a port (socket(7)).
absl::StatusOr<Descriptor> EpollTransport::BindTo(const std::string& host, uint16_t port,
                                                  int type) {
  absl::StatusOr<std::vector<std::string>> hosts = ResolveHost(host.empty() ? "0.0.0.0" : host);
  if (!hosts.ok()) return hosts.status();
  int error = EAFNOSUPPORT;
  for (const std::string& literal : *hosts) {
    const std::optional<SocketAddress> address = ParseSocketAddress(literal, port);
    if (!address.has_value()) continue;
    Descriptor bound(socket(address->family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!bound.is_open()) {
      error = errno;
      continue;
    }
    if (type == SOCK_STREAM) SetOption(bound.number(), SOL_SOCKET, SO_REUSEADDR);
    if (bind(bound.number(), address->get(), address->size) == 0) return bound;
    error = errno;
  }
  return SocketError(error);
}

absl::StatusOr<Transport::Listening> EpollTransport::Listen(const std::string& host, uint16_t port,
                                                            int backlog) {
  absl::StatusOr<Descriptor> bound = BindTo(host, port, SOCK_STREAM);
  if (!bound.ok()) return bound.status();
  if (listen(bound->number(), backlog) != 0) return SocketError(errno);
  const Address address = LocalAddressOf(bound->number());
  absl::StatusOr<EndpointId> id = Install(Kind::kListener, *std::move(bound));
  if (!id.ok()) return id.status();
  return Listening{*id, address};
}

// What else accept(2) may fail with belongs to a connection that is gone, or passes: "retry".
absl::StatusOr<Transport::Accepted> EpollTransport::Accept(EndpointId listener) {
  const int descriptor = DescriptorOf(listener, Kind::kListener);
  if (descriptor < 0) return NothingNow();
  SocketAddress peer;
  Descriptor accepted(AcceptFrom(descriptor, &peer));
  if (accepted.is_open()) {
    SetOption(accepted.number(), SOL_SOCKET, SO_KEEPALIVE);
    absl::StatusOr<EndpointId> id = Install(Kind::kStream, std::move(accepted));
    if (!id.ok()) return id.status();
    return Accepted{*id, ToAddress(peer)};
  }
  const absl::Status error = SocketError(errno);
  if (!absl::IsResourceExhausted(error)) return NothingNow();
  RefuseOne(listener, descriptor);
  return error;
}

// The connection's number becomes the new reserve in one step, so that no other thread gets it.
void EpollTransport::RefuseOne(EndpointId listener, int descriptor) {
  reserve_.Close();
  SocketAddress peer;
  Descriptor refused(AcceptFrom(descriptor, &peer));
  if (refused.is_open()) {
    dup3(wake_.number(), refused.number(), O_CLOEXEC);
    reserve_ = std::move(refused);
    return;
  }
  TakeReserve();
  if (reserve_.is_open()) return;
  absl::MutexLock lock(&mutex_);
  Endpoint* endpoint = Find(listener);
  if (endpoint == nullptr || std::exchange(endpoint->is_resting, true)) return;
  resting_.push_back(listener);
  Watch(*endpoint, EPOLL_CTL_MOD);
}

void EpollTransport::TakeReserve() {
  if (!reserve_.is_open()) reserve_ = Descriptor(fcntl(wake_.number(), F_DUPFD_CLOEXEC, 0));
}

// -- Connecting -----------------------------------------------------------------------------------

EndpointId EpollTransport::Connect(const std::string& host, uint16_t port) {
  const std::string to = host.empty() ? "127.0.0.1" : host;
  absl::MutexLock lock(&mutex_);
  Endpoint& endpoint = Add(Kind::kConnecting, Descriptor());
  endpoint.attempt = std::make_unique<Attempt>();
  endpoint.attempt->port = port;
  if (!ParseSocketAddress(to, port).has_value()) {
    resolver_->Ask(endpoint.id, to);
    return endpoint.id;
  }
  endpoint.attempt->hosts = {to};
  if (!ConnectToNext(endpoint)) {
    failed_.push_back(endpoint.id);
    Interrupt();
  }
  return endpoint.id;
}

// Begins the next attempt that can begin. False: none is left, and attempt->error says why.
bool EpollTransport::ConnectToNext(Endpoint& endpoint) {
  Attempt& attempt = *endpoint.attempt;
  while (attempt.next < attempt.hosts.size()) {
    const int error = BeginConnect(endpoint, attempt.hosts[attempt.next++]);
    if (error == 0) return true;
    attempt.error = std::strerror(error);
  }
  return false;
}

// Not 0: the errno. The port is chosen when the peer is known, so that all ports serve each peer.
int EpollTransport::BindConnect(const Descriptor& socket) {
  if (connect_from_.empty()) return 0;
  const std::optional<SocketAddress> address = ParseSocketAddress(connect_from_, 0);
  if (!address.has_value()) return EADDRNOTAVAIL;
  SetOption(socket.number(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
  return bind(socket.number(), address->get(), address->size) == 0 ? 0 : errno;
}

// Not 0: the errno.
int EpollTransport::BeginConnect(Endpoint& endpoint, const std::string& host) {
  Unwatch(endpoint);
  endpoint.descriptor.Close();
  const std::optional<SocketAddress> address =
      ParseSocketAddress(host, endpoint.attempt->port);
  if (!address.has_value()) return EAFNOSUPPORT;
  Descriptor made(socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.is_open()) return errno;
  if (int error = BindConnect(made)) return error;
  SetOption(made.number(), SOL_SOCKET, SO_KEEPALIVE);
  if (endpoint.has_no_delay) SetOption(made.number(), IPPROTO_TCP, TCP_NODELAY);
  // A connect that a signal interrupts goes on (connect(2)).
  const int result = connect(made.number(), address->get(), address->size);
  if (result != 0 && errno != EINPROGRESS && errno != EINTR) return errno;
  endpoint.descriptor = std::move(made);
  const int error = Watch(endpoint, EPOLL_CTL_ADD);
  if (error != 0) endpoint.descriptor.Close();
  return error;
}

// -- Streams --------------------------------------------------------------------------------------

ReadResult EpollTransport::Read(EndpointId id, char* buffer, size_t capacity) {
  ReadResult result;
  const int descriptor = StreamOf(id);
  if (descriptor < 0 || capacity == 0) return result;
  const ssize_t size = Uninterrupted([&] { return read(descriptor, buffer, capacity); });
  if (size > 0) {
    result.size = static_cast<size_t>(size);
  } else if (size == 0) {
    result.is_end = true;
    EndStream(id);
  } else if (!IsNothingNow(errno)) {
    result.error = std::strerror(errno);
  }
  return result;
}

WriteResult EpollTransport::Write(EndpointId id, absl::string_view bytes) {
  const int descriptor = StreamOf(id);
  if (descriptor < 0) return {};
  ssize_t size = Uninterrupted(
      [&] { return send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
  if (size < 0 && errno == ENOTSOCK) size = WriteToPipe(descriptor, bytes);
  return WriteResultOf(size);
}

void EpollTransport::ShutdownRead(EndpointId id) {
  const int descriptor = StreamOf(id);
  if (descriptor >= 0) shutdown(descriptor, SHUT_RD);
}

void EpollTransport::ShutdownWrite(EndpointId id) {
  const int descriptor = StreamOf(id);
  if (descriptor >= 0) shutdown(descriptor, SHUT_WR);
}

void EpollTransport::Close(EndpointId id) {
  absl::MutexLock lock(&mutex_);
  if (Find(id) == nullptr) return;
  Remove(id);
  TakeReserve();
  for (EndpointId listener : std::exchange(resting_, {})) {
    Endpoint& rested = *Find(listener);
    rested.is_resting = false;
    Watch(rested, EPOLL_CTL_MOD);
  }
}

void EpollTransport::SetNoDelay(EndpointId id) {
  absl::MutexLock lock(&mutex_);
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr) return;
  endpoint->has_no_delay = true;
  if (!endpoint->descriptor.is_open()) return;  // set as soon as there is a socket
  SetOption(endpoint->descriptor.number(), IPPROTO_TCP, TCP_NODELAY);
}

Address EpollTransport::LocalAddress(EndpointId id) const {
  absl::MutexLock lock(&mutex_);
  auto found = endpoints_.find(id);
  if (found == endpoints_.end()) return {};
  return LocalAddressOf(found->second.descriptor.number());
}

// -- UDP ------------------------------------------------------------------------------------------

absl::StatusOr<EndpointId> EpollTransport::OpenUdp(const std::string& host, uint16_t port) {
  if (!host.empty() || port != 0) {
    absl::StatusOr<Descriptor> bound = BindTo(host, port, SOCK_DGRAM);
    if (!bound.ok()) return bound.status();
    return Install(Kind::kUdp, *std::move(bound));
  }
  Descriptor unbound(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!unbound.is_open()) return SocketError(errno);
  return Install(Kind::kUdp, std::move(unbound));
}

WriteResult EpollTransport::SendTo(EndpointId id, const Address& to, absl::string_view bytes) {
  const int descriptor = DescriptorOf(id, Kind::kUdp);
  if (descriptor < 0) return {};
  const std::optional<SocketAddress> address = ParseSocketAddress(to.host, to.port);
  if (!address.has_value()) return {0, std::strerror(EAFNOSUPPORT)};
  return WriteResultOf(Uninterrupted([&] {
    return sendto(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL, address->get(),
                  address->size);
  }));
}

absl::StatusOr<Datagram> EpollTransport::ReceiveFrom(EndpointId id) {
  const int descriptor = DescriptorOf(id, Kind::kUdp);
  if (descriptor < 0) return NothingNow();
  datagram_buffer_.resize(kDatagramBytesMax);
  SocketAddress from;
  const ssize_t size = Uninterrupted([&] {
    from.size = sizeof(from.storage);
    return recvfrom(descriptor, datagram_buffer_.data(), datagram_buffer_.size(), 0, from.get(),
                    &from.size);
  });
  if (size < 0) return IsNothingNow(errno) ? NothingNow() : SocketError(errno);
  return Datagram{ToAddress(from),
                  std::string(datagram_buffer_.data(), static_cast<size_t>(size))};
}

// -- Names and descriptors of others --------------------------------------------------------------

absl::StatusOr<std::vector<std::string>> EpollTransport::ResolveHost(const std::string& host) {
  if (ParseSocketAddress(host, 0).has_value()) return std::vector<std::string>{host};
  return lookup_(host);
}

std::string EpollTransport::HostName() const {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "localhost";
}

absl::StatusOr<EndpointId> EpollTransport::Adopt(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return SocketError(errno);
  struct stat facts;
  if (fstat(descriptor, &facts) != 0) return SocketError(errno);
  absl::MutexLock lock(&mutex_);
  Endpoint& endpoint = Add(Kind::kAdopted, Descriptor(descriptor));
  const EndpointId id = endpoint.id;
  endpoint.flags_before = flags;
  endpoint.is_socket = S_ISSOCK(facts.st_mode);
  const int error = Watch(endpoint, EPOLL_CTL_ADD);
  if (error != 0 && error != EPERM) {
    endpoint.descriptor.Release();
    endpoints_.erase(id);
    return SocketError(error);
  }
  fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
  endpoint.is_always_ready = error == EPERM;
  if (endpoint.is_always_ready) always_ready_.push_back(id);
  return id;
}

// -- The socket thread ----------------------------------------------------------------------------

void EpollTransport::Wait() {
  ready_anyway_ = AlwaysReady();
  const int timeout = ready_anyway_.empty() ? -1 : 0;
  event_count_ = Uninterrupted(
      [&] { return epoll_wait(epoll_.number(), events_.data(), kEventsMax, timeout); });
  CHECK_GE(event_count_, 0) << std::strerror(errno);
}

void EpollTransport::Tell() {
  for (int i = 0; i < event_count_; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    if (event.data.u64 == kWakeId) {
      OnWoken();
    } else {
      Dispatch(event.data.u64, event.events);
    }
  }
  for (EndpointId id : ready_anyway_) Dispatch(id, EPOLLIN | EPOLLOUT);
}

void EpollTransport::OnWoken() {
  uint64_t count = 0;
  Uninterrupted([&] { return read(wake_.number(), &count, sizeof(count)); });
  std::vector<EndpointId> failed;
  {
    absl::MutexLock lock(&mutex_);
    failed.swap(failed_);
  }
  for (EndpointId id : failed) FailConnect(id);
  for (const NameResolver::Answer& answer : resolver_->TakeAnswers()) OnAnswer(answer);
}

void EpollTransport::OnAnswer(const NameResolver::Answer& answer) {
  {
    absl::MutexLock lock(&mutex_);
    Endpoint* endpoint = Find(answer.ticket);
    if (endpoint == nullptr) return;  // closed meanwhile
    if (answer.addresses.ok()) {
      endpoint->attempt->hosts = *answer.addresses;
      if (ConnectToNext(*endpoint)) return;
    } else {
      endpoint->attempt->error = std::string(answer.addresses.status().message());
    }
  }
  FailConnect(answer.ticket);
}

void EpollTransport::FailConnect(EndpointId id) {
  std::string error;
  {
    absl::MutexLock lock(&mutex_);
    Endpoint* endpoint = Find(id);
    if (endpoint == nullptr) return;  // closed meanwhile
    error = std::move(endpoint->attempt->error);
    Remove(id);
  }
  sink_->OnConnectFailed(id, error);
}

std::vector<EndpointId> EpollTransport::AlwaysReady() {
  absl::MutexLock lock(&mutex_);
  std::vector<EndpointId> ready;
  for (EndpointId id : always_ready_) {
    const Endpoint& endpoint = *Find(id);
    if (endpoint.is_reading || endpoint.is_writing) ready.push_back(id);
  }
  return ready;
}

void EpollTransport::Dispatch(EndpointId id, uint32_t ready) {
  Report report;
  {
    absl::MutexLock lock(&mutex_);
    report = Look(id, ready);
  }
  switch (report.kind) {
    case Report::Kind::kNothing: return;
    case Report::Kind::kConnected: return sink_->OnConnected(id, report.peer);
    case Report::Kind::kConnectFailed: return sink_->OnConnectFailed(id, report.error);
    case Report::Kind::kBroken: return sink_->OnBroken(id, report.error);
    case Report::Kind::kReady: break;
  }
  if (report.is_readable) {
    if (report.is_listener) return sink_->OnAcceptable(id);
    sink_->OnReadable(id);
    if (report.is_writable && !IsWriting(id)) return;
  }
  if (report.is_writable) sink_->OnWritable(id);
}

EpollTransport::Report EpollTransport::Look(EndpointId id, uint32_t ready) {
  Report report;
  Endpoint* endpoint = Find(id);
  if (endpoint == nullptr) return report;
  if (endpoint->kind == Kind::kConnecting) return LookAtConnect(*endpoint);
  const bool is_on = endpoint->is_reading || endpoint->is_writing;
  const bool is_broken = endpoint->is_socket && (ready & kBreak) != 0;
  if (is_broken && (!is_on || (endpoint->has_ended && (ready & EPOLLERR) != 0))) {
    const int error = TakeError(endpoint->descriptor.number());
    if (error != 0) report.error = std::strerror(error);
    // Without an error a Write() was quicker to take it; what is on hears of it in its own way.
    if (error != 0 || (!is_on && (ready & EPOLLHUP) != 0)) {
      // An event from before a switch comes in addition to the one that the switch asked for.
      if (!is_on && std::exchange(endpoint->has_told_break, true)) return report;
      report.kind = Report::Kind::kBroken;
      return report;
    }
  }
  report.kind = Report::Kind::kReady;
  report.is_listener = endpoint->kind == Kind::kListener;
  report.is_readable = endpoint->is_reading && (ready & (EPOLLIN | kBreak)) != 0;
  report.is_writable = endpoint->is_writing && (ready & (EPOLLOUT | kBreak)) != 0;
  return report;
}

EpollTransport::Report EpollTransport::LookAtConnect(Endpoint& endpoint) {
  Report report;
  int error = TakeError(endpoint.descriptor.number());
  if (error == 0) report.peer = PeerAddressOf(endpoint.descriptor.number());
  if (!report.peer.host.empty()) {
    endpoint.kind = Kind::kStream;
    endpoint.attempt.reset();
    endpoint.is_reading = true;
    Watch(endpoint, EPOLL_CTL_MOD);
    report.kind = Report::Kind::kConnected;
    return report;
  }
  // It was established, and reset since.
  if (error == 0) error = TakeError(endpoint.descriptor.number());
  endpoint.attempt->error = std::strerror(error == 0 ? ECONNRESET : error);
  if (ConnectToNext(endpoint)) return report;
  report.kind = Report::Kind::kConnectFailed;
  report.error = std::move(endpoint.attempt->error);
  Remove(endpoint.id);
  return report;
}

bool EpollTransport::IsWriting(EndpointId id) {
  absl::MutexLock lock(&mutex_);
  const Endpoint* endpoint = Find(id);
  return endpoint != nullptr && endpoint->is_writing;
}

}  // namespace skysim
