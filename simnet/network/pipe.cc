#include "simnet/network/pipe.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"

// Positions and what may happen to them. `sent_` runs ahead while segments fly; losing one moves it
// back to `arrived_`, clears the wire and leaves the rest to Retry(), so that at any time the
// flights cover exactly (arrived_, sent_] in order. A pipe has at most one delivery event, for the
// first flight; events that come too early (their flight was cleared) find nothing due and set a
// new one. Calls into ends_ may write, close or reset this pipe: each is the last thing its caller
// does.

namespace skysim {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNsPerS = 1000 * kNsPerMs;

// Linux: include/net/tcp.h, TCP_RTO_MIN (HZ/5) and TCP_RTO_MAX (120 HZ). The time-out is the
// smoothed round trip plus the variance term, whose floor is TCP_RTO_MIN (__tcp_set_rto).
constexpr int64_t kRetryNsMin = 200 * kNsPerMs;
constexpr int64_t kRetryNsMax = 120 * kNsPerS;

// Linux: sysctl net.ipv4.tcp_retries2 = 15, about 924 s; tcp_orphan_retries = 0 means 8 for a
// closed socket that was alive.
constexpr int kRetriesMax = 15;
constexpr int kOrphanRetriesMax = 8;

// With a limited bandwidth one connection may have that many segments waiting for the link (as TCP
// small queues do), so that connections share it.
constexpr uint64_t kQueuedSegmentsMax = 4;

// Between two parts of a chunk that a choice split: enough for other events to come between.
constexpr int64_t kSplitGapNs = 10'000;

enum What : uint64_t { kDeliver, kAck, kRetry, kPump };

}  // namespace

Pipe::Pipe(PipeEnds& ends, int direction, Link& link, Link& back, LinkStreams streams,
           EventQueue& events)
    : ends_(ends),
      direction_(direction),
      link_(link),
      back_(back),
      streams_(std::move(streams)),
      events_(events) {}

Pipe::~Pipe() {
  for (uint64_t ticket : {deliver_ticket_, ack_ticket_, retry_ticket_, pump_ticket_}) {
    events_.Cancel(ticket);
  }
  if (is_kept_) link_.Forget(this);
}

void Pipe::Schedule(int64_t when_ns, uint64_t what, uint64_t* ticket) {
  if (*ticket == 0) *ticket = events_.Schedule(when_ns, this, what);
}

void Pipe::Happen(uint64_t argument) {
  switch (argument) {
    case kDeliver:
      deliver_ticket_ = 0;
      return Deliver();
    case kAck:
      ack_ticket_ = 0;
      return TakeAcknowledgements();
    case kRetry:
      retry_ticket_ = 0;
      return Retry();
    case kPump:
      pump_ticket_ = 0;
      return TrySend(/*has_turn=*/true);
  }
}

// -- The sending end ------------------------------------------------------------------------------

uint64_t Pipe::Space() const {
  const uint64_t used = written_ - std::min(acked_, written_);
  const uint64_t buffer = link_.config().send_buffer_bytes;
  return used < buffer ? buffer - used : 0;
}

size_t Pipe::Write(absl::string_view bytes, uint64_t cause) {
  CHECK(!is_finished_);
  if (is_abandoned_) return bytes.size();
  const size_t size = std::min<uint64_t>(bytes.size(), Space());
  if (size == 0) return 0;
  bytes_.Append(bytes.substr(0, size));
  written_ += size;
  cause_ = cause;
  if (retries_ == 0) TrySend();
  return size;
}

void Pipe::Finish() {
  if (is_finished_ || is_abandoned_) return;
  is_finished_ = true;
  if (retries_ == 0) TrySend();
}

void Pipe::SendReset() {
  Abandon();
  if (is_reset_under_way_) return;
  is_reset_under_way_ = Transmit(SegmentKind::kReset, 0);
}

void Pipe::Abandon() {
  if (is_abandoned_) return;
  is_abandoned_ = true;
  if (sent_ < End()) {
    is_finished_ = false;
    written_ = sent_;
    bytes_.Truncate(written_ - std::min(read_, written_));
  }
  acks_.clear();
  for (uint64_t* ticket : {&ack_ticket_, &retry_ticket_, &pump_ticket_}) {
    events_.Cancel(std::exchange(*ticket, 0));
  }
}

