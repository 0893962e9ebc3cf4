#include "tools/zoo_command.h"

#include <ostream>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "simnet/scenario/path.h"
#include "tools/arguments.h"
#include "tools/files.h"
#include "tools/progress_line.h"
#include "tools/run_arguments.h"
#include "tools/zoo.h"
#include "tools/zoo_report.h"

namespace skysim {
namespace {

constexpr const char* kExamples = R"(Examples:
  tools/skysim zoo                      the cases
  tools/skysim zoo run                  all of them
  tools/skysim zoo run 5 P7 --json      two of them
  tools/skysim run scenarios/zoo/P01_wake_order.lua --legacy wakeup-unordered
  tools/skysim run scenarios/zoo/P01_wake_order.lua --set schedule=scripted)";

constexpr const char* kRunExamples =
    R"(With its switch each case must fail: its scripted schedule under every start, and left to the
seed within 200 seeds of each. The table shows how many seeds half of the starts needed, and the
worst. Without the switch nothing may fail: --count seeds, and the scripted schedule.

Examples:
  tools/skysim zoo run
  tools/skysim zoo run 5 wake_order --count 10000
  tools/skysim zoo run --count 50 --starts 3 --junit zoo.xml

Exit status: 0 passed, 1 a case did not do what it must, 2 wrong usage or input, 130 Ctrl-C before
anything was wrong.)";

constexpr uint64_t kCountMax = 1'000'000'000, kStartsMax = 1000;

// The folder of the zoo as the user may type it here.
std::string ShownFolder(const std::string& home) {
  return AbsolutePath(home) == AbsolutePath(".") ? "scenarios/zoo"
                                                 : absl::StrCat(home, "/scenarios/zoo");
}

absl::StatusOr<ZooOptions> MakeZooOptions(const ZooCommand& command,
                                          const CommandContext& context) {
  if (!context.home.ok()) return context.home.status();
  ZooOptions options;
  options.home = *context.home;
  if (!command.count.empty()) {
    auto count = ParseCount("--count", command.count, 1, kCountMax);
    if (!count.ok()) return count.status();
    options.count = *count;
  }
  if (!command.starts.empty()) {
    auto starts = ParseCount("--starts", command.starts, 1, kStartsMax);
    if (!starts.ok()) return starts.status();
    options.starts = *starts;
  }
  absl::StatusOr<int> jobs = ParseJobs(command.jobs);
  if (!jobs.ok()) return jobs.status();
  options.jobs = *jobs;
  absl::StatusOr<std::vector<ZooCase>> all =
      FindZoo(ShownFolder(options.home), options.home, context.make_runner);
  if (!all.ok()) return all.status();
  absl::StatusOr<std::vector<ZooCase>> chosen = ChooseCases(*std::move(all), command.cases);
  if (!chosen.ok()) return chosen.status();
  options.cases = *std::move(chosen);
  return options;
}

int ExecuteZooRun(const ZooCommand& command, const ZooOptions& options,
                  const CommandContext& context) {
  if (!command.junit_path.empty()) {
    // Before all the runs rather than after them.
    absl::Status written = WriteFile(command.junit_path, "");
    if (!written.ok()) return FailUsage(context, written);
  }
  const int64_t start_ns = absl::GetCurrentTimeNanos();
  absl::StatusOr<ZooRun> run(ZooRun{});
  {
    ProgressLine progress(context);
    run = RunZoo(options, context.make_runner, [&](const ZooRun& so_far) {
      progress.Show([&](int64_t wall_ns) { return ZooProgress(so_far, wall_ns); });
    });
  }
  const int64_t wall_ns = absl::GetCurrentTimeNanos() - start_ns;
  if (!run.ok()) return FailUsage(context, run.status());
  if (!run->error.empty()) return FailUsage(context, absl::InvalidArgumentError(run->error));
  if (command.prints_json) {
    context.out << ZooReportJson(options, *run, wall_ns) << "\n";
  } else {
    context.out << ZooReport(options, *run, wall_ns, Paint(context.out_has_colours));
  }
  if (!command.junit_path.empty()) {
    absl::Status written =
        WriteFile(command.junit_path, ZooReportJunit(options, *run, wall_ns));
    if (!written.ok()) return FailUsage(context, written);
  }
  return ZooExitStatus(options, *run);
}

}  // namespace

void AddZooCommand(CLI::App& app, ZooCommand& command) {
  CLI::App* zoo = app.add_subcommand("zoo", "historical bugs: list the scenarios, or run them");
  zoo->add_flag("--json", command.prints_json, "list as one JSON object");
  zoo->footer(kExamples);
  zoo->require_subcommand(0, 1);
  CLI::App* run = zoo->add_subcommand("run", "run the cases with and without their switches");
  run->callback([&command] { command.runs = true; });
  run->add_option("cases", command.cases, "numbers or names; all if there are none")
      ->type_name("CASE");
  run->add_option("--count", command.count, "seeds without the switch (1000)")->type_name("N");
  run->add_option("--starts", command.starts, "seeds to look for the bug from (10)")
      ->type_name("N");
  run->add_option("--jobs", command.jobs, "processes at a time (one per processor)")
      ->type_name("N");
  run->add_option("--junit", command.junit_path, "write a report for a CI system there")
      ->type_name("FILE");
  run->add_flag("--json", command.prints_json, "report as one JSON object");
  run->footer(kRunExamples);
}

int ExecuteZoo(const ZooCommand& command, const CommandContext& context) {
  absl::StatusOr<ZooOptions> options = MakeZooOptions(command, context);
  if (!options.ok()) return FailUsage(context, options.status());
  if (command.runs) return ExecuteZooRun(command, *options, context);
  context.out << (command.prints_json ? ZooListJson(options->cases) + "\n"
                                      : ZooList(options->cases));
  return kExitPassed;
}

}  // namespace skysim
