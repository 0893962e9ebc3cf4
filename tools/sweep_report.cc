#include "tools/sweep_report.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "simnet/trace/describe.h"
#include "tools/report.h"
#include "tools/run_arguments.h"

namespace skysim {
namespace {

using Json = nlohmann::ordered_json;

// Of the failures, so many are shown with their command; --json has all.
constexpr size_t kFailuresShown = 10;

bool IsMissingAny(const SweepSummary& summary) {
  for (const PropertySummary& property : summary.properties()) {
    if (!MissingOutcome(property).empty()) return true;
  }
  return false;
}

int64_t PerSecond(uint64_t runs, int64_t wall_ns) {
  int64_t wall_ms = std::max<int64_t>(wall_ns / 1'000'000, 1);
  return static_cast<int64_t>(runs) * 1000 / wall_ms;
}

// The number of seeds in words: the whole range of 64 bits has one more than 64 bits can count.
std::string RangeSize(SeedRange seeds) {
  uint64_t steps = seeds.last - seeds.first;
  return steps + 1 == 0 ? "2^64" : absl::StrCat(steps + 1);
}

// Of one that no run broke.
std::string HeldIn(const PropertySummary& property) {
  if (property.runs_judged == 0) return absl::StrCat("never judged in ", property.runs, " runs");
  uint64_t others = property.runs - property.runs_judged;
  return absl::StrCat("held in ", property.runs_judged, " runs",
                      others > 0 ? absl::StrCat(", not judged in ", others) : "");
}

std::string PropertyLine(const PropertySummary& property, bool is_whole, const Paint& paint) {
  std::string judgement, missing = MissingOutcome(property);
  if (!IsJudgedOverSweep(property) && property.runs_failed > 0) {
    judgement = absl::StrCat(IsBroken(property) ? paint.Bad("FAILED") : "broken", " in ",
                             property.runs_failed, " of ", property.runs, " runs, first by seed ",
                             property.failed_seed);
  } else if (!missing.empty()) {
    judgement = is_whole ? absl::StrCat(paint.Bad("FAILED"), ": ", missing)
                         : absl::StrCat(missing, ", so far");
  } else if (property.kind == PropertyKind::kSometimes) {
    judgement = absl::StrCat("true ", property.passed, " times, not true ", property.failed);
  } else {
    judgement = HeldIn(property);
  }
  std::string line =
      absl::StrFormat("  %-9s  %-10s  %s: %s\n", ClaimKindName(property.claim),
                      PropertyKindName(property.kind), property.name, judgement);
  if (IsJudgedOverSweep(property) || property.detail.empty()) return line;
  for (absl::string_view detail : absl::StrSplit(property.detail, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&line, "      ", detail, "\n");
  }
  return line;
}

std::string Headline(const SweepResult& result, const Paint& paint) {
  int status = SweepExitStatus(result);
  if (result.end == PoolEnd::kInterrupted) return paint.Bad("INTERRUPTED");
  if (status == kExitPassed) return paint.Good("passed");
  return paint.Bad(status == kExitLimit ? "STOPPED" : "FAILED");
}

// Of the failure that one looks at first; the others print theirs when they are run again.
std::string ConfigurationLines(const SeedResult& failure) {
  if (failure.configuration.empty()) return "";
  std::string text = absl::StrCat("configuration ", failure.configuration), lines;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&lines, "    ", line, "\n");
  }
  return lines;
}

std::string FailureLines(const SweepOptions& options, const SweepSummary& summary) {
  std::vector<SeedResult> failures = summary.failures();
  if (failures.empty()) return "";
  std::string out = absl::StrCat("failing seeds, the shortest first:\n");
  for (size_t i = 0; i < failures.size() && i < kFailuresShown; ++i) {
    const SeedResult& failure = failures[i];
    absl::StrAppend(&out, "  seed ", failure.seed, " ", OutcomeName(failure.outcome), ", ",
                    failure.events, " events: ", failure.reason, "\n    ",
                    RepeatSeed(options, failure.seed), "\n");
    if (i == 0) out += ConfigurationLines(failure);
  }
  if (failures.size() > kFailuresShown) {
    absl::StrAppend(&out, "  and ", failures.size() - kFailuresShown, " more\n");
  }
  return out;
}

