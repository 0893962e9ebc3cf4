#ifndef TESTS_TOOLS_FAKE_RUNNER_H_
#define TESTS_TOOLS_FAKE_RUNNER_H_

#include "absl/status/statusor.h"
#include "tools/scenario_runner.h"

namespace skysim {

// A ScenarioRunner without a world: each line of the "scenario" is an event of the run, and some
// lines do more. It records, replays and judges as the real one does, so the commands can be tested
// whole.
//
//   claim TEXT        name of the scenario
//   fail N            the guarantee "holds" is broken for every seed that N divides
//   sometimes N       "seldom" is true for every seed that N divides
//   allowed N         "either way", allowed, is true for every seed that N divides
//   catalogue N       "corner", a sometimes, is judged for every seed that N divides, and then true
//   usual N           "in order", merely usual, is broken for every seed that N divides
//   with N            as fail, but only in runs with a switch of --legacy, and with the setting
//                     schedule=scripted for every seed
//   switch NAME       the scenario's field `legacy`; it is a guarantee, and its source is "a fake"
//   limit             the run reaches a limit
//   error             wrong input: "FILE:LINE: this line is wrong"
//   error module      wrong input, said in three lines as Lua does where it finds no module
//   crash N           the process dies with seed N
//   sleep MS          takes so long
//   leak-environment, leak-folder   an event that depends on the process
class FakeRunner final : public ScenarioRunner {
 public:
  absl::StatusOr<RunResult> Run(const RunOptions& options) override;
  absl::StatusOr<ScenarioFacts> Read(const RunOptions& options) override;
};

}  // namespace skysim

#endif  // TESTS_TOOLS_FAKE_RUNNER_H_
