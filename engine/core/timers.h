#ifndef ENGINE_CORE_TIMERS_H_
#define ENGINE_CORE_TIMERS_H_

#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/handle.h"
#include "engine/platform/clock.h"

namespace skysim {

// Receives expired timers, on the timer thread.
class TimerSink {
 public:
  virtual ~TimerSink() = default;
  virtual void OnTimer(Handle handle, int32_t session, uint64_t cause) = 0;
};

// Timers counts a node's time in ticks of 10 ms (centiseconds) and keeps what waits for one. As in
// skynet a timer of n ticks fires at the n-th tick from now, so after more than n-1 ticks; timers
// of one tick fire in the order in which they were set. Any thread.
class Timers final : private AlarmSink {
 public:
  static constexpr int64_t kTickNs = 10'000'000;

  // Both borrowed. `follows_wall_clock`: Legacy::ticks_by_wall_clock; ticks are counted by the wall
  // clock then, and looked at once per tick.
  Timers(Clock& clock, TimerSink& sink, bool follows_wall_clock = false);

  // Centiseconds since the node began, counted from the centiseconds of its wall clock then, so
  // that StartTime() + Now()/100 is the wall time.
  int64_t Now() const;
  // Unix seconds at the node's begin.
  int64_t StartTime() const { return start_s_; }

  // `ticks` >= 1. `cause`: index of the event that set it.
  void Add(Handle handle, int32_t session, int64_t ticks, uint64_t cause);

 private:
  struct Entry {
    Handle handle;
    int32_t session;
    uint64_t cause;
  };

  void OnAlarm() override;
  int64_t ReadNs() const { return follows_wall_clock_ ? clock_.WallNs() : clock_.NowNs(); }
  int64_t Tick() const { return (ReadNs() - began_ns_) / kTickNs; }
  int64_t AlarmFor(int64_t tick) const;

  Clock& clock_;
  TimerSink& sink_;
  const bool follows_wall_clock_;
  const int64_t began_ns_;  // by the clock of ReadNs()
  int64_t start_s_ = 0;
  int64_t start_cs_ = 0;
  absl::Mutex mutex_;
  absl::btree_map<int64_t, std::vector<Entry>> entries_ ABSL_GUARDED_BY(mutex_);  // by tick
};

}  // namespace skysim

#endif  // ENGINE_CORE_TIMERS_H_