absl::string_view EndName(PoolEnd end) {
  switch (end) {
    case PoolEnd::kDone:
      return "done";
    case PoolEnd::kStopped:
      return "stopped";
    case PoolEnd::kInterrupted:
      return "interrupted";
  }
  return "unknown";
}

}  // namespace

int SweepExitStatus(const SweepResult& result) {
  const SweepSummary& summary = result.summary;
  bool is_whole = result.end == PoolEnd::kDone;
  if (!summary.error().empty()) return kExitUsage;
  if (summary.HasFailed() || (is_whole && IsMissingAny(summary))) return kExitFailed;
  if (result.end == PoolEnd::kInterrupted) return kExitInterrupted;
  return summary.failure_count() > 0 ? kExitLimit : kExitPassed;
}

std::string RepeatSeed(const SweepOptions& options, uint64_t seed) {
  RunOptions run = options.run;
  run.seed = seed;
  return RepeatCommand(run);
}

std::string SweepProgress(const SweepOptions& options, const SweepSummary& summary,
                          int64_t wall_ns) {
  return absl::StrCat(summary.runs(), " of ", RangeSize(options.seeds), " seeds, ",
                      PerSecond(summary.runs(), wall_ns), " per second, ",
                      summary.failure_count(), " failed");
}

std::string SweepReport(const SweepOptions& options, const SweepResult& result, int64_t wall_ns,
                        const Paint& paint) {
  const SweepSummary& summary = result.summary;
  bool is_whole = result.end == PoolEnd::kDone;
  std::string out = absl::StrCat(Headline(result, paint), "  ", summary.scenario(), "\n");
  for (const PropertySummary& property : summary.properties()) {
    out += PropertyLine(property, is_whole, paint);
  }
  absl::StrAppend(&out, "  ", SweepProgress(options, summary, wall_ns), "; seeds ",
                  options.seeds.first, ":", options.seeds.last, ", ", summary.events(),
                  " events, ", FormatDuration(summary.virtual_ns()), " virtual, ",
                  absl::StrFormat("%d.%03d s wall\n", wall_ns / 1'000'000'000,
                                  wall_ns % 1'000'000'000 / 1'000'000));
  if (result.end == PoolEnd::kStopped) {
    absl::StrAppend(&out, "  stopped at the first failure; --keep-going runs all seeds\n");
  }
  return out + FailureLines(options, summary);
}

std::string SweepReportJson(const SweepOptions& options, const SweepResult& result,
                            int64_t wall_ns) {
  const SweepSummary& summary = result.summary;
  Json json{{"status", SweepExitStatus(result)},
            {"end", EndName(result.end)},
            {"scenario", summary.scenario()},
            {"path", options.run.scenario_path},
            {"seeds", {options.seeds.first, options.seeds.last}},
            {"runs", summary.runs()},
            {"events", summary.events()},
            {"virtual_ns", summary.virtual_ns()},
            {"wall_ns", wall_ns},
            {"properties", Json::array()},
            {"failures", Json::array()}};
  for (const PropertySummary& property : summary.properties()) {
    json["properties"].push_back({{"name", property.name},
                                  {"kind", PropertyKindName(property.kind)},
                                  {"claim", ClaimKindName(property.claim)},
                                  {"runs", property.runs},
                                  {"runs_judged", property.runs_judged},
                                  {"passed", property.passed},
                                  {"failed", property.failed},
                                  {"runs_failed", property.runs_failed},
                                  {"missing", MissingOutcome(property)}});
  }
  for (const SeedResult& failure : summary.failures()) {
    json["failures"].push_back({{"seed", failure.seed},
                                {"outcome", OutcomeName(failure.outcome)},
                                {"reason", failure.reason},
                                {"digest", FormatDigest(failure.digest)},
                                {"events", failure.events},
                                {"repeat", RepeatSeed(options, failure.seed)}});
    if (failure.configuration.empty()) continue;
    json["failures"].back()["configuration"] = Json::parse(failure.configuration);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace skysim
