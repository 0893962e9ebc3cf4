#ifndef ENGINE_OS_OS_CLOCK_H_
#define ENGINE_OS_OS_CLOCK_H_

#include <cstdint>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/platform/clock.h"

namespace skysim {

// OsClock is the real Clock. Any thread. Its timer thread sleeps until the alarm is due: nothing
// ticks. Several clocks fit in a process.
class OsClock final : public Clock {
 public:
  OsClock();
  // Stop().
  ~OsClock() override;
  OsClock(const OsClock&) = delete;
  OsClock& operator=(const OsClock&) = delete;

  int64_t NowNs() const override;
  int64_t WallNs() const override;

  // Asking the kernel costs as much as a small dispatch. So for intervals of less than 10 us it is
  // the monotonic time that passes, as if the thread ran all the while, and the kernel corrects it
  // after 100 us at the latest. Longer intervals are the kernel's. Never decreases; what many
  // dispatches add up to is exact, a single figure may be wrong by what the thread slept in the
  // last 100 us in pieces of less than 10.
  int64_t CpuNs() const override;

  // Also within OnAlarm(). OnAlarm() is called without locks.
  void SetAlarm(int64_t when_ns, AlarmSink* sink) override;

  // Waits for an OnAlarm() under way; none begins afterwards. Not from within OnAlarm().
  void Stop();

 private:
  void Run();
  AlarmSink* TakeDue(bool* is_stopping);
  void Arm(int64_t when_ns) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int timer_;  // descriptor; readable when the alarm is due
  absl::Mutex mutex_;
  int64_t alarm_ns_ ABSL_GUARDED_BY(mutex_) = 0;
  AlarmSink* sink_ ABSL_GUARDED_BY(mutex_) = nullptr;  // null: no alarm is set
  bool is_stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace skysim

#endif  // ENGINE_OS_OS_CLOCK_H_
