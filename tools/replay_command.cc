#include "tools/replay_command.h"

#include <memory>
#include <ostream>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "simnet/scenario/configuration.h"
#include "tools/files.h"
#include "tools/report.h"

namespace skysim {
namespace {

constexpr const char* kExamples = R"(Examples:
  tools/skysim run scenarios/canary.lua --seed 7 --trace t.skytrace
  tools/skysim replay t.skytrace
  tools/skysim replay t.skytrace --scenario elsewhere/canary.lua

Exit status: 0 every event was as recorded, whatever the verdict; 2 wrong usage or input, such as a
trace that is cut, corrupt or of a newer version; 3 an event was not as recorded.)";

RunOptions OptionsOf(const Trace& trace, const ReplayCommand& command) {
  RunOptions options;
  options.scenario_path = command.scenario.empty() ? trace.scenario_path : command.scenario;
  options.seed = trace.seed;
  options.legacy = trace.legacy;
  options.settings = trace.settings;
  options.any_order = trace.any_order;
  options.workers = trace.workers;
  if (trace.virtual_ns_max != 0) options.virtual_ns_max = trace.virtual_ns_max;
  if (trace.dispatches_max != 0) options.dispatches_max = trace.dispatches_max;
  options.configuration = ConfigurationIn(trace.configuration);
  options.configuration_path = command.trace_path;
  options.keeps_events = true;  // to show what led to a divergence
  options.replay = &trace;
  return options;
}

// Why the executions may differ, as far as the scenario file tells.
std::string ChangeNote(const Trace& trace, const std::string& scenario_path) {
  absl::StatusOr<std::string> text = ReadFile(scenario_path);
  if (!text.ok() || *text == trace.scenario_text) return "";
  return absl::StrCat(scenario_path, " is not as it was when the trace was made\n");
}

int ReportDivergence(const ReplayCommand& command, const RunOptions& options,
                     const RunResult& result, const CommandContext& context) {
  const Trace& trace = *options.replay;
  Execution expected{"recorded", trace.events, trace.nodes};
  Execution actual{"now", result.trace.events, result.trace.nodes};
  if (command.prints_json) {
    context.out << DivergenceReportJson(*result.divergence, expected, actual) << "\n";
    return kExitDiverged;
  }
  Paint paint(context.out_has_colours);
  context.out << paint.Bad("DIVERGED") << "  " << command.trace_path << ": "
              << DivergenceReport(*result.divergence, expected, actual, paint)
              << ChangeNote(trace, options.scenario_path);
  return kExitDiverged;
}

// The same events, as far as they were kept.
int ReportSame(const ReplayCommand& command, const RunOptions& options, const RunResult& result,
               int64_t wall_ns, const CommandContext& context) {
  const Trace& trace = *options.replay;
  Paint paint(context.out_has_colours);
  bool is_same = result.digest == trace.digest;
  if (command.prints_json) {
    context.out << RunReportJson(options, result, wall_ns) << "\n";
  } else if (is_same) {
    context.out << paint.Good("replayed") << "  " << command.trace_path
                << ": every event is as recorded\n"
                << RunReport(options, result, wall_ns, paint);
  } else {
    context.out << paint.Bad("DIVERGED") << "  " << command.trace_path << ": the digest is "
                << FormatDigest(result.digest) << " now and was " << FormatDigest(trace.digest)
                << ", though all events that the trace holds are the same\n";
  }
  return is_same ? kExitPassed : kExitDiverged;
}

}  // namespace

void AddReplayCommand(CLI::App& app, ReplayCommand& command) {
  CLI::App* replay = app.add_subcommand("replay", "run again under the choices of a trace");
  replay->add_option("trace", command.trace_path, "a file that run --trace wrote")
      ->required()
      ->type_name("FILE");
  replay
      ->add_option("--scenario", command.scenario,
                   "the scenario's file, if it is not where it was")
      ->type_name("SCENARIO");
  replay->add_flag("--json", command.prints_json, "report as one JSON object");
  replay->footer(kExamples);
}

int ExecuteReplay(const ReplayCommand& command, const CommandContext& context) {
  absl::StatusOr<Trace> trace = ReadTraceFile(command.trace_path);
  if (!trace.ok()) return FailUsage(context, trace.status());
  if (!context.home.ok()) return FailUsage(context, context.home.status());
  RunOptions options = OptionsOf(*trace, command);
  options.home = *context.home;
  absl::StatusOr<std::string> scenario = ReadFile(options.scenario_path);
  if (!scenario.ok()) {
    return FailUsage(context, absl::NotFoundError(absl::StrCat(
        command.trace_path, ": the scenario it was made from: ", scenario.status().message(),
        "; --scenario says where it is")));
  }
  absl::StatusOr<std::unique_ptr<ScenarioRunner>> runner = context.make_runner();
  if (!runner.ok()) return FailUsage(context, runner.status());

  int64_t start_ns = absl::GetCurrentTimeNanos();
  absl::StatusOr<RunResult> result = (*runner)->Run(options);
  int64_t wall_ns = absl::GetCurrentTimeNanos() - start_ns;
  if (!result.ok()) return FailUsage(context, result.status());
  if (result->divergence.has_value()) return ReportDivergence(command, options, *result, context);
  return ReportSame(command, options, *result, wall_ns, context);
}

}  // namespace skysim
