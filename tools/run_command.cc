#include "tools/run_command.h"

#include <ostream>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "simnet/scenario/path.h"
#include "simnet/trace/describe.h"
#include "tools/arguments.h"
#include "tools/determinism.h"
#include "tools/files.h"
#include "tools/report.h"
#include "tools/sweep_command.h"

namespace skysim {
namespace {

constexpr const char* kExamples = R"(Examples:
  tools/skysim run scenarios/zoo/P01_wake_order.lua
  tools/skysim run scenarios/zoo/P01_wake_order.lua --seed 7 --legacy wakeup-unordered
  tools/skysim run scenarios/canary.lua --seed 0x1f --trace t.skytrace
  tools/skysim run scenarios/canary.lua --check-determinism --seeds 1:200
  tools/skysim run scenarios/nemesis_three.lua --swarm --seed 5 --print-config > c.json
  tools/skysim run scenarios/nemesis_three.lua --config c.json --seed 5
  tools/skysim run scenarios/cluster_pair.lua --transport tcp

Exit status: 0 passed, 1 a property failed, 2 wrong usage or input, 3 two executions of the same
seed differ, 4 no progress or a limit was reached.)";

// Nothing is written until the run is over, except the log: so wrong input prints its sentence
// alone.
std::function<void(int64_t, absl::string_view, absl::string_view)> LogTo(std::ostream& out) {
  return [&out](int64_t time_ns, absl::string_view node, absl::string_view line) {
    out << FormatSeconds(time_ns) << " " << node << " " << line << "\n";
  };
}

// It is known before anything happens, and so it is printed before the log.
std::function<void(absl::string_view)> ConfigurationTo(std::ostream& out) {
  return [&out](absl::string_view configuration) { out << "configuration " << configuration; };
}

int PrintConfiguration(RunOptions options, ScenarioRunner& runner, const CommandContext& context) {
  options.only_configures = true;
  absl::StatusOr<RunResult> result = runner.Run(options);
  if (!result.ok()) return FailUsage(context, result.status());
  context.out << result->configuration;
  return kExitPassed;
}

int Report(const RunCommand& command, const RunOptions& options, const RunResult& result,
           int64_t wall_ns, std::ostream& out, const Paint& paint) {
  if (command.prints_json) {
    out << RunReportJson(options, result, wall_ns) << "\n";
  } else {
    out << RunReport(options, result, wall_ns, paint);
  }
  return ExitStatusOf(result.verdict);
}

int RunOnce(const RunCommand& command, RunOptions options, ScenarioRunner& runner,
            const CommandContext& context) {
  bool has_trace = !command.trace_path.empty();
  bool has_trace_on_out = command.trace_path == "-";
  std::ostream& out = has_trace_on_out ? context.err : context.out;
  options.keeps_events = has_trace;
  if (!command.prints_json) options.configured = ConfigurationTo(out);
  if (command.prints_log) options.log = LogTo(command.prints_json ? context.err : out);

  int64_t start_ns = absl::GetCurrentTimeNanos();
  absl::StatusOr<RunResult> result = runner.Run(options);
  int64_t wall_ns = absl::GetCurrentTimeNanos() - start_ns;
  if (!result.ok()) return FailUsage(context, result.status());

  if (has_trace) {
    std::string bytes = SerializeTrace(CompleteTrace(options, *result));
    if (has_trace_on_out) {
      context.out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    } else {
      absl::Status written = WriteFile(command.trace_path, bytes);
      if (!written.ok()) return FailUsage(context, written);
    }
  }
  return Report(command, options, *result, wall_ns, out,
                Paint(context.out_has_colours && !has_trace_on_out));
}

int RunChecked(const RunCommand& command, RunOptions options, ScenarioRunner& runner,
               const CommandContext& context) {
  Paint paint(context.out_has_colours);
  options.scenario_path = AbsolutePath(options.scenario_path);
  if (!options.configuration_path.empty()) {
    options.configuration_path = AbsolutePath(options.configuration_path);
  }
  if (command.prints_log) options.log = LogTo(command.prints_json ? context.err : context.out);
  if (!command.prints_json) options.configured = ConfigurationTo(context.out);
  absl::StatusOr<DoubleRun> run = RunTwice(options, runner, context.second_process);
  if (!run.ok()) return FailUsage(context, run.status());
  if (!command.trace_path.empty()) {
    absl::Status written = WriteFile(command.trace_path, SerializeTrace(run->here_trace));
    if (!written.ok()) return FailUsage(context, written);
  }

  options.scenario_path = command.run.scenario;  // as the user calls it
  options.configuration_path = command.run.configuration_path;
  int status = Report(command, options, run->here, run->wall_ns, context.out, paint);
  std::ostream& words = command.prints_json ? context.err : context.out;
  if (run->difference.empty()) {
    words << "  the second process: the same " << run->here.events << " events\n";
    return status;
  }
  words << DifferenceReport(*run, paint);
  return kExitDiverged;
}

absl::Status CheckUsage(const RunCommand& command) {
  if (!command.seeds.empty() && !command.checks_determinism) {
    return absl::InvalidArgumentError("--seeds: run takes a range with --check-determinism only; "
                                      "use sweep to run many seeds");
  }
  if (!command.seeds.empty() && !command.trace_path.empty()) {
    return absl::InvalidArgumentError("--trace: a trace holds one seed, not a range");
  }
  if (command.prints_configuration && (command.checks_determinism || !command.trace_path.empty())) {
    return absl::InvalidArgumentError("--print-config: nothing is run, so there is no " +
                                      std::string(command.checks_determinism
                                                      ? "--check-determinism" : "--trace"));
  }
  if (command.trace_path == "-" && command.checks_determinism) {
    return absl::InvalidArgumentError("--trace: with --check-determinism it takes a file");
  }
  return absl::OkStatus();
}

// Threads and sockets of the machine: no seed brings such a run back.
absl::Status CheckTcp(const RunCommand& command) {
  absl::string_view option = command.checks_determinism    ? "--check-determinism"
                             : !command.trace_path.empty() ? "--trace"
                             : !command.run.legacy.empty() ? "--legacy"
                             : !command.run.dispatches_max.empty()     ? "--max-dispatches"
                             : command.run.is_swarm                    ? "--swarm"
                             : !command.run.configuration_path.empty() ? "--config"
                             : command.prints_configuration            ? "--print-config"
                                                                       : "";
  if (option.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": only a simulated run has that, not one with --transport tcp"));
}

}  // namespace

