#ifndef SIMNET_WORLD_SIM_CLOCK_H_
#define SIMNET_WORLD_SIM_CLOCK_H_

#include <cstdint>
#include <functional>

#include "engine/platform/clock.h"
#include "simnet/time/event_queue.h"
#include "simnet/world/machine_clock.h"

namespace skysim {

// The clocks as one process sees them: those of its machine, the CPU time that its dispatches were
// charged, and the alarm of its timer thread.
class SimClock final : public Clock, private Happening {
 public:
  // `cpu_ns` is the node's CPU time, kept by its executor. All borrowed. `measure_ns`: see
  // World::Options; empty in every run but a benchmark.
  SimClock(EventQueue& events, const MachineClock& machine, const int64_t& cpu_ns,
           const std::function<int64_t()>& measure_ns)
      : events_(events), machine_(machine), cpu_ns_(cpu_ns), measure_ns_(measure_ns) {}
  ~SimClock() override;

  int64_t NowNs() const override { return machine_.NowNs(); }
  int64_t MeasureNs() const override { return measure_ns_ ? measure_ns_() : NowNs(); }
  int64_t WallNs() const override { return machine_.WallNs(); }
  int64_t CpuNs() const override { return cpu_ns_; }
  void SetAlarm(int64_t when_ns, AlarmSink* sink) override;

  // The machine's clocks run at another speed from now on: the alarm comes when they show its time.
  void OnDriftChanged();

  // The process is stopped (SIGSTOP) and continues: the clocks go on, the timer thread does not. An
  // alarm that came due meanwhile goes off right after Resume().
  void Pause() { is_paused_ = true; }
  void Resume();

 private:
  void Happen(uint64_t) override;
  void Schedule();

  EventQueue& events_;
  const MachineClock& machine_;
  const int64_t& cpu_ns_;
  const std::function<int64_t()>& measure_ns_;
  AlarmSink* sink_ = nullptr;
  int64_t alarm_ns_ = 0;  // on the monotonic clock
  uint64_t ticket_ = 0;
  bool is_paused_ = false;
  bool is_overdue_ = false;  // it came due in the pause
};

}  // namespace skysim

#endif  // SIMNET_WORLD_SIM_CLOCK_H_