// Bytes that may go out as one segment now; 0 if the receiver's window is closed.
uint64_t Pipe::SegmentBytes() const {
  const LinkConfig& config = link_.config();
  const uint64_t unread = sent_ - read_;
  if (unread >= config.receive_window_bytes) return 0;
  const uint64_t size = std::min(End() - sent_, config.receive_window_bytes - unread);
  // Segments that nothing can tell apart travel as one.
  const bool is_plain = config.bandwidth_bytes_per_s == 0 && config.loss.numerator == 0 &&
                        config.delay.shape == Delay::Shape::kConstant;
  return is_plain ? size : std::min<uint64_t>(size, std::max<uint32_t>(config.mss_bytes, 1));
}

void Pipe::TrySend(bool has_turn) {
  if (is_recovering_ || is_abandoned_) return;
  while (sent_ < End()) {
    const uint64_t size = SegmentBytes();
    is_window_closed_ = size == 0;
    if (is_window_closed_) return;
    const LinkConfig& config = link_.config();
    if (config.bandwidth_bytes_per_s != 0) {
      const auto ahead_ns = static_cast<int64_t>(
          static_cast<unsigned __int128>(kQueuedSegmentsMax) * config.mss_bytes * kNsPerS /
          config.bandwidth_bytes_per_s);
      const int64_t turn_ns = link_.busy_until_ns() - ahead_ns;
      if (!has_turn && turn_ns > events_.NowNs()) return Schedule(turn_ns, kPump, &pump_ticket_);
      has_turn = false;
    }
    if (!Transmit(SegmentKind::kData, size)) return;
  }
}

// Puts a segment on the wire. False: it was lost there.
bool Pipe::Transmit(SegmentKind kind, uint64_t size) {
  const int64_t now_ns = events_.NowNs();
  if (link_.is_partitioned() || streams_.ShouldLose(link_.config().loss)) {
    if (kind == SegmentKind::kData) is_recovering_ = true;
    if (kind == SegmentKind::kEstablish) ends_.OnEstablishLost(direction_);
    if (kind == SegmentKind::kData || kind == SegmentKind::kProbe) StartRetry(now_ns);
    return false;
  }
  const int64_t left_ns = link_.Transmit(now_ns, size);
  sent_ += size;
  Launch(kind, left_ns + streams_.ChooseDelayNs(link_.config().delay));
  return true;
}

void Pipe::Launch(SegmentKind kind, int64_t arrival_ns) {
  last_arrival_ns_ = std::max(last_arrival_ns_, arrival_ns);
  if (kind == SegmentKind::kData && !flights_.empty()) {
    Flight& last = flights_.back();
    if (last.kind == kind && last.arrival_ns == last_arrival_ns_ && last.epoch == link_.epoch() &&
        !last.is_held) {
      last.end = sent_;
      last.cause = cause_;
      return;
    }
  }
  flights_.push_back(
      {last_arrival_ns_, events_.NowNs(), sent_, cause_, link_.epoch(), kind, /*is_held=*/false,
       /*turn=*/0});
  if (deliver_ticket_ == 0) ScheduleDelivery();
}

int64_t Pipe::RetryTimeoutNs() const {
  const int64_t round_trip_ns = round_trip_ns_ >= 0 ? round_trip_ns_ : UsualRoundTripNs();
  const int64_t first_ns = kRetryNsMin + round_trip_ns;
  // The cap is reached long before the shift could overflow: 200 ms << 10 > 120 s.
  return std::min(first_ns << std::min(retries_, 10), kRetryNsMax);
}

void Pipe::StartRetry(int64_t since_ns) {
  if (is_abandoned_) return;
  Schedule(since_ns + RetryTimeoutNs(), kRetry, &retry_ticket_);
}

void Pipe::Retry() {
  const bool is_ack_missing = !is_recovering_ && acked_ < arrived_;
  if (!is_recovering_ && !is_ack_missing && !is_window_closed_) return;
  if (retries_ >= (ends_.IsOrphan(direction_) ? kOrphanRetriesMax : kRetriesMax)) {
    return ends_.OnTimedOut(direction_);
  }
  ++retries_;
  if (is_recovering_) {
    is_recovering_ = false;
    return TrySend();
  }
  // The receiver has it all, or has opened its window, and the sender does not know: ask again.
  if (Transmit(SegmentKind::kProbe, 0)) StartRetry(events_.NowNs());
}

void Pipe::TakeAcknowledgements() {
  uint64_t position = acked_;
  while (!acks_.empty() && acks_.front().arrival_ns <= events_.NowNs()) {
    const Ack ack = acks_.front();
    acks_.pop_front();
    if (back_.HasLost(ack.epoch)) {
      StartRetry(events_.NowNs());
    } else {
      position = ack.position;
    }
  }
  if (!acks_.empty()) Schedule(acks_.front().arrival_ns, kAck, &ack_ticket_);
  Acknowledged(position);
}