void AddRunCommand(CLI::App& app, RunCommand& command) {
  CLI::App* run = app.add_subcommand("run", "run a scenario once and judge it");
  AddRunArguments(*run, command.run);
  run->add_option("--seed", command.seed, "what decides every choice (1)")->type_name("N");
  run->add_option("--transport", command.transport,
                  "what the nodes talk over: simulated, or tcp: worker threads and sockets of this "
                  "machine, where nothing repeats")
      ->check(CLI::IsMember({"simulated", "tcp"}))
      ->type_name("NAME");
  run->add_option("--trace", command.trace_path, "write every event and choice there; - is stdout")
      ->type_name("FILE");
  run->add_flag("--log", command.prints_log, "print what the services log, as they do");
  run->add_flag("--check-determinism", command.checks_determinism,
                "run once more in another process and compare each event");
  run->add_option("--seeds", command.seeds, "with --check-determinism: all of these")
      ->type_name("FIRST:LAST");
  run->add_option("--jobs", command.jobs, "with --seeds: processes at a time")->type_name("N");
  run->add_flag("--print-config", command.prints_configuration,
                "run nothing: print how the seed configures the run, for --config");
  run->add_flag("--json", command.prints_json, "report as one JSON object");
  run->footer(kExamples);
}

int ExecuteRun(const RunCommand& command, const CommandContext& context) {
  if (PrintLegacyHelp(command.run, context)) return kExitPassed;
  absl::Status usage = CheckUsage(command);
  if (usage.ok() && command.transport == "tcp") usage = CheckTcp(command);
  if (!usage.ok()) return FailUsage(context, usage);
  if (!command.seeds.empty()) {
    SweepCommand sweep;
    sweep.run = command.run;
    sweep.seeds = command.seeds;
    sweep.jobs = command.jobs;
    sweep.checks_determinism = true;
    sweep.prints_json = command.prints_json;
    return ExecuteSweep(sweep, context);
  }
  absl::StatusOr<uint64_t> seed = ParseSeed("--seed", command.seed);
  if (!seed.ok()) return FailUsage(context, seed.status());
  absl::StatusOr<RunOptions> options = MakeRunOptions(command.run, context);
  if (!options.ok()) return FailUsage(context, options.status());
  options->seed = *seed;
  if (command.transport == "tcp") {
    options->transport = RunTransport::kTcp;
    if (command.run.time_max.empty()) options->virtual_ns_max = kTcpTimeMaxNs;
  }
  absl::StatusOr<std::unique_ptr<ScenarioRunner>> runner = context.make_runner();
  if (!runner.ok()) return FailUsage(context, runner.status());
  if (command.prints_configuration) return PrintConfiguration(*options, **runner, context);
  return command.checks_determinism ? RunChecked(command, *options, **runner, context)
                                    : RunOnce(command, *options, **runner, context);
}

}  // namespace skysim
