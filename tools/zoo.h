#ifndef TOOLS_ZOO_H_
#define TOOLS_ZOO_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "simnet/scenario/run.h"
#include "tools/scenario_runner.h"
#include "tools/seed_result.h"
#include "tools/sweep_summary.h"
#include "tools/worker_pool.h"

namespace skysim {

// The zoo: scenarios of skynet's historical bugs, one file P<number>_<slug>.lua each, whose field
// `legacy` names the switch that puts the bug back. With the switch each must fail, also where
// only the seed decides what happens; without it never.

// A zoo scenario that needs more seeds than that to find its bug finds it too late.
inline constexpr uint64_t kZooSeedsMax = 200;

// The setting under which a zoo scenario plays the schedule that shows its bug, by hand, instead of
// leaving it to the seed.
inline constexpr char kZooScriptedKey[] = "schedule", kZooScriptedValue[] = "scripted";

struct ZooCase {
  int number = 0;
  std::string slug;
  std::string path;     // as the user may type it
  ScenarioFacts facts;  // legacy is never empty
};

// The cases in `folder`, by number. Makes a runner in this process for as long as it takes.
// InvalidArgument: a file whose name or declaration is not one of the zoo, or two of a number.
absl::StatusOr<std::vector<ZooCase>> FindZoo(const std::string& folder, const std::string& home,
                                             const RunnerFactory& make_runner);

// Those that the user names, by number ("5", "05", "P5") or slug; all if he names none.
// InvalidArgument names the word that is no case, and says where they are listed.
absl::StatusOr<std::vector<ZooCase>> ChooseCases(std::vector<ZooCase> all,
                                                 const std::vector<std::string>& words);

struct ZooOptions {
  std::vector<ZooCase> cases;
  std::string home;
  uint64_t count = 1000;  // seeds without the switch, from 1
  uint64_t starts = 10;   // first seeds to look for the bug from: 1, 1001, 2001, ...
  int jobs = 1;
};

// What was seen of one case.
struct ZooResult {
  // Looking for the bug from each start: the seed that failed and how many were needed; 0: none of
  // kZooSeedsMax did.
  struct Search {
    uint64_t start = 0, seed = 0, needed = 0;
    std::string reason;
  };
  std::vector<Search> searches;   // by start, those that have ended
  SweepSummary scripted_with;     // the scripted schedule, with the switch, under the starts
  SweepSummary scripted_without;  // and without
  SweepSummary random_without;    // seeds 1 to count
};

struct ZooRun {
  std::vector<ZooResult> results;  // as ZooOptions::cases
  PoolEnd end = PoolEnd::kDone;
  std::string error;               // wrong input, which ended the run
  uint64_t runs = 0, runs_all = 0;  // a search counts as one
};

// Runs the cases in worker processes (RunWorkerPool). `on_progress` is called several times a
// second.
absl::StatusOr<ZooRun> RunZoo(const ZooOptions& options, const RunnerFactory& make_runner,
                              const std::function<void(const ZooRun& run)>& on_progress);

// What is wrong with a case, with its switch or without, and the command that shows it.
struct ZooProblem {
  bool has_switch = false;
  std::string text;
  std::string repeat;
};
std::vector<ZooProblem> FindProblems(const ZooOptions& options, const ZooCase& of,
                                     const ZooResult& result);

// What runs a case; seed 1.
RunOptions MakeZooRun(const ZooOptions& options, const ZooCase& of, bool has_switch,
                      bool is_scripted);

// Of the searches that found the bug: how many seeds half of them needed at most, and the worst;
// 0: none did.
struct SeedsNeeded {
  uint64_t median = 0, worst = 0;
};
SeedsNeeded CountSeedsNeeded(const ZooResult& result);

}  // namespace skysim

#endif  // TOOLS_ZOO_H_
