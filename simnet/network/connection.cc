#include "simnet/network/connection.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "simnet/network/host_transport.h"

namespace skysim {
namespace {

constexpr int64_t kNsPerS = 1'000'000'000;

// Linux: the first SYN and each retry wait twice as long as the one before, from TCP_TIMEOUT_INIT =
// 1 s; tcp_syn_retries = 6, so retries at 1, 3, ..., 63 s and ETIMEDOUT at 127 s.
// tcp_synack_retries = 5, and the half-open connection is dropped at 63 s.
constexpr int64_t kSynRetryS[] = {1, 3, 7, 15, 31, 63};
constexpr int64_t kSynTimeoutS = 127;
constexpr int64_t kSynAckRetryS[] = {1, 3, 7, 15, 31};
constexpr int64_t kSynAckTimeoutS = 63;

// Linux: tcp_fin_timeout = 60 s: a closed socket waits no longer for its peer's FIN.
constexpr int64_t kFinWaitS = 60;

// Linux: net.ipv4.tcp_keepalive_time, tcp_keepalive_intvl, tcp_keepalive_probes.
constexpr int64_t kKeepaliveNs = 7200 * kNsPerS;
constexpr int64_t kKeepaliveIntervalNs = 75 * kNsPerS;
constexpr int kKeepaliveProbes = 9;

constexpr char kRefused[] = "Connection refused";
constexpr char kReset[] = "Connection reset by peer";
constexpr char kTimedOut[] = "Connection timed out";
constexpr char kBrokenPipe[] = "Broken pipe";

enum What : uint64_t {
  kSyn = 1,
  kSynAck,
  kRefusal,
  kSynRetry,
  kConnectTimeout,
  kServerRetry,
  kFinWait0,
  kFinWait1,
  kKeepalive0,
  kKeepalive1,
  kBoxReset0,
  kBoxReset1,
};

// The first of `slots_s` after `since_ns` that is still to come, else the last.
template <size_t kCount>
int64_t NextSlotNs(const int64_t (&slots_s)[kCount], int64_t since_ns, int64_t now_ns) {
  for (int64_t slot_s : slots_s) {
    if (since_ns + slot_s * kNsPerS > now_ns) return since_ns + slot_s * kNsPerS;
  }
  return 0;
}

LinkStreams StreamsOf(Fabric& fabric, const Link& link, const char* kind, uint64_t number) {
  return LinkStreams(fabric.choices, link.name(), absl::StrCat(kind, "/", number));
}

}  // namespace

Connection::Connection(Fabric& fabric, uint64_t serial, uint64_t number, Host& from, Host& to,
                       const Address& from_address, const Address& to_address, EndpointId endpoint)
    : fabric_(fabric),
      serial_(serial),
      forth_(fabric.LinkOf(from, to)),
      back_(fabric.LinkOf(to, from)),
      sides_{{&from, from_address, endpoint}, {&to, to_address, 0}},
      pipes_{{*this, 0, forth_, back_, StreamsOf(fabric, forth_, "conn", number), fabric.events},
             {*this, 1, back_, forth_, StreamsOf(fabric, back_, "back", number), fabric.events}} {}

Connection::~Connection() {
  for (uint64_t ticket : {packet_ticket_, client_ticket_, server_ticket_,
                          sides_[0].fin_wait_ticket, sides_[1].fin_wait_ticket}) {
    fabric_.events.Cancel(ticket);
  }
  for (const Side& side : sides_) {
    fabric_.events.Cancel(side.keepalive_ticket);
    fabric_.events.Cancel(side.box_ticket);
  }
  if (kept_by_ != nullptr) kept_by_->Forget(this);
}

void Connection::Happen(uint64_t argument) {
  switch (argument) {
    case kSyn:
      packet_ticket_ = packet_ = 0;
      return ReceiveSyn();
    case kSynAck:
    case kRefusal:
      packet_ticket_ = packet_ = 0;
      return ReceiveAnswer(argument);
    case kSynRetry:
      client_ticket_ = 0;
      return SendSyn();
    case kConnectTimeout:
      client_ticket_ = 0;
      return FailConnect(kTimedOut);
    case kServerRetry:
      server_ticket_ = 0;
      return RetryServer();
    case kFinWait0:
    case kFinWait1: {
      const int side = argument == kFinWait0 ? 0 : 1;
      sides_[side].fin_wait_ticket = 0;
      return Forget(side);
    }
    case kKeepalive0:
    case kKeepalive1:
      return KeepAlive(argument == kKeepalive0 ? 0 : 1);
    case kBoxReset0:
    case kBoxReset1:
      return ResetByBox(argument == kBoxReset0 ? 0 : 1);
  }
}

// -- The handshake, in the order of its segments --------------------------------------------------

void Connection::Start() {
  syn_sent_ns_ = fabric_.events.NowNs();
  if (forth_.connects_delayed > 0) {
    --forth_.connects_delayed;
    extra_delay_ns_ = forth_.connect_delay_ns;
  }
  SendSyn();
}

void Connection::SendSyn() {
  if (forth_.connect_rule == ConnectRule::kBlackHole || forth_.is_partitioned() ||
      forth_.ShouldLose(pipes_[0].streams())) {
    return RetrySynLater();
  }
  packet_epoch_ = forth_.epoch();
  const int64_t delay_ns = pipes_[0].streams().ChooseDelayNs(forth_.config()) +
                           std::exchange(extra_delay_ns_, 0);
  ScheduleHandshake(fabric_.events.NowNs() + delay_ns, kSyn);
}

void Connection::ReceiveSyn() {
  if (KeepsHandshake(forth_, kSyn)) return;
  if (IsHandshakeLost(forth_) || !sides_[1].host->is_up ||
      forth_.connect_rule == ConnectRule::kBlackHole) {
    return RetrySynLater();
  }
  if (sides_[1].state == State::kHalfOpen) return SendAnswer(kSynAck);
  HostTransport* transport = sides_[1].host->transport.get();
  HostTransport::Listener* listener =
      transport == nullptr ? nullptr : transport->FindListener(sides_[1].address);
  if (listener == nullptr || forth_.connect_rule == ConnectRule::kRefuse) {
    return SendAnswer(kRefusal);
  }
  if (listener->IsFull()) return RetrySynLater();
  sides_[1].state = State::kHalfOpen;
  half_open_ns_ = fabric_.events.NowNs();
  listener_ = listener->endpoint;
  ++listener->half_open;
  SendAnswer(kSynAck);
}

void Connection::SendAnswer(uint64_t what) {
  if (back_.is_partitioned() || back_.ShouldLose(pipes_[1].streams())) {
    if (what == kSynAck) RetryServerLater();
    return RetrySynLater();
  }
  packet_epoch_ = back_.epoch();
  const int64_t delay_ns = pipes_[1].streams().ChooseDelayNs(back_.config());
  ScheduleHandshake(fabric_.events.NowNs() + delay_ns, what);
}

void Connection::ReceiveAnswer(uint64_t what) {
  if (KeepsHandshake(back_, what)) return;
  if (IsHandshakeLost(back_)) {
    if (what == kSynAck) RetryServerLater();
    return RetrySynLater();
  }
  if (what == kRefusal) return FailConnect(kRefused);
  if (sides_[0].state != State::kNone) return;  // closed meanwhile; its RST is under way
  fabric_.events.Cancel(std::exchange(client_ticket_, 0));
  sides_[0].state = State::kOpen;
  // The server lost its power after it had answered: what the client sends will draw a RST.
  if (sides_[1].state == State::kNone) Forget(1);
  pipes_[0].SendEstablish();
  if (NeedsKeepalive(0)) StartKeepalive(0);
  sides_[0].host->transport->OnConnected(sides_[0].endpoint, sides_[1].address);
}

// True if the held link keeps the segment; the client's patience still ends.
bool Connection::KeepsHandshake(Link& link, uint64_t what) {
  if (!link.is_held() || is_packet_free_ || IsHandshakeLost(link)) return false;
  link.Keep(this);
  kept_by_ = &link;
  packet_ = what;
  kept_turn_ = link.TakeTurn();
  has_packet_crossed_ = true;
  LimitPatience();
  return true;
}

void Connection::LimitPatience() {
  if (client_ticket_ == 0 && sides_[0].state == State::kNone) {
    client_ticket_ =
        fabric_.events.Schedule(syn_sent_ns_ + kSynTimeoutS * kNsPerS, this, kConnectTimeout);
  }
}

void Connection::OnReleased(const Pieces& pieces) {
  kept_by_ = nullptr;
  const int64_t turn_ns = pieces.is_joined() ? 0 : kept_turn_;
  packet_ticket_ = fabric_.events.Schedule(fabric_.events.NowNs() + turn_ns, this, packet_);
}

void Connection::ScheduleHandshake(int64_t when_ns, uint64_t what) {
  has_packet_crossed_ = is_packet_kept_ = is_packet_free_ = false;
  packet_ = what;
  packet_sent_ns_ = fabric_.events.NowNs();
  packet_arrival_ns_ = when_ns;
  packet_ticket_ = fabric_.events.Schedule(when_ns, this, what);
  const int64_t deadline_ns = syn_sent_ns_ + kSynTimeoutS * kNsPerS;
  if (when_ns > deadline_ns && client_ticket_ == 0) {
    client_ticket_ = fabric_.events.Schedule(deadline_ns, this, kConnectTimeout);
  }
}

// -- What a story does to a segment of the handshake ----------------------------------------------

std::optional<Connection::Packet> Connection::FindPacket() const {
  if (packet_ == 0) return std::nullopt;
  const char* kind = packet_ == kSyn ? "syn" : packet_ == kSynAck ? "syn-ack" : "rst";
  return Packet{kind, packet_ == kSyn ? 0 : 1, kept_by_ != nullptr || is_packet_kept_,
                packet_sent_ns_, packet_arrival_ns_};
}

// The segment is neither on its way nor kept. False: it is another one.
bool Connection::StopPacket(int64_t sent_ns) {
  if (packet_ == 0 || packet_sent_ns_ != sent_ns) return false;
  fabric_.events.Cancel(std::exchange(packet_ticket_, 0));
  if (kept_by_ != nullptr) std::exchange(kept_by_, nullptr)->Forget(this);
  return true;
}

bool Connection::DeliverNow(int64_t sent_ns) {
  if (!StopPacket(sent_ns)) return false;
  is_packet_kept_ = false;
  is_packet_free_ = true;
  packet_ticket_ = fabric_.events.Schedule(fabric_.events.NowNs(), this, packet_);
  return true;
}

bool Connection::Drop(int64_t sent_ns) {
  if (!StopPacket(sent_ns)) return false;
  if (std::exchange(packet_, 0) == kSynAck) RetryServerLater();
  RetrySynLater();
  return true;
}

bool Connection::Keep(int64_t sent_ns) {
  if (!StopPacket(sent_ns)) return false;
  const Link& link = packet_ == kSyn ? forth_ : back_;
  has_packet_crossed_ = !IsHandshakeLost(link);
  is_packet_kept_ = true;
  LimitPatience();
  return true;
}

bool Connection::LetGo(int64_t sent_ns) {
  if (packet_ == 0 || packet_sent_ns_ != sent_ns) return false;
  if (!std::exchange(is_packet_kept_, false)) return true;
  packet_ticket_ = fabric_.events.Schedule(
      std::max(packet_arrival_ns_, fabric_.events.NowNs()), this, packet_);
  return true;
}

void Connection::RetrySynLater() {
  if (sides_[0].state != State::kNone || client_ticket_ != 0) return;
  const int64_t slot_ns = NextSlotNs(kSynRetryS, syn_sent_ns_, fabric_.events.NowNs());
  client_ticket_ = slot_ns != 0
                       ? fabric_.events.Schedule(slot_ns, this, kSynRetry)
                       : fabric_.events.Schedule(syn_sent_ns_ + kSynTimeoutS * kNsPerS, this,
                                                 kConnectTimeout);
}

void Connection::FailConnect(const char* error) {
  const EndpointId endpoint = std::exchange(sides_[0].endpoint, 0);
  Host& host = *sides_[0].host;
  LeaveHalfOpen();
  sides_[1].state = State::kGone;
  Forget(0);
  if (host.transport != nullptr) host.transport->OnConnectFailed(endpoint, error);
}

void Connection::EstablishServer() {
  HostTransport* transport = sides_[1].host->transport.get();
  const EndpointId id = listener_;
  LeaveHalfOpen();
  HostTransport::Listener* listener =
      transport == nullptr ? nullptr : transport->FindListener(id);
  if (listener == nullptr) {
    sides_[1].state = State::kGone;
    pipes_[1].SendReset();
    return RemoveIfOver();
  }
  sides_[1].state = State::kOpen;
  sides_[1].is_queued = true;
  transport->OnEstablished(*listener, this);
}

// The server's kernel sends its SYN-ACK again when the end of the handshake does not come.
void Connection::RetryServerLater() {
  if (sides_[1].state != State::kHalfOpen || server_ticket_ != 0) return;
  const int64_t slot_ns = NextSlotNs(kSynAckRetryS, half_open_ns_, fabric_.events.NowNs());
  server_ticket_ = fabric_.events.Schedule(
      slot_ns != 0 ? slot_ns : half_open_ns_ + kSynAckTimeoutS * kNsPerS, this, kServerRetry);
}

void Connection::RetryServer() {
  if (sides_[1].state != State::kHalfOpen) return;
  const bool is_connecting = sides_[0].state == State::kNone;
  if (fabric_.events.NowNs() >= half_open_ns_ + kSynAckTimeoutS * kNsPerS) {
    return Forget(1);
  }
  if (back_.is_partitioned() || is_connecting) return RetryServerLater();
  if (sides_[0].state == State::kGone) return Forget(1);  // the SYN-ACK draws a RST
  pipes_[0].SendEstablish();
}

void Connection::LeaveHalfOpen() {
  if (sides_[1].state != State::kHalfOpen) return;
  HostTransport* transport = sides_[1].host->transport.get();
  HostTransport::Listener* listener =
      transport == nullptr ? nullptr : transport->FindListener(listener_);
  if (listener != nullptr) --listener->half_open;
  sides_[1].state = State::kNone;
  fabric_.events.Cancel(std::exchange(server_ticket_, 0));
}

void Connection::Accept(EndpointId endpoint) {
  CHECK(sides_[1].is_queued);
  sides_[1].is_queued = false;
  sides_[1].endpoint = endpoint;
  ++forth_.accepted;
  if (NeedsKeepalive(1)) StartKeepalive(1);
}

// -- Silence --------------------------------------------------------------------------------------

// When the kernel of `side` last heard of the other (Linux: lrcvtime and rcv_tstamp).
int64_t Connection::HeardNs(int side) const {
  const Pipe& out = pipes_[side];
  const Link& back = side == 0 ? back_ : forth_;
  const int64_t answered_ns =
      out.answered_ns() == 0 ? 0 : out.answered_ns() + back.UsualDelayNs();
  return std::max({pipes_[1 - side].heard_ns(), std::min(answered_ns, fabric_.events.NowNs()),
                   syn_sent_ns_});
}

bool Connection::NeedsKeepalive(int side) const {
  return forth_.is_partitioned() || back_.is_partitioned() || forth_.flow_rule.idle_ns != 0 ||
         !sides_[1 - side].host->is_up || sides_[1 - side].state == State::kGone;
}

void Connection::WatchSilence() {
  for (int side : {0, 1}) {
    if (NeedsKeepalive(side)) {
      StartKeepalive(side);
      pipes_[side].ProbeWindow();
    } else if (sides_[side].probes == 0) {
      fabric_.events.Cancel(std::exchange(sides_[side].keepalive_ticket, 0));
    }
  }
}

// At the next time at which it asks, if it has heard nothing since. What was asked and answered
// before left no trace here: then it has asked every two hours.
void Connection::StartKeepalive(int side) {
  Side& self = sides_[side];
  if (self.state != State::kOpen || self.endpoint == 0 || self.keepalive_ticket != 0) return;
  const int64_t heard_ns = HeardNs(side);
  const int64_t rounds = (fabric_.events.NowNs() - heard_ns) / kKeepaliveNs + 1;
  self.probes = 0;
  self.keepalive_ticket = fabric_.events.Schedule(heard_ns + rounds * kKeepaliveNs, this,
                                                  side == 0 ? kKeepalive0 : kKeepalive1);
}

// Linux, tcp_keepalive_timer.
void Connection::KeepAlive(int side) {
  Side& self = sides_[side];
  self.keepalive_ticket = 0;
  if (self.state != State::kOpen || self.endpoint == 0) return;
  const int64_t now_ns = fabric_.events.NowNs();
  // Retransmissions find out by themselves whether anybody is there.
  const bool is_busy = pipes_[side].IsWaitingForAcknowledgement();
  const bool has_answer = self.probes > 0 && now_ns - HeardNs(side) < kKeepaliveIntervalNs;
  if (is_busy || has_answer || now_ns - HeardNs(side) < kKeepaliveNs) {
    if (NeedsKeepalive(side) || is_busy) StartKeepalive(side);
    return;
  }
  if (self.probes == kKeepaliveProbes) {
    pipes_[side].SendReset();
    return Break(side, kTimedOut);
  }
  ++self.probes;
  self.keepalive_ticket = fabric_.events.Schedule(now_ns + kKeepaliveIntervalNs, this,
                                                  side == 0 ? kKeepalive0 : kKeepalive1);
  pipes_[side].SendProbe();
}

bool Connection::IsForgotten(int direction, SegmentKind kind) {
  const Link::FlowRule& rule = forth_.flow_rule;
  if (rule.idle_ns == 0) return false;
  const int64_t now_ns = fabric_.events.NowNs();
  if (!is_forgotten_) {
    const int64_t passed_ns =
        std::max({pipes_[0].last_left_ns(), pipes_[1].last_left_ns(), pipes_[0].answered_ns(),
                  pipes_[1].answered_ns(), syn_sent_ns_, rule.since_ns});
    is_forgotten_ = now_ns - passed_ns >= rule.idle_ns;
  }
  Side& self = sides_[direction];
  const bool draws_reset = kind == SegmentKind::kData || kind == SegmentKind::kProbe;
  if (is_forgotten_ && rule.resets && draws_reset && self.box_ticket == 0) {
    self.box_ticket = fabric_.events.Schedule(
        now_ns + forth_.UsualDelayNs() + back_.UsualDelayNs(), this,
        direction == 0 ? kBoxReset0 : kBoxReset1);
  }
  return is_forgotten_;
}

// The RST of a middle box reaches `side`. If it is lost, the next segment draws another.
void Connection::ResetByBox(int side) {
  sides_[side].box_ticket = 0;
  const Link& back = side == 0 ? back_ : forth_;
  if (back.is_partitioned() || !sides_[side].host->is_up) return;
  Break(side, pipes_[1 - side].HasFinArrived() ? kBrokenPipe : kReset);
}

// -- What the programs do -------------------------------------------------------------------------

// Linux, tcp_recvmsg: what was received comes first, even after a RST; then the end of the stream
// if a FIN came (SOCK_DONE), then the error, once, and the end ever after.
ReadResult Connection::Read(int side, char* buffer, size_t capacity) {
  Side& self = sides_[side];
  Pipe& in = pipes_[1 - side];
  ReadResult result;
  result.size = in.Read(buffer, capacity);
  if (result.size != 0 || in.Unread() != 0) return result;
  if (!in.HasFinArrived() && self.error != nullptr) {
    result.error = std::exchange(self.error, nullptr);
  } else if (in.HasFinArrived() || self.is_broken || self.is_read_shut) {
    result.is_end = self.has_seen_end = true;
  }
  return result;
}

// Linux, sk_stream_error: a pending error first, EPIPE ever after.
WriteResult Connection::Write(int side, absl::string_view bytes, uint64_t cause) {
  Side& self = sides_[side];
  WriteResult result;
  if (self.error != nullptr) {
    result.error = std::exchange(self.error, nullptr);
  } else if (self.is_broken || self.is_write_shut) {
    result.error = kBrokenPipe;
  } else if (self.state == State::kOpen) {
    result.size = pipes_[side].Write(bytes, cause);
  }
  return result;
}

bool Connection::IsReadable(int side) const {
  const Side& self = sides_[side];
  const Pipe& in = pipes_[1 - side];
  return in.Unread() != 0 || in.HasFinArrived() || self.is_broken || self.is_read_shut;
}

bool Connection::IsWritable(int side) const {
  const Side& self = sides_[side];
  if (self.is_broken || self.is_write_shut) return true;
  return self.state == State::kOpen && pipes_[side].IsWritable();
}

bool Connection::IsHungUp(int side) const {
  const Side& self = sides_[side];
  if (self.is_broken) return true;
  return self.is_write_shut && (self.is_read_shut || pipes_[1 - side].HasFinArrived());
}

void Connection::ShutdownRead(int side) { sides_[side].is_read_shut = true; }

void Connection::ShutdownWrite(int side) {
  Side& self = sides_[side];
  if (self.state != State::kOpen || self.is_write_shut) return;
  self.is_write_shut = true;
  pipes_[side].Finish();
}

void Connection::Close(int side) {
  Side& self = sides_[side];
  self.endpoint = 0;
  self.waits_for_space = false;
  self.error = nullptr;
  if (self.state == State::kNone) return CloseConnecting();
  if (self.state != State::kOpen) return RemoveIfOver();
  if (pipes_[1 - side].Unread() != 0) return Abort(side);
  self.state = State::kClosed;
  pipes_[side].Finish();
  if (pipes_[side].IsDrained()) OnDrained(side);
}

void Connection::CloseConnecting() {
  const bool is_half_open = sides_[1].state == State::kHalfOpen;
  fabric_.events.Cancel(std::exchange(client_ticket_, 0));
  if (is_half_open) {
    pipes_[0].SendReset();
    RetryServerLater();
  } else {
    sides_[1].state = State::kGone;
  }
  Forget(0);
}

void Connection::Abort(int side) {
  sides_[side].is_queued = false;
  pipes_[1 - side].DropUnread();
  pipes_[side].SendReset();
  Forget(side);
}

// -- What the pipes bring -------------------------------------------------------------------------

bool Connection::IsReceiverUp(int direction) const { return sides_[1 - direction].host->is_up; }

bool Connection::Takes(int direction, SegmentKind, bool has_bytes) const {
  switch (sides_[1 - direction].state) {
    case State::kHalfOpen:
    case State::kOpen:
      return true;
    case State::kClosed:
      return !has_bytes;
    case State::kNone:
    case State::kGone:
      return false;
  }
  return false;
}

// The RST that answers ends the receiver's side as well, if it still had one: data came for a
// program that has closed (Linux: TCPABORTONDATA).
void Connection::OnRefused(int direction) {
  pipes_[1 - direction].SendReset();
  Forget(1 - direction);
}

void Connection::OnArrived(int direction, uint64_t bytes, uint64_t cause) {
  const int side = 1 - direction;
  Side& self = sides_[side];
  if (self.state == State::kHalfOpen) EstablishServer();
  if (self.state == State::kGone) return;  // its listener was closed
  Observer* observer = self.host->observer;
  if (bytes != 0 && observer != nullptr) {
    Event event;
    event.kind = EventKind::kSegment;
    event.size = bytes;
    event.cause = cause;
    event.text = pipes_[direction].link().name();
    self.cause = observer->Record(event);
  }
  if (self.state == State::kClosed && pipes_[side].IsDrained()) return OnDrained(side);
  Poll(side);
}

void Connection::OnEstablished(int) {
  if (sides_[1].state == State::kHalfOpen) return EstablishServer();
  // The server gave up before: the ACK draws a RST.
  if (sides_[1].state == State::kGone || sides_[1].state == State::kNone) OnRefused(0);
}

void Connection::OnEstablishLost(int) { RetryServerLater(); }

void Connection::OnReset(int direction) {
  const int side = 1 - direction;
  if (sides_[side].state == State::kHalfOpen) return Forget(side);
  Break(side, pipes_[direction].HasFinArrived() ? kBrokenPipe : kReset);
}

void Connection::OnTimedOut(int direction) { Break(direction, kTimedOut); }

void Connection::OnSpace(int direction) { Poll(direction); }

void Connection::OnDrained(int direction) {
  Side& self = sides_[direction];
  if (self.state != State::kClosed) return;
  if (pipes_[1 - direction].HasFinArrived()) return Forget(direction);
  if (self.fin_wait_ticket != 0) return;
  self.fin_wait_ticket =
      fabric_.events.Schedule(fabric_.events.NowNs() + kFinWaitS * kNsPerS, this,
                              direction == 0 ? kFinWait0 : kFinWait1);
}

// -- Ends -----------------------------------------------------------------------------------------

// The connection is over for the kernel of `side`; its program, if any, is told.
void Connection::Break(int side, const char* error) {
  Side& self = sides_[side];
  if (self.state == State::kGone) return;
  const bool is_open = self.state == State::kOpen;
  Forget(side);
  if (!is_open) return;
  self.is_broken = true;
  self.error = error;
  Poll(side);
}

void Connection::Forget(int side) {
  const bool is_half_open = side == 1 && sides_[1].state == State::kHalfOpen;
  if (is_half_open) LeaveHalfOpen();
  // The client still tries: its next SYN begins anew.
  if (is_half_open && sides_[0].state == State::kNone) return;
  Side& self = sides_[side];
  self.state = State::kGone;
  pipes_[side].Abandon();
  pipes_[1 - side].ProbeWindow();
  fabric_.events.Cancel(std::exchange(self.fin_wait_ticket, 0));
  fabric_.events.Cancel(std::exchange(self.keepalive_ticket, 0));
  StartKeepalive(1 - side);
  RemoveIfOver();
}

void Connection::RemoveIfOver() {
  for (const Side& side : sides_) {
    if (side.state != State::kGone || side.endpoint != 0 || side.is_queued) return;
  }
  if (!std::exchange(is_removed_, true)) fabric_.Remove(serial_);
}

bool Connection::Reset() {
  if (sides_[0].state != State::kOpen && sides_[1].state != State::kOpen) return false;
  LeaveHalfOpen();
  for (int side : {0, 1}) {
    Side& self = sides_[side];
    if (self.state == State::kOpen) {
      self.is_broken = true;
      self.error = pipes_[1 - side].HasFinArrived() ? kBrokenPipe : kReset;
      if (self.endpoint != 0) self.host->transport->WakeSoon(self.endpoint);
    }
    Forget(side);
  }
  return true;
}

bool Connection::IsHalfDead() const {
  const State one = sides_[0].state, other = sides_[1].state;
  return (one == State::kOpen && other == State::kGone) ||
         (one == State::kGone && other == State::kOpen);
}

void Connection::PowerOff(int side) {
  Side& self = sides_[side];
  const bool was_connecting = side == 0 && self.state == State::kNone;
  self.endpoint = 0;
  self.is_queued = false;
  self.error = nullptr;
  pipes_[1 - side].DropUnread();
  if (was_connecting && sides_[1].state == State::kNone) sides_[1].state = State::kGone;
  if (was_connecting) RetryServerLater();
  // A SYN may be on its way here: the host has not heard of the connection, and need not forget it.
  if (side == 0 || self.state != State::kNone) Forget(side);
}

const char* Connection::StateName() const {
  const bool has_server = sides_[1].state != State::kNone && sides_[1].state != State::kHalfOpen;
  if (sides_[0].state == State::kNone || !has_server) return "connecting";
  return sides_[0].state == State::kOpen && sides_[1].state == State::kOpen ? "open" : "closing";
}

void Connection::Poll(int side) {
  const Side& self = sides_[side];
  if (self.endpoint != 0 && self.host->transport != nullptr) {
    self.host->transport->Poll(self.endpoint);
  }
}

}  // namespace skysim