void Pipe::Acknowledged(uint64_t position) {
  acked_ = std::max(acked_, position);
  retries_ = 0;
  round_trip_ns_ = UsualRoundTripNs();
  // A lost segment still waits for its time-out; TrySend() knows.
  if (acked_ == arrived_ && !is_recovering_) {
    events_.Cancel(std::exchange(retry_ticket_, 0));
  }
  TrySend();
  if (IsDrained()) return ends_.OnDrained(direction_);
  if (ends_.IsWaitingForSpace(direction_) && IsWritable()) ends_.OnSpace(direction_);
}

// -- The wire -------------------------------------------------------------------------------------

void Pipe::ScheduleDelivery() {
  if (!flights_.empty()) Schedule(flights_.front().arrival_ns, kDeliver, &deliver_ticket_);
}

bool Pipe::IsLost(const Flight& flight) const {
  if (!flight.is_held && link_.HasLost(flight.epoch)) return true;
  return !ends_.IsReceiverUp(direction_);
}

void Pipe::Deliver() {
  if (flights_.empty()) return;
  if (flights_.front().arrival_ns > events_.NowNs()) return ScheduleDelivery();
  if (IsLost(flights_.front())) return Lose();
  if (link_.is_held()) return Hold();
  Arrive();
}

// The first flight is lost. Data behind it cannot arrive before it is sent again.
void Pipe::Lose() {
  const Flight lost = flights_.front();
  if (lost.kind == SegmentKind::kData) {
    if (is_abandoned_) return LoseForGood();
    flights_.clear();
    sent_ = arrived_;
    is_recovering_ = true;
    return StartRetry(std::max(lost.sent_ns, events_.NowNs() - RetryTimeoutNs()));
  }
  flights_.pop_front();
  ScheduleDelivery();
  if (lost.kind == SegmentKind::kReset) is_reset_under_way_ = false;
  if (lost.kind == SegmentKind::kProbe) StartRetry(lost.sent_ns);
  if (lost.kind == SegmentKind::kEstablish) ends_.OnEstablishLost(direction_);
}

// As Lose(), for data that nobody will send again: the stream ends before the hole. A RST behind it
// still comes.
void Pipe::LoseForGood() {
  Ring<Flight> others;
  for (size_t i = 0; i < flights_.size(); ++i) {
    if (flights_[i].kind != SegmentKind::kData) others.push_back(flights_[i]);
  }
  flights_ = others;
  is_finished_ = false;
  sent_ = written_ = arrived_;
  bytes_.Truncate(written_ - read_);
  ScheduleDelivery();
}

// Keeps the flights that are due at the far end, and goes on watching those behind them.
void Pipe::Hold() {
  if (!is_kept_) link_.Keep(this);
  is_kept_ = true;
  for (size_t i = 0; i < flights_.size(); ++i) {
    Flight& flight = flights_[i];
    if (flight.is_held) continue;
    if (flight.arrival_ns > events_.NowNs()) {
      return Schedule(flight.arrival_ns, kDeliver, &deliver_ticket_);
    }
    flight.is_held = !link_.HasLost(flight.epoch);
    if (!flight.is_held) return;  // lost behind held ones: found out when they are released
    const bool is_same = i > 0 && flights_[i - 1].arrival_ns == flight.arrival_ns;
    flight.turn = is_same ? flights_[i - 1].turn : link_.TakeTurn();
  }
}

uint64_t Pipe::HeldBytes() const {
  uint64_t end = arrived_;
  for (size_t i = 0; i < flights_.size() && flights_[i].is_held; ++i) end = flights_[i].end;
  return std::min(end, written_) - std::min(arrived_, written_);
}

void Pipe::OnReleased(bool as_one_chunk) {
  is_kept_ = false;
  for (size_t i = 0; i < flights_.size() && flights_[i].is_held; ++i) {
    flights_[i].arrival_ns = events_.NowNs() + (as_one_chunk ? 0 : flights_[i].turn);
    last_arrival_ns_ = std::max(last_arrival_ns_, flights_[i].arrival_ns);
  }
  events_.Cancel(std::exchange(deliver_ticket_, 0));
  ScheduleDelivery();
}

// -- The receiving end ----------------------------------------------------------------------------

