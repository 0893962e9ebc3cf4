#include "tools/sweep_command.h"

#include <limits>
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "simnet/scenario/path.h"
#include "tools/arguments.h"
#include "tools/determinism.h"
#include "tools/files.h"
#include "tools/junit.h"
#include "tools/progress_line.h"
#include "tools/sweep.h"
#include "tools/sweep_report.h"

namespace skysim {
namespace {

constexpr const char* kExamples = R"(Examples:
  tools/skysim sweep scenarios/zoo/P01_wake_order.lua --seeds 1:10000
  tools/skysim sweep scenarios/canary.lua --count 500 --keep-going
  tools/skysim sweep scenarios/zoo/P02_first_contact.lua --count 200 --jobs 4 --junit report.xml
  tools/skysim sweep scenarios/canary.lua --seeds 1:200 --check-determinism
  tools/skysim sweep scenarios/canary.lua --seeds 1:200 --digests > here.txt

A property that says "sometimes" must be true in at least one run of the sweep; one that is allowed
must be seen both ways. That is judged only when the whole range was run.

Exit status: 0 passed, 1 a property failed or a run crashed, 2 wrong usage or input, 3 two
executions of a seed differ, 4 a limit was reached, 130 Ctrl-C before anything failed.)";

absl::StatusOr<SeedRange> Seeds(const SweepCommand& command) {
  bool has_count = !command.count.empty() || !command.seed.empty();
  if (!command.seeds.empty() && has_count) {
    return absl::InvalidArgumentError("--seeds: give either this or --count and --seed");
  }
  if (!command.seeds.empty()) return ParseSeedRange("--seeds", command.seeds);
  if (command.count.empty()) {
    return absl::InvalidArgumentError("which seeds? say --seeds 1:200 or --count 200");
  }
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  auto first = ParseSeed("--seed", command.seed.empty() ? "1" : command.seed);
  if (!first.ok()) return first.status();
  auto count = ParseCount("--count", command.count, 1, kMax);
  if (!count.ok()) return count.status();
  if (*count - 1 > kMax - *first) {
    return absl::InvalidArgumentError("--count: there are not so many seeds after --seed");
  }
  return SeedRange{*first, *first + (*count - 1)};
}

absl::StatusOr<SweepOptions> MakeSweepOptions(const SweepCommand& command,
                                              const CommandContext& context) {
  SweepOptions options;
  absl::StatusOr<SeedRange> seeds = Seeds(command);
  if (!seeds.ok()) return seeds.status();
  options.seeds = *seeds;
  absl::StatusOr<int> jobs = ParseJobs(command.jobs);
  if (!jobs.ok()) return jobs.status();
  options.jobs = *jobs;
  absl::StatusOr<RunOptions> run = MakeRunOptions(command.run, context);
  if (!run.ok()) return run.status();
  options.run = *std::move(run);
  // Two executions can only be compared seed by seed if both run all of them.
  options.keeps_going = command.keeps_going || command.checks_determinism;
  return options;
}

absl::StatusOr<SweepResult> RunWithProgress(const SweepOptions& options,
                                            const CommandContext& context) {
  ProgressLine progress(context);
  return RunSweep(options, context.make_runner, [&](const SweepSummary& summary) {
    progress.Show([&](int64_t wall_ns) { return SweepProgress(options, summary, wall_ns); });
  });
}

absl::Status WriteJunit(const std::string& path, const SweepOptions& options,
                        const SweepResult& result, int64_t wall_ns) {
  JunitOptions junit;
  junit.scenario_path = options.run.scenario_path;
  junit.is_whole = result.end == PoolEnd::kDone;
  junit.wall_ns = wall_ns;
  junit.repeat = [&](uint64_t seed) { return RepeatSeed(options, seed); };
  return WriteFile(path, JunitReport(result.summary, junit));
}

std::vector<std::string> DigestArguments(const SweepOptions& options) {
  std::vector<std::string> words = {
      "sweep",  "--digests", "--keep-going",
      "--jobs", absl::StrCat(options.jobs),
      "--seeds", absl::StrCat(options.seeds.first, ":", options.seeds.last)};
  std::vector<std::string> rest = OptionArguments(options.run);
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

// Compares with what the second process found; where they differ, runs the first such seed again
// with all its events. Returns the exit status.
int CompareDigests(const SweepOptions& options, const SweepResult& here, RunningProcess& process,
                   const CommandContext& context, std::ostream& out) {
  absl::StatusOr<std::string> output = process.Wait();
  absl::StatusOr<std::map<uint64_t, SeedDigest>> there =
      output.ok() ? ParseDigests(*output) : output.status();
  Paint paint(context.out_has_colours);
  if (!there.ok()) {
    out << paint.Bad("NOT DETERMINISTIC") << ": " << there.status().message() << "\n";
    return kExitDiverged;
  }
  std::vector<uint64_t> seeds = DifferingSeeds(here.digests, *there);
  if (seeds.empty()) {
    out << "  the second process: the same events in all " << here.digests.size() << " runs\n";
    return kExitPassed;
  }
  out << paint.Bad("NOT DETERMINISTIC") << ": " << seeds.size() << " of " << here.digests.size()
      << " runs differ, the first by seed " << seeds[0] << "\n";
  RunOptions first = options.run;
  first.seed = seeds[0];
  absl::StatusOr<std::unique_ptr<ScenarioRunner>> runner = context.make_runner();
  if (!runner.ok()) return kExitDiverged;
  absl::StatusOr<DoubleRun> run = RunTwice(first, **runner, context.second_process);
  if (!run.ok()) return kExitDiverged;
  if (run->difference.empty()) {
    out << "  run again with all its events, it did not differ\n";
  } else {
    out << DifferenceReport(*run, paint);
  }
  return kExitDiverged;
}

void Print(const SweepCommand& command, const SweepOptions& options, const SweepResult& result,
           int64_t wall_ns, const CommandContext& context) {
  if (command.prints_digests) {
    context.out << FormatDigests(result.digests);
  } else if (command.prints_json) {
    context.out << SweepReportJson(options, result, wall_ns) << "\n";
  } else {
    context.out << SweepReport(options, result, wall_ns, Paint(context.out_has_colours));
  }
}

}  // namespace

void AddSweepCommand(CLI::App& app, SweepCommand& command) {
  CLI::App* sweep = app.add_subcommand("sweep", "run a scenario under many seeds");
  AddRunArguments(*sweep, command.run);
  sweep->add_option("--seeds", command.seeds, "all of these")->type_name("FIRST:LAST");
  sweep->add_option("--count", command.count, "so many seeds")->type_name("N");
  sweep->add_option("--seed", command.seed, "with --count: the first (1)")->type_name("N");
  sweep->add_option("--jobs", command.jobs, "processes at a time (one per processor)")
      ->type_name("N");
  sweep->add_option("--junit", command.junit_path, "write a report for a CI system there")
      ->type_name("FILE");
  sweep->add_flag("--keep-going", command.keeps_going, "run all seeds, whatever fails");
  sweep->add_flag("--check-determinism", command.checks_determinism,
                  "run all seeds once more in another process and compare");
  sweep->add_flag("--digests", command.prints_digests,
                  "print each seed's outcome, digest and events instead of a report");
  sweep->add_flag("--json", command.prints_json, "report as one JSON object");
  sweep->footer(kExamples);
}

int ExecuteSweep(const SweepCommand& command, const CommandContext& context) {
  if (PrintLegacyHelp(command.run, context)) return kExitPassed;
  absl::StatusOr<SweepOptions> options = MakeSweepOptions(command, context);
  if (!options.ok()) return FailUsage(context, options.status());
  if (!command.junit_path.empty()) {
    // Before an hour of runs rather than after it.
    absl::Status written = WriteFile(command.junit_path, "");
    if (!written.ok()) return FailUsage(context, written);
  }
  SweepOptions executed = *options;
  absl::StatusOr<std::unique_ptr<RunningProcess>> process(nullptr);
  if (command.checks_determinism) {
    executed.run.scenario_path = AbsolutePath(options->run.scenario_path);
    if (!executed.run.configuration_path.empty()) {
      executed.run.configuration_path = AbsolutePath(options->run.configuration_path);
    }
    process = context.second_process.Start(DigestArguments(executed), executed.run.home);
    if (!process.ok()) return FailUsage(context, process.status());
  }

  int64_t start_ns = absl::GetCurrentTimeNanos();
  absl::StatusOr<SweepResult> result = RunWithProgress(executed, context);
  int64_t wall_ns = absl::GetCurrentTimeNanos() - start_ns;
  if (!result.ok()) return FailUsage(context, result.status());
  if (!result->summary.error().empty()) {
    return FailUsage(context, absl::InvalidArgumentError(result->summary.error()));
  }

  Print(command, *options, *result, wall_ns, context);
  int status = SweepExitStatus(*result);
  if (!command.junit_path.empty()) {
    absl::Status written = WriteJunit(command.junit_path, *options, *result, wall_ns);
    if (!written.ok()) return FailUsage(context, written);
  }
  if (!command.checks_determinism || result->end != PoolEnd::kDone) return status;
  bool is_for_programs = command.prints_json || command.prints_digests;
  int compared = CompareDigests(executed, *result, **process, context,
                                is_for_programs ? context.err : context.out);
  return compared == kExitPassed ? status : compared;
}

}  // namespace skysim
