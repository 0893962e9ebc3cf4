#include "engine/core/timers.h"

#include <utility>

namespace skysim {

Timers::Timers(Clock& clock, TimerSink& sink)
    : clock_(clock), sink_(sink), began_ns_(clock.NowNs()) {
  int64_t wall_cs = clock.WallNs() / kTickNs;
  start_s_ = wall_cs / 100;
  start_cs_ = wall_cs % 100;
}

int64_t Timers::Now() const { return start_cs_ + Tick(); }

void Timers::Add(Handle handle, int32_t session, int64_t ticks, uint64_t cause) {
  int64_t tick = Tick() + ticks;
  absl::MutexLock lock(&mutex_);
  bool is_first = entries_.empty() || tick < entries_.begin()->first;
  entries_[tick].push_back({handle, session, cause});
  if (is_first) clock_.SetAlarm(TimeOf(tick), this);
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
    if (!entries_.empty()) clock_.SetAlarm(TimeOf(entries_.begin()->first), this);
  }
  for (const std::vector<Entry>& tick : due) {
    for (const Entry& entry : tick) sink_.OnTimer(entry.handle, entry.session, entry.cause);
  }
}

}  // namespace skysim
