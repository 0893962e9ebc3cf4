#ifndef TOOLS_SCENARIO_RUNNER_H_
#define TOOLS_SCENARIO_RUNNER_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "simnet/scenario/run.h"

namespace skysim {

// ScenarioRunner runs scenarios, one after another, in this process and thread. The commands know
// no more about a run than this, so their tests run none.
class ScenarioRunner {
 public:
  virtual ~ScenarioRunner() = default;

  // As RunScenario(): an error is wrong input, one sentence.
  virtual absl::StatusOr<RunResult> Run(const RunOptions& options) = 0;
  // As ReadScenario().
  virtual absl::StatusOr<ScenarioFacts> Read(const RunOptions& options) = 0;
};

// Makes the runner of a process. At most one per process at a time, because a simulated run owns a
// range of addresses; a sweep calls it in each of its workers and not in itself.
using RunnerFactory = std::function<absl::StatusOr<std::unique_ptr<ScenarioRunner>>()>;

}  // namespace skysim

#endif  // TOOLS_SCENARIO_RUNNER_H_
