#ifndef SIMNET_WORLD_MACHINE_CLOCK_H_
#define SIMNET_WORLD_MACHINE_CLOCK_H_

#include <cstdint>

#include "absl/status/status.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// What the clocks of one simulated machine read. It outlives the node that runs there: a process
// that starts again finds the clocks as they were left.
//
// There is one oscillator, and both clocks count it (Linux: one clock source under CLOCK_MONOTONIC
// and CLOCK_REALTIME). So drift, a wrong crystal or an NTP daemon that slews, makes both fast or
// slow, and with them all timers; and only a step (settimeofday) moves one against the other: the
// wall clock, never the monotonic one, which does not go back whatever happens here.
//
// Exact at first: both stand at virtual time. Left out: leap seconds; drift that changes by itself,
// as with temperature; and drift of what the kernel and the hardware time themselves (TCP's
// retransmissions, the cost of a dispatch), which at 10 % and less gives no order of events that
// the delays of links do not give. One thread.
class MachineClock final {
 public:
  // Unix time of virtual time 0: 2024-01-01 00:00:00 UTC, so that dates in logs look like dates.
  static constexpr int64_t kEpochNs = 1'704'067'200 * int64_t{1'000'000'000};

  // The times that Linux lets itself be set to (timespec64_valid_settod): from 1970 on, and far
  // enough from the end of its 64 bits of nanoseconds for 30 years of uptime, which is in 2232.
  static constexpr int64_t kWallNsMin = 0;
  static constexpr int64_t kWallNsMax = 8'277'292'036 * int64_t{1'000'000'000};

  // Linux: adjtimex(2) takes a tick that is 10 % too long or too short, and none beyond.
  static constexpr int64_t kDriftPpbMax = 100'000'000;

  // `events` is borrowed.
  explicit MachineClock(const EventQueue& events) : events_(events) {}

  int64_t NowNs() const;
  int64_t WallNs() const { return NowNs() + wall_minus_now_ns_; }

  // The first virtual time at which NowNs() is `now_ns` or more, as things are; some past time if
  // it is so already.
  int64_t VirtualNs(int64_t now_ns) const;

  // Moves the wall clock. InvalidArgument: to where Linux cannot be set; it stays.
  absl::Status StepWall(int64_t by_ns);

  // Sets the wall clock to `offset_ns` before (> 0) or behind the true time. Errors as StepWall().
  absl::Status SetWallOffset(int64_t offset_ns);

  // From now on the clocks are fast (> 0) by so many nanoseconds in a second, or slow. What they
  // have gained stays. InvalidArgument: beyond kDriftPpbMax.
  absl::Status SetDrift(int64_t ppb);

 private:
  int64_t GainedNs() const;  // by the drift, since since_ns_

  const EventQueue& events_;
  int64_t drift_ppb_ = 0;
  int64_t since_ns_ = 0;  // virtual time at which the drift became so
  int64_t lead_ns_ = 0;   // of the monotonic clock before virtual time, then
  int64_t wall_minus_now_ns_ = kEpochNs;
};

}  // namespace skysim

#endif  // SIMNET_WORLD_MACHINE_CLOCK_H_
