#ifndef SIMNET_WORLD_SIM_CLOCK_H_
#define SIMNET_WORLD_SIM_CLOCK_H_

#include <cstdint>
#include <functional>

#include "engine/platform/clock.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// Where a node's clocks stand: virtual time, and the CPU time that its dispatches were charged.
// Skew and drift are left out for now: every node's clock is exact.
class SimClock final : public Clock, private Happening {
 public:
  // Unix time of virtual time 0: 2024-01-01 00:00:00 UTC, so that dates in logs look like dates.
  static constexpr int64_t kEpochNs = 1'704'067'200 * int64_t{1'000'000'000};

  // `cpu_ns` is the node's CPU time, kept by its executor. All borrowed. `measure_ns`: see
  // World::Options; empty in every run but a benchmark.
  SimClock(EventQueue& events, const int64_t& cpu_ns, const std::function<int64_t()>& measure_ns)
      : events_(events), cpu_ns_(cpu_ns), measure_ns_(measure_ns) {}
  ~SimClock() override;

  int64_t NowNs() const override { return events_.NowNs(); }
  int64_t MeasureNs() const override { return measure_ns_ ? measure_ns_() : NowNs(); }
  int64_t WallNs() const override { return kEpochNs + events_.NowNs(); }
  int64_t CpuNs() const override { return cpu_ns_; }
  void SetAlarm(int64_t when_ns, AlarmSink* sink) override;

 private:
  void Happen(uint64_t) override;

  EventQueue& events_;
  const int64_t& cpu_ns_;
  const std::function<int64_t()>& measure_ns_;
  AlarmSink* sink_ = nullptr;
  uint64_t ticket_ = 0;
};

}  // namespace skysim

#endif  // SIMNET_WORLD_SIM_CLOCK_H_
