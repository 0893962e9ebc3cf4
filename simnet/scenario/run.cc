#include "simnet/scenario/run.h"

#include "simnet/scenario/director.h"
#include "simnet/scenario/legacy.h"

namespace skysim {

absl::StatusOr<RunResult> RunScenario(const RunOptions& options, RunShared shared) {
  if (absl::Status status = CheckLegacy("--legacy", options.legacy); !status.ok()) return status;
  Director director(options, shared);
  return director.Run();
}

absl::StatusOr<ScenarioFacts> ReadScenario(const RunOptions& options, RunShared shared) {
  Director director(options, shared);
  return director.ReadFacts();
}

}  // namespace skysim
