#include "simnet/world/sim_executor.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"

namespace skysim {

namespace {

// How often an operating system interferes, and how long: mostly a few dispatches, seldom a time
// slice of a loaded machine. Chosen so that short runs see some of it and still look like runs.
constexpr uint64_t kStallOneIn = 16;
constexpr uint64_t kLongStallOneIn = 32;  // of the stalls
constexpr int64_t kStallDispatches = 20;
constexpr int64_t kLongStallNs = 4'000'000;  // Linux CFS: a time slice
constexpr uint64_t kStretchOneIn = 32;

std::string StreamName(const std::string& node, const char* what) {
  return absl::StrCat("node/", node, "/", what);
}

}  // namespace

SimExecutor::SimExecutor(EventQueue& events, ChoiceSource& choices, Sink& sink, Options options)
    : events_(events),
      choices_(choices),
      sink_(sink),
      options_(std::move(options)),
      stall_stream_(choices.Stream(StreamName(options_.node, "stall"))),
      stall_length_stream_(choices.Stream(StreamName(options_.node, "stall_length"))),
      stretch_stream_(choices.Stream(StreamName(options_.node, "stretch"))),
      stretch_gap_stream_(choices.Stream(StreamName(options_.node, "stretch_gap"))),
      turns_(static_cast<size_t>(options_.workers)) {
  for (int worker = options_.workers - 1; worker >= 0; --worker) free_.push_back(worker);
}

SimExecutor::~SimExecutor() { Stop(); }

void SimExecutor::Stop() {
  is_stopped_ = true;
  for (Turn& turn : turns_) {
    if (turn.ticket != 0) events_.Cancel(turn.ticket);
    turn.ticket = 0;
    turn.effects.clear();
    if (turn.runnable != nullptr) queue_.push_back(std::exchange(turn.runnable, nullptr));
  }
  while (!queue_.empty()) {
    Runnable* runnable = queue_.front();
    queue_.pop_front();
    runnable->Drop();
  }
}

void SimExecutor::Submit(Runnable* runnable) {
  if (is_stopped_) return runnable->Drop();
  queue_.push_back(runnable);
  if (!free_.empty() && !is_paused_) Begin();
}

void SimExecutor::Pause() {
  CHECK(!is_paused_);
  is_paused_ = true;
  for (Turn& turn : turns_) {
    if (turn.ticket == 0) continue;
    events_.Cancel(turn.ticket);
    turn.left_ns = turn.due_ns - events_.NowNs();
    paused_turns_.push_back(&turn);
  }
  std::sort(paused_turns_.begin(), paused_turns_.end(), [](const Turn* a, const Turn* b) {
    return a->left_ns != b->left_ns ? a->left_ns < b->left_ns : a->ticket < b->ticket;
  });
}

void SimExecutor::Resume() {
  CHECK(is_paused_);
  is_paused_ = false;
  for (Turn* turn : std::exchange(paused_turns_, {})) Schedule(*turn, turn->left_ns);
  while (!free_.empty() && !queue_.empty()) Begin();
}

void SimExecutor::Schedule(Turn& turn, int64_t delay_ns) {
  turn.due_ns = events_.NowNs() + delay_ns;
  turn.ticket = events_.Schedule(turn.due_ns, this, static_cast<uint64_t>(&turn - turns_.data()));
}

void SimExecutor::Defer(absl::AnyInvocable<void()> effect) {
  CHECK(deferring_turn_ != nullptr);
  deferring_turn_->effects.push_back(std::move(effect));
}

void SimExecutor::Flush() {
  if (deferring_turn_ == nullptr) return;
  while (!deferring_turn_->effects.empty()) {
    absl::AnyInvocable<void()> effect = std::move(deferring_turn_->effects.front());
    deferring_turn_->effects.pop_front();
    effect();
  }
}

// A free worker takes the first in line.
void SimExecutor::Begin() {
  uint32_t worker = free_.back();
  free_.pop_back();
  Turn& turn = turns_[worker];
  turn.runnable = queue_.front();
  queue_.pop_front();
  cpu_ns_ += DispatchNs();
  Schedule(turn, DispatchNs() + DrawStall());
}

int64_t SimExecutor::DrawStall() {
  if (!choices_.ChooseOneIn(stall_stream_, 1, kStallOneIn)) return 0;
  uint64_t draw = choices_.Choose(stall_length_stream_, kLongStallOneIn * 1024);
  int64_t range_ns = options_.dispatch_ns * kStallDispatches;
  if (draw >= (kLongStallOneIn - 1) * 1024) range_ns = kLongStallNs;
  return range_ns * static_cast<int64_t>(draw % 1024 + 1) / 1024;
}

void SimExecutor::Happen(uint64_t worker) {
  Turn& turn = turns_[worker];
  turn.ticket = 0;
  if (turn.is_stretched) {
    NextEffect(turn);
  } else {
    Run(turn);
  }
}

void SimExecutor::Run(Turn& turn) {
  bool may_stretch = options_.workers > 1;
  if (may_stretch && choices_.ChooseOneIn(stretch_stream_, 1, kStretchOneIn)) {
    turn.is_stretched = true;
    turn.effect_gap_ns =
        slowdown_ *
        (1 + static_cast<int64_t>(choices_.Choose(stretch_gap_stream_, 2 * options_.dispatch_ns)));
    is_deferring_ = true;
    deferring_turn_ = &turn;
  }
  turn.has_mail = turn.runnable->RunOne();
  if (!turn.has_mail) turn.runnable = nullptr;  // it may be gone, though it has left effects
  is_deferring_ = false;
  deferring_turn_ = nullptr;
  sink_.OnDispatched();
  if (is_stopped_) return;
  if (turn.is_stretched) {
    NextEffect(turn);
  } else {
    End(turn);
  }
}

void SimExecutor::NextEffect(Turn& turn) {
  if (!turn.effects.empty()) {
    absl::AnyInvocable<void()> effect = std::move(turn.effects.front());
    turn.effects.pop_front();
    effect();
    if (is_stopped_) return;
  }
  if (turn.effects.empty()) return End(turn);
  Schedule(turn, turn.effect_gap_ns);
}

void SimExecutor::End(Turn& turn) {
  turn.is_stretched = false;
  if (turn.has_mail) queue_.push_back(turn.runnable);
  turn.runnable = nullptr;
  free_.push_back(static_cast<uint32_t>(&turn - turns_.data()));
  if (!queue_.empty()) Begin();
}

}  // namespace skysim
