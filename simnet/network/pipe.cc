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
  if (link_.has_cut()) TakeCut();
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
                        config.bursts.enter.numerator == 0 && config.jitter_ns == 0 &&
                        config.delay.shape == Delay::Shape::kConstant;
  return is_plain ? size : std::min<uint64_t>(size, std::max<uint32_t>(config.mss_bytes, 1));
}

void Pipe::TrySend(bool has_turn) {
  if (is_recovering_ || is_abandoned_) return;
  while (sent_ < End()) {
    const uint64_t size = SegmentBytes();
    if (size == 0) return WaitForWindow();
    is_window_closed_ = false;
    const LinkConfig& config = link_.config();
    if (config.bandwidth_bytes_per_s != 0) {
      const int64_t turn_ns = TurnNs(size, has_turn);
      if (turn_ns > events_.NowNs()) return Schedule(turn_ns, kPump, &pump_ticket_);
      has_turn = false;
    }
    if (!Transmit(SegmentKind::kData, size)) return;
  }
}

void Pipe::WaitForWindow() {
  if (!std::exchange(is_window_closed_, true)) window_closed_ns_ = events_.NowNs();
  if (ends_.MayBeSilent(direction_)) ProbeWindow();
}

// When `size` bytes may go on a link with a bandwidth. With a queue, who has nothing waiting there
// tries at once, and loses the segment if it is full; who has waits until there is room.
int64_t Pipe::TurnNs(uint64_t size, bool has_turn) const {
  const LinkConfig& config = link_.config();
  if (config.queue_bytes == 0) {
    if (has_turn) return 0;
    return link_.busy_until_ns() - link_.TransmissionNs(kQueuedSegmentsMax * config.mss_bytes);
  }
  if (!has_turn && last_left_ns_ <= events_.NowNs()) return 0;
  const uint64_t room = config.queue_bytes - std::min(size, config.queue_bytes);
  return link_.busy_until_ns() - link_.TransmissionNs(room);
}

// A lost segment does not stop those that are sent behind it: they pass through a burst as well.
void Pipe::PassInVain(uint64_t size) {
  const LinkConfig& config = link_.config();
  if (config.bursts.enter.numerator == 0) return;
  const uint64_t window = config.receive_window_bytes;
  const uint64_t behind = std::min(End() - sent_ - size, window - std::min(window, sent_ - read_));
  link_.PassInVain(streams_, behind / std::max<uint32_t>(config.mss_bytes, 1));
}

// Puts a segment on the wire. False: it was lost there.
bool Pipe::Transmit(SegmentKind kind, uint64_t size) {
  const int64_t now_ns = events_.NowNs();
  if (link_.is_partitioned() || link_.ShouldLose(streams_) || link_.IsFull(now_ns, size) ||
      (link_.has_middle_box && ends_.IsForgotten(direction_, kind))) {
    if (kind == SegmentKind::kData) {
      is_recovering_ = true;
      PassInVain(size);
    }
    if (kind == SegmentKind::kEstablish) ends_.OnEstablishLost(direction_);
    if (kind == SegmentKind::kData || kind == SegmentKind::kProbe) StartRetry(now_ns);
    return false;
  }
  const int64_t left_ns = last_left_ns_ = link_.Transmit(now_ns, size);
  sent_ += size;
  Launch(kind, left_ns + streams_.ChooseDelayNs(link_.config()));
  return true;
}

void Pipe::Launch(SegmentKind kind, int64_t arrival_ns) {
  last_arrival_ns_ = std::max(last_arrival_ns_, arrival_ns);
  if (kind == SegmentKind::kData && !flights_.empty()) {
    Flight& last = flights_.back();
    if (last.kind == kind && last.arrival_ns == last_arrival_ns_ && last.epoch == link_.epoch() &&
        !last.is_held && !last.is_kept) {
      last.end = sent_;
      last.cause = cause_;
      return;
    }
  }
  flights_.push_back(
      {last_arrival_ns_, events_.NowNs(), sent_, cause_, link_.epoch(), kind, /*is_held=*/false,
       /*is_kept=*/false, /*is_free=*/false, /*turn=*/0});
  if (deliver_ticket_ == 0) ScheduleDelivery();
}

int64_t Pipe::FirstTimeoutNs() const {
  return kRetryNsMin + (round_trip_ns_ >= 0 ? round_trip_ns_ : UsualRoundTripNs());
}

