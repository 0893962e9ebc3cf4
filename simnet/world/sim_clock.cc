#include "simnet/world/sim_clock.h"

#include <utility>

namespace skysim {

SimClock::~SimClock() {
  if (ticket_ != 0) events_.Cancel(ticket_);
}

void SimClock::SetAlarm(int64_t when_ns, AlarmSink* sink) {
  sink_ = sink;
  alarm_ns_ = when_ns;
  Schedule();
}

void SimClock::OnDriftChanged() {
  if (ticket_ != 0) Schedule();
}

void SimClock::Schedule() {
  if (ticket_ != 0) events_.Cancel(ticket_);
  ticket_ = events_.Schedule(machine_.VirtualNs(alarm_ns_), this, 0);
}

void SimClock::Resume() {
  is_paused_ = false;
  if (std::exchange(is_overdue_, false)) Schedule();
}

void SimClock::Happen(uint64_t) {
  ticket_ = 0;
  is_overdue_ = is_paused_;
  if (is_overdue_) return;
  sink_->OnAlarm();
}

}  // namespace skysim
