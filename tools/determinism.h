#ifndef TOOLS_DETERMINISM_H_
#define TOOLS_DETERMINISM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "simnet/scenario/run.h"
#include "simnet/trace/trace.h"
#include "tools/command.h"
#include "tools/sweep.h"

namespace skysim {

// A run executed twice, here and in a second process, and compared event by event.
struct DoubleRun {
  RunResult here;
  int64_t wall_ns = 0;  // of the one here
  // Set if they differ: what is different, one line; and the first different event, if it is one.
  std::string difference;
  std::optional<Divergence> divergence;
  Trace here_trace, there_trace;
};

// `options.scenario_path` should be absolute: the second process works elsewhere. Errors are those
// of the run here.
absl::StatusOr<DoubleRun> RunTwice(const RunOptions& options, ScenarioRunner& runner,
                                   SecondProcess& second_process);

// The words of a difference, for people.
std::string DifferenceReport(const DoubleRun& run, const Paint& paint);

// The trace of a run: what its runner filled in, and what was asked of it.
Trace CompleteTrace(const RunOptions& options, const RunResult& result);

// The seeds whose executions differ, or that one side does not have.
std::vector<uint64_t> DifferingSeeds(const std::map<uint64_t, SeedDigest>& here,
                                     const std::map<uint64_t, SeedDigest>& there);

}  // namespace skysim

#endif  // TOOLS_DETERMINISM_H_