int64_t Pipe::RetryTimeoutNs() const {
  // The cap is reached long before the shift could overflow: 200 ms << 10 > 120 s.
  return std::min(FirstTimeoutNs() << std::min(retries_, 10), kRetryNsMax);
}

// Linux, tcp_send_probe0: each probe waits twice as long as the one before, whether or not that was
// answered. Only the count after which the sender gives up begins anew with an answer.
int64_t Pipe::NextWindowProbeNs() const {
  int64_t wait_ns = std::min(FirstTimeoutNs(), kRetryNsMax);
  int64_t when_ns = window_closed_ns_ + wait_ns;
  while (when_ns <= events_.NowNs()) {
    wait_ns = std::min(2 * wait_ns, kRetryNsMax);
    when_ns += wait_ns;
  }
  return when_ns;
}

void Pipe::StartRetry(int64_t since_ns) {
  if (is_abandoned_) return;
  const int64_t when_ns = IsWaitingForWindow() ? NextWindowProbeNs() : since_ns + RetryTimeoutNs();
  Schedule(when_ns, kRetry, &retry_ticket_);
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
  if (position > acked_) window_closed_ns_ = events_.NowNs();
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
  Flight& first = flights_.front();
  if (IsLost(first)) return Lose();
  if (first.is_kept) {
    first.is_held = true;
    return;
  }
  if (IsStopped(first)) return Hold();
  Arrive();
}

// The first flight is lost. Data behind it cannot arrive before it is sent again.
void Pipe::Lose() {
  LoseFrom(0);
}

void Pipe::LoseFrom(size_t index) {
  const Flight lost = flights_[index];
  if (lost.kind == SegmentKind::kData) {
    if (is_abandoned_) return LoseForGood(index);
    sent_ = StartOf(index);
    flights_.erase(index, flights_.size() - index);
    is_recovering_ = true;
    return StartRetry(std::max(lost.sent_ns, events_.NowNs() - RetryTimeoutNs()));
  }
  flights_.erase(index, 1);
  ScheduleDelivery();
  if (lost.kind == SegmentKind::kReset) is_reset_under_way_ = false;
  if (lost.kind == SegmentKind::kProbe) StartRetry(lost.sent_ns);
  if (lost.kind == SegmentKind::kEstablish) ends_.OnEstablishLost(direction_);
}

