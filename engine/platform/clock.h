#ifndef ENGINE_PLATFORM_CLOCK_H_
#define ENGINE_PLATFORM_CLOCK_H_

#include <cstdint>

namespace skysim {

// Receives the one alarm of a Clock. Called on the node's timer thread (simulated: between two
// dispatches).
class AlarmSink {
 public:
  virtual ~AlarmSink() = default;
  virtual void OnAlarm() = 0;
};

// Clock is the time of one node. All times are nanoseconds.
class Clock {
 public:
  virtual ~Clock() = default;

  // Monotonic time. Never decreases; its zero has no meaning.
  virtual int64_t NowNs() const = 0;

  // What skynet.hpc() answers: monotonic, for measuring. The same as NowNs() but in a benchmark of
  // a simulated node, whose virtual time says nothing about speed.
  virtual int64_t MeasureNs() const { return NowNs(); }

  // Wall clock (Unix epoch). May jump.
  virtual int64_t WallNs() const = 0;

  // CPU time that the calling thread has used. Simulated: virtual CPU time of the node.
  virtual int64_t CpuNs() const = 0;

  // Asks for one OnAlarm() at `when_ns` (monotonic) or soon after, never before. Replaces an
  // earlier request. `sink` must outlive the clock.
  virtual void SetAlarm(int64_t when_ns, AlarmSink* sink) = 0;
};

}  // namespace skysim

#endif  // ENGINE_PLATFORM_CLOCK_H_
