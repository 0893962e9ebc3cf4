#include "engine/core/timers.h"

#include <utility>

namespace skysim {

Timers::Timers(Clock& clock, TimerSink& sink, bool follows_wall_clock)
    : clock_(clock), sink_(sink), follows_wall_clock_(follows_wall_clock), began_ns_(ReadNs()) {
  int64_t wall_cs = clock.WallNs() / kTickNs;
  start_s_ = wall_cs / 100;
  start_cs_ = wall_cs % 100;
}

int64_t Timers::AlarmFor(int64_t tick) const {
  if (follows_wall_clock_) return (clock_.NowNs() / kTickNs + 1) * kTickNs;
  return began_ns_ + tick * kTickNs;
}

int64_t Timers::Now() const { return start_cs_ + Tick(); }

void Timers::Add(Handle handle, int32_t session, int64_t ticks, uint64_t cause) {
  int64_t tick = Tick() + ticks;
  absl::MutexLock lock(&mutex_);
  bool is_first = entries_.empty() || tick < entries_.begin()->first;
  entries_[tick].push_back({handle, session, cause});
  if (is_first) clock_.SetAlarm(AlarmFor(tick), this);
}

void Timers::OnAlarm() {
  int64_t now = Tick();
  std::vector<std::vector<Entry>> due;
  {
    absl::MutexLock lock(&mutex_);
    while (!entries_.empty() && entries_.begin()->first <= now) {
      due.push_back(std::move(entries_.begin()->second));
      entries_.erase(entries_.begin());
    }
    if (!entries_.empty()) clock_.SetAlarm(AlarmFor(entries_.begin()->first), this);
  }
  for (const std::vector<Entry>& tick : due) {
    for (const Entry& entry : tick) sink_.OnTimer(entry.handle, entry.session, entry.cause);
  }
}

}  // namespace skysim
