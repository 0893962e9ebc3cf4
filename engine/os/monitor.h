#ifndef ENGINE_OS_MONITOR_H_
#define ENGINE_OS_MONITOR_H_

#include <cstdint>
#include <vector>

#include "engine/core/node.h"
#include "engine/os/worker_pool.h"
#include "engine/platform/clock.h"

namespace skysim {

// Monitor looks for services in an endless loop, as skynet's monitor thread does. Every 5 s it
// compares what each worker does with what it did at the last look; if that is the same dispatch,
// the service is marked endless and a line logged, and again every 5 s. So a first report comes 5
// to 10 s after the loop began. It stops nothing: that is up to the command SIGNAL.
//
// Called by the pool's watch thread (tests: by themselves).
class Monitor final : public WorkerPool::WatchSink {
 public:
  static constexpr int64_t kPeriodNs = 5'000'000'000;  // skynet's

  // All borrowed. `node` runs on `pool`.
  Monitor(const WorkerPool& pool, Node& node, const Clock& clock);

  void OnWatch() override;

 private:
  void Look(size_t worker);

  const WorkerPool& pool_;
  Node& node_;
  const Clock& clock_;
  int64_t looked_ns_;
  std::vector<uint32_t> versions_;  // at the last look, by worker
};

}  // namespace skysim

#endif  // ENGINE_OS_MONITOR_H_