void Pipe::Arrive() {
  const Flight flight = flights_.front();
  if (flight.kind == SegmentKind::kData) return TakeData();
  flights_.pop_front();
  ScheduleDelivery();
  switch (flight.kind) {
    case SegmentKind::kEstablish:
      return ends_.OnEstablished(direction_);
    case SegmentKind::kReset:
      is_reset_under_way_ = false;
      return ends_.OnReset(direction_);
    case SegmentKind::kProbe:
      if (!ends_.Takes(direction_, flight.kind, false)) return ends_.OnRefused(direction_);
      return SendAcknowledgement(flight.sent_ns);
    case SegmentKind::kData:
      return;
  }
}

void Pipe::TakeData() {
  const Flight first = flights_.front();
  uint64_t end = first.end, cause = first.cause;
  flights_.pop_front();
  while (!flights_.empty() && flights_.front().kind == SegmentKind::kData &&
         flights_.front().arrival_ns == first.arrival_ns && !IsLost(flights_.front())) {
    end = flights_.front().end;
    cause = flights_.front().cause;
    flights_.pop_front();
  }
  const uint64_t bytes = std::min(end, written_) - std::min(arrived_, written_);
  if (!ends_.Takes(direction_, SegmentKind::kData, bytes != 0)) {
    arrived_ = end;
    DropUnread();
    ScheduleDelivery();
    StartRetry(first.sent_ns);  // the RST that answers may get lost
    return ends_.OnRefused(direction_);
  }
  const uint64_t taken_end = MaybeSplit(end);
  const uint64_t taken = std::min(taken_end, written_) - std::min(arrived_, written_);
  arrived_ = taken_end;
  if (taken_end < end) {
    Flight rest = first;
    rest.arrival_ns = events_.NowNs() + kSplitGapNs;
    rest.end = end;
    rest.cause = cause;
    rest.is_held = true;  // it has crossed the link
    flights_.push_front(rest);
    last_arrival_ns_ = std::max(last_arrival_ns_, rest.arrival_ns);
  }
  ScheduleDelivery();
  SendAcknowledgement(first.sent_ns);
  ends_.OnArrived(direction_, taken, cause);
}

// Where the delivery of the bytes up to `end` is cut, if it is.
uint64_t Pipe::MaybeSplit(uint64_t end) {
  const uint64_t size = end - arrived_;
  const Ratio split = link_.config().split;
  if (split.numerator == 0 || size < 2 || !streams_.ShouldSplit(split)) return end;
  return arrived_ + streams_.ChooseSplitBytes(size);
}

size_t Pipe::Unread() const { return std::min(arrived_, written_) - read_; }

size_t Pipe::Read(char* buffer, size_t capacity) {
  const size_t size = std::min(capacity, Unread());
  if (size == 0) return 0;
  bytes_.Take(buffer, size);
  read_ += size;
  // The window opens again when there is room for two segments, or for half of a small window.
  if (is_window_closed_ && ack_ticket_ == 0 && !is_abandoned_) {
    const LinkConfig& config = link_.config();
    const uint64_t unread = sent_ - read_;
    const uint64_t room =
        config.receive_window_bytes - std::min(unread, config.receive_window_bytes);
    if (room >= std::min<uint64_t>(2 * config.mss_bytes, (config.receive_window_bytes + 1) / 2)) {
      SendAcknowledgement(events_.NowNs());
    }
  }
  return size;
}

void Pipe::DropUnread() {
  const size_t size = Unread();
  bytes_.Drop(size);
  read_ += size;
}

// Tells the sender how far the stream has arrived (and that there is room). Its retransmission of
// what was sent at `sent_ns` follows if that gets lost.
void Pipe::SendAcknowledgement(int64_t sent_ns) {
  if (is_abandoned_) return;
  if (back_.is_partitioned()) {
    return StartRetry(std::max(sent_ns, events_.NowNs() - RetryTimeoutNs()));
  }
  const bool is_calm = retries_ == 0 && !is_window_closed_ && acks_.empty() &&
                       !ends_.IsWaitingForSpace(direction_) &&
                       Space() >= link_.config().send_buffer_bytes / 2;
  if (is_calm && !is_recovering_) {
    acked_ = arrived_;
    round_trip_ns_ = UsualRoundTripNs();
    if (IsDrained()) ends_.OnDrained(direction_);
    return;
  }
  acks_.push_back({events_.NowNs() + back_.UsualDelayNs(), arrived_, back_.epoch()});
  Schedule(acks_.front().arrival_ns, kAck, &ack_ticket_);
}

}  // namespace skysim
