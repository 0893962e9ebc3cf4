#include "tools/determinism.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tools/report.h"
#include "tools/run_arguments.h"

namespace skysim {
namespace {

std::vector<std::string> TraceArguments(const RunOptions& options) {
  std::vector<std::string> words = {"run", "--trace", "-", "--seed", absl::StrCat(options.seed)};
  std::vector<std::string> rest = OptionArguments(options);
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

std::string Compare(const Trace& here, const Trace& there, std::optional<Divergence>& divergence) {
  divergence = FindDivergence(here.events, there.events);
  if (divergence.has_value()) return "an event is different";
  if (here.digest != there.digest) {
    return absl::StrCat("the digest is ", FormatDigest(here.digest), " here and ",
                        FormatDigest(there.digest),
                        " in the second process, though all events that were kept are the same");
  }
  if (here.verdict != there.verdict) {
    return absl::StrCat("the verdict is \"", here.verdict, "\" here and \"", there.verdict,
                        "\" in the second process");
  }
  return "";
}

}  // namespace

Trace CompleteTrace(const RunOptions& options, const RunResult& result) {
  Trace trace = result.trace;
  trace.scenario_path = options.scenario_path;
  trace.seed = options.seed;
  trace.legacy = options.legacy;
  trace.settings = options.settings;
  trace.any_order = options.any_order;
  trace.workers = options.workers;
  trace.virtual_ns_max = options.virtual_ns_max;
  trace.dispatches_max = options.dispatches_max;
  trace.digest = result.digest;
  trace.verdict = result.reason.empty() ? VerdictName(result.verdict)
                                        : absl::StrCat(VerdictName(result.verdict), ": ",
                                                       result.reason);
  return trace;
}

absl::StatusOr<DoubleRun> RunTwice(const RunOptions& options, ScenarioRunner& runner,
                                   SecondProcess& second_process) {
  RunOptions keeping = options;
  keeping.keeps_events = true;
  auto process = second_process.Start(TraceArguments(options), options.home);

  int64_t start_ns = absl::GetCurrentTimeNanos();
  absl::StatusOr<RunResult> here = runner.Run(keeping);
  if (!here.ok()) return here.status();
  DoubleRun run;
  run.wall_ns = absl::GetCurrentTimeNanos() - start_ns;
  run.here_trace = CompleteTrace(options, *here);
  run.here = *std::move(here);

  absl::StatusOr<std::string> bytes =
      process.ok() ? (*process)->Wait() : absl::StatusOr<std::string>(process.status());
  absl::StatusOr<Trace> there =
      bytes.ok() ? ParseTrace(*bytes) : absl::StatusOr<Trace>(bytes.status());
  if (!there.ok()) {
    run.difference = absl::StrCat("there is a run here, but ", there.status().message());
    return run;
  }
  run.there_trace = *std::move(there);
  run.difference = Compare(run.here_trace, run.there_trace, run.divergence);
  return run;
}

std::string DifferenceReport(const DoubleRun& run, const Paint& paint) {
  std::string out = absl::StrCat(paint.Bad("NOT DETERMINISTIC"), ": ", run.difference, "\n");
  if (!run.divergence.has_value()) return out;
  return out + DivergenceReport(
                   *run.divergence, {"here", run.here_trace.events, run.here_trace.nodes},
                   {"in the second process", run.there_trace.events, run.there_trace.nodes}, paint);
}

std::vector<uint64_t> DifferingSeeds(const std::map<uint64_t, SeedDigest>& here,
                                     const std::map<uint64_t, SeedDigest>& there) {
  std::set<uint64_t> seeds;
  for (const auto& [seed, digest] : here) {
    auto other = there.find(seed);
    if (other == there.end() || !(other->second == digest)) seeds.insert(seed);
  }
  for (const auto& entry : there) {
    if (here.count(entry.first) == 0) seeds.insert(entry.first);
  }
  return std::vector<uint64_t>(seeds.begin(), seeds.end());
}

}  // namespace skysim
