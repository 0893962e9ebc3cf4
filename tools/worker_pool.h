#ifndef TOOLS_WORKER_POOL_H_
#define TOOLS_WORKER_POOL_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/arguments.h"

namespace skysim {

// What happens to a pool; called in the process that runs it, between two waits.
class WorkerPoolSink {
 public:
  virtual ~WorkerPoolSink() = default;

  // What the work on `seed` returned; valid until the call returns. False stops the pool.
  virtual bool OnResult(uint64_t seed, absl::string_view result) = 0;
  // The process that worked on `seed` ended; `how` says in what way. The seeds behind it go to a
  // new process. False stops the pool.
  virtual bool OnCrash(uint64_t seed, absl::string_view how) = 0;
  // Several times a second.
  virtual void OnTick() = 0;
};

enum class PoolEnd {
  kDone,         // every seed was worked on
  kStopped,      // the sink said so
  kInterrupted,  // SIGINT or SIGTERM came
};

// Works on the seeds of `range` in `jobs` forked processes: process i takes seeds first + i,
// first + i + jobs, ... in order. `make_work` is called once in each of them and returns the
// function that turns a seed into bytes. While the pool runs, SIGINT and SIGTERM stop it instead
// of this process. No process outlives the call. This process must have one thread.
//
// Internal if the system refuses processes, pipes or signals.
using SeedWork = std::function<std::string(uint64_t seed)>;
absl::StatusOr<PoolEnd> RunWorkerPool(SeedRange range, int jobs,
                                      const std::function<SeedWork()>& make_work,
                                      WorkerPoolSink& sink);

}  // namespace skysim

#endif  // TOOLS_WORKER_POOL_H_