// As LoseFrom(), for data that nobody will send again: the stream ends before the hole. A RST
// behind it still comes.
void Pipe::LoseForGood(size_t index) {
  const uint64_t end = std::min(StartOf(index), written_);
  Ring<Flight> others;
  for (size_t i = 0; i < flights_.size(); ++i) {
    Flight& flight = flights_[i];
    if (i >= index && flight.kind == SegmentKind::kData) continue;
    flight.end = std::min(flight.end, end);
    others.push_back(flight);
  }
  flights_ = others;
  is_finished_ = false;
  sent_ = written_ = end;
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
    if (flight.is_kept) return;
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

void Pipe::OnReleased(const Pieces& pieces) {
  is_kept_ = false;
  const bool is_cut = pieces.bytes != 0 || !pieces.at.empty();
  if (is_cut && cuts_ == nullptr) cuts_ = std::make_unique<Cuts>();
  for (size_t i = 0; i < flights_.size() && flights_[i].is_held; ++i) {
    flights_[i].arrival_ns = events_.NowNs() + (pieces.is_joined() ? 0 : flights_[i].turn);
    last_arrival_ns_ = std::max(last_arrival_ns_, flights_[i].arrival_ns);
    if (is_cut) cuts_->until = flights_[i].end;
  }
  if (is_cut) {
    cuts_->from = arrived_;
    cuts_->every = pieces.bytes;
    std::vector<uint64_t> at;
    for (uint64_t place : pieces.at) at.push_back(arrived_ + place);
    cuts_->at.insert(cuts_->at.begin(), at.begin(), at.end());
    std::sort(cuts_->at.begin(), cuts_->at.end());
  }
  DeliverAnew();
}

// The first flight may be due at another time than it was.
void Pipe::DeliverAnew() {
  events_.Cancel(std::exchange(deliver_ticket_, 0));
  ScheduleDelivery();
}

// -- What a story does to one segment -------------------------------------------------------------

std::vector<Pipe::Listed> Pipe::List() const {
  std::vector<Listed> list;
  for (size_t i = 0; i < flights_.size(); ++i) {
    const Flight& flight = flights_[i];
    const uint64_t start = StartOf(i);
    const bool is_data = flight.kind == SegmentKind::kData;
    list.push_back({{start, flight.sent_ns, flight.kind},
                    flight.arrival_ns,
                    is_data ? std::min(flight.end, written_) - std::min(start, written_) : 0,
                    is_data && flight.end > written_,
                    flight.is_held || flight.is_kept});
  }
  return list;
}

// The number of flights: it is not there.
size_t Pipe::FindFlight(const FlightKey& key) const {
  size_t index = 0;
  while (index < flights_.size() &&
         (StartOf(index) != key.start || flights_[index].sent_ns != key.sent_ns ||
          flights_[index].kind != key.kind)) {
    ++index;
  }
  return index;
}

bool Pipe::DeliverNow(const FlightKey& key) {
  const size_t index = FindFlight(key);
  if (index == flights_.size()) return false;
  Flight& flight = flights_[index];
  flight.is_kept = false;
  flight.is_free = true;
  flight.arrival_ns =
      std::max(events_.NowNs(), index == 0 ? int64_t{0} : flights_[index - 1].arrival_ns);
  DeliverAnew();
  return true;
}

bool Pipe::Drop(const FlightKey& key) {
  const size_t index = FindFlight(key);
  if (index == flights_.size()) return false;
  LoseFrom(index);
  return true;
}

bool Pipe::Keep(const FlightKey& key) {
  const size_t index = FindFlight(key);
  if (index == flights_.size()) return false;
  flights_[index].is_kept = true;
  return true;
}

bool Pipe::LetGo(const FlightKey& key) {
  const size_t index = FindFlight(key);
  if (index == flights_.size()) return false;
  Flight& flight = flights_[index];
  if (!std::exchange(flight.is_kept, false)) return true;
  flight.arrival_ns = std::max(flight.arrival_ns, events_.NowNs());
  DeliverAnew();
  return true;
}

// -- The receiving end ----------------------------------------------------------------------------

void Pipe::Arrive() {
  const Flight flight = flights_.front();
  heard_ns_ = events_.NowNs();
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
         flights_.front().arrival_ns == first.arrival_ns && !IsLost(flights_.front()) &&
         !IsStopped(flights_.front())) {
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
    rest.is_free = true;
    flights_.push_front(rest);
    last_arrival_ns_ = std::max(last_arrival_ns_, rest.arrival_ns);
  }
  ScheduleDelivery();
  SendAcknowledgement(first.sent_ns);
  ends_.OnArrived(direction_, taken, cause);
}

// Where the delivery of the bytes up to `end` is cut, if it is.
uint64_t Pipe::MaybeSplit(uint64_t end) {
  if (cuts_ != nullptr) {
    const uint64_t cut = NextCut();
    if (cut != 0) return std::min(cut, end);
    cuts_ = nullptr;
  }
  const uint64_t size = end - arrived_;
  const Ratio split = link_.config().split;
  if (split.numerator == 0 || size < 2 || !streams_.ShouldSplit(split)) return end;
  return arrived_ + streams_.ChooseSplitBytes(size);
}

// The first position behind what has arrived; 0: there is none.
uint64_t Pipe::NextCut() const {
  uint64_t cut = 0;
  const auto next = std::upper_bound(cuts_->at.begin(), cuts_->at.end(), arrived_);
  if (next != cuts_->at.end()) cut = *next;
  if (cuts_->every != 0 && arrived_ < cuts_->until) {
    const uint64_t passed = (arrived_ - cuts_->from) / cuts_->every;
    const uint64_t every = std::min(cuts_->from + (passed + 1) * cuts_->every, cuts_->until);
    cut = cut == 0 ? every : std::min(cut, every);
  }
  return cut;
}

// The lengths that the link has for what is written now.
void Pipe::TakeCut() {
  if (cuts_ == nullptr) cuts_ = std::make_unique<Cuts>();
  uint64_t position = written_;
  cuts_->at.push_back(position);
  for (uint64_t length : link_.TakeCut()) cuts_->at.push_back(position += length);
  std::sort(cuts_->at.begin(), cuts_->at.end());
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
  answered_ns_ = events_.NowNs();
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
