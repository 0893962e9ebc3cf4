#include "simnet/world/sim_clock.h"

namespace skysim {

SimClock::~SimClock() {
  if (ticket_ != 0) events_.Cancel(ticket_);
}

void SimClock::SetAlarm(int64_t when_ns, AlarmSink* sink) {
  if (ticket_ != 0) events_.Cancel(ticket_);
  sink_ = sink;
  ticket_ = events_.Schedule(when_ns, this, 0);
}

void SimClock::Happen(uint64_t) {
  ticket_ = 0;
  sink_->OnAlarm();
}

}  // namespace skysim
