#ifndef TOOLS_SWEEP_H_
#define TOOLS_SWEEP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "simnet/scenario/run.h"
#include "tools/arguments.h"
#include "tools/scenario_runner.h"
#include "tools/sweep_summary.h"
#include "tools/worker_pool.h"

namespace skysim {

struct SweepOptions {
  RunOptions run;      // its seed is not looked at
  SeedRange seeds;
  int jobs = 1;
  bool keeps_going = false;  // after a failure
};

// What two executions of a seed must have in common.
struct SeedDigest {
  SeedResult::Outcome outcome = SeedResult::Outcome::kPassed;
  uint64_t digest = 0, events = 0;

  friend bool operator==(const SeedDigest& a, const SeedDigest& b) {
    return a.outcome == b.outcome && a.digest == b.digest && a.events == b.events;
  }
};

struct SweepResult {
  SweepSummary summary;
  PoolEnd end = PoolEnd::kDone;
  std::map<uint64_t, SeedDigest> digests;  // by seed
};

// Runs every seed in worker processes (RunWorkerPool says how they and signals behave), each with a
// runner of its own. Ends early at wrong input, and at a failure unless it keeps going.
// `on_progress` is called several times a second.
absl::StatusOr<SweepResult> RunSweep(
    const SweepOptions& options, const RunnerFactory& make_runner,
    const std::function<void(const SweepSummary& summary)>& on_progress);

// One line per seed: "7 passed 0123456789abcdef 4123". Parse: InvalidArgument naming the line.
std::string FormatDigests(const std::map<uint64_t, SeedDigest>& digests);
absl::StatusOr<std::map<uint64_t, SeedDigest>> ParseDigests(absl::string_view text);

}  // namespace skysim

#endif  // TOOLS_SWEEP_H_
