#include "tools/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "engine/core/handle.h"
#include "nlohmann/json.hpp"
#include "simnet/scenario/waiting.h"
#include "simnet/trace/describe.h"
#include "simnet/trace/event_names.h"
#include "tools/run_arguments.h"
#include "tools/sweep_summary.h"

namespace skysim {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kChainSteps = 8;

// Texts come from services and may be no UTF-8: replaced, rather than no report.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Seconds(int64_t duration_ns) {
  return absl::StrFormat("%d.%03d s", duration_ns / 1'000'000'000,
                         duration_ns % 1'000'000'000 / 1'000'000);
}

std::string Indent(absl::string_view text, absl::string_view by) {
  std::string out;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!line.empty()) absl::StrAppend(&out, by, line, "\n");
  }
  return out;
}

bool IsBroken(const PropertyResult& property) {
  return property.failed > 0 && property.kind != PropertyKind::kSometimes &&
         property.kind != PropertyKind::kReachable;
}

bool IsUsual(const PropertyResult& property) { return property.claim == ClaimKind::kUsual; }

// How a property fared, in words: a "sometimes" that was not true has not failed.
std::string Judgement(const PropertyResult& property, const Paint& paint) {
  uint64_t times = property.passed + property.failed;
  if (IsBroken(property)) {
    return absl::StrCat(IsUsual(property) ? "broken" : paint.Bad("FAILED"), " ", property.failed, " of ", times, ", first at ",
                        FormatDuration(property.failed_ns));
  }
  if (times == 0) return property.kind == PropertyKind::kReachable ? "not reached" : "never judged";
  if (property.kind == PropertyKind::kSometimes) {
    return absl::StrCat("true ", property.passed, " of ", times);
  }
  return absl::StrCat("held ", property.passed, " of ", times);
}

std::string PropertyLine(const PropertyResult& property, const Paint& paint) {
  std::string line =
      absl::StrFormat("  %-9s  %-10s  %s: %s\n", ClaimKindName(property.claim),
                      PropertyKindName(property.kind), property.name, Judgement(property, paint));
  if (IsBroken(property)) line += Indent(property.detail, "      ");
  return line;
}

std::string Headline(const RunResult& result, const Paint& paint) {
  switch (result.verdict) {
    case Verdict::kPassed:
      return paint.Good("passed");
    case Verdict::kFailed:
      return paint.Bad("FAILED");
    case Verdict::kDiverged:
      return paint.Bad("DIVERGED");
    case Verdict::kLimit:
      return paint.Bad("STOPPED");
  }
  return "";
}

Json PropertyJson(const PropertyResult& property) {
  return Json{{"name", property.name},
              {"kind", PropertyKindName(property.kind)},
              {"claim", ClaimKindName(property.claim)},
              {"passed", property.passed},
              {"failed", property.failed},
              {"detail", property.detail},
              {"failed_ns", property.failed_ns}};
}

Json WaitingJson(const WaitingTask& task) {
  return Json{{"node", task.node},           {"service", FormatHandle(task.service)},
              {"script", task.script},       {"waits_for", task.waits_for},
              {"since_ns", task.since_ns},   {"stack", task.stack}};
}

Json EventObject(const RecordedEvent& event, const std::vector<std::string>& nodes) {
  return Json{{"index", event.index},
              {"time_ns", event.time_ns},
              {"node", event.node < nodes.size() ? nodes[event.node] : ""},
              {"kind", EventKindName(event.kind)},
              {"type", event.type},
              {"service", FormatHandle(event.service)},
              {"peer", FormatHandle(event.peer)},
              {"session", event.session},
              {"size", event.size},
              {"cause", event.cause},
              {"bytes_hash", FormatDigest(event.bytes_hash)},
              {"text", event.text},
              {"what", DescribeWhat(event)}};
}

std::string SideReport(const std::optional<RecordedEvent>& event, const Execution& side,
                       const Paint& paint) {
  if (!event.has_value()) {
    return absl::StrCat(side.name, ": ended here, after ", side.events.size(), " events\n");
  }
  std::string out = absl::StrCat(side.name, ":\n", paint.Bad(DescribeEvent(*event, side.nodes)),
                                 "\n");
  std::vector<RecordedEvent> chain = CauseChain(*event, side.events, kChainSteps);
  if (!chain.empty()) absl::StrAppend(&out, "  led to by\n");
  for (const RecordedEvent& cause : chain) {
    absl::StrAppend(&out, DescribeEvent(cause, side.nodes), "\n");
  }
  return out;
}

Json SideJson(const std::optional<RecordedEvent>& event, const Execution& side) {
  if (!event.has_value()) return Json();
  Json causes = Json::array();
  for (const RecordedEvent& cause : CauseChain(*event, side.events, kChainSteps)) {
    causes.push_back(EventObject(cause, side.nodes));
  }
  return Json{{"event", EventObject(*event, side.nodes)}, {"causes", causes}};
}

uint64_t DivergentIndex(const Divergence& divergence) {
  return divergence.expected.has_value() ? divergence.expected->index : divergence.actual->index;
}

// Over tcp nothing is counted, and no digest would come back.
std::string NumbersLine(const RunOptions& options, const RunResult& result, int64_t wall_ns) {
  if (options.transport == RunTransport::kTcp) {
    return absl::StrCat("  over real sockets, ", Seconds(wall_ns), "\n");
  }
  return absl::StrCat("  seed ", options.seed, ", digest ", FormatDigest(result.digest), ", ",
                      result.events, " events, ", FormatDuration(result.virtual_ns), " virtual, ",
                      Seconds(wall_ns), " wall\n");
}

}  // namespace

ExitStatus ExitStatusOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return kExitPassed;
    case Verdict::kFailed:
      return kExitFailed;
    case Verdict::kDiverged:
      return kExitDiverged;
    case Verdict::kLimit:
      return kExitLimit;
  }
  return kExitFailed;
}

std::string VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return "passed";
    case Verdict::kFailed:
      return "failed";
    case Verdict::kDiverged:
      return "diverged";
    case Verdict::kLimit:
      return "limit";
  }
  return "unknown";
}

std::string FormatDigest(uint64_t digest) { return absl::StrFormat("%016x", digest); }

std::string RunReport(const RunOptions& options, const RunResult& result, int64_t wall_ns,
                      const Paint& paint) {
  bool has_passed = result.verdict == Verdict::kPassed;
  std::string out = absl::StrCat(Headline(result, paint), "  ", result.scenario, "\n");
  if (!has_passed && !result.reason.empty()) absl::StrAppend(&out, "  ", result.reason, "\n");
  for (const PropertyResult& property : result.properties) out += PropertyLine(property, paint);
  out += NumbersLine(options, result, wall_ns);
  if (has_passed) return out;
  if (!result.waiting.empty()) absl::StrAppend(&out, "still waiting:\n");
  for (const WaitingTask& task : result.waiting) out += DescribeWaiting(task);
  absl::StrAppend(&out, "repeat: ", RepeatCommand(options), "\n");
  return out;
}

std::string RunReportJson(const RunOptions& options, const RunResult& result, int64_t wall_ns) {
  Json json{{"verdict", VerdictName(result.verdict)},
            {"reason", result.reason},
            {"scenario", result.scenario},
            {"path", options.scenario_path},
            {"transport", options.transport == RunTransport::kTcp ? "tcp" : "simulated"},
            {"seed", options.seed}};
  if (options.transport == RunTransport::kSimulated) {
    json["digest"] = FormatDigest(result.digest);
    json["events"] = result.events;
    json["dispatches"] = result.dispatches;
    json["virtual_ns"] = result.virtual_ns;
  }
  json["wall_ns"] = wall_ns;
  if (result.is_configured) json["configuration"] = Json::parse(result.configuration);
  json["properties"] = Json::array();
  json["waiting"] = Json::array();
  for (const PropertyResult& property : result.properties) {
    json["properties"].push_back(PropertyJson(property));
  }
  for (const WaitingTask& task : result.waiting) json["waiting"].push_back(WaitingJson(task));
  if (result.verdict != Verdict::kPassed) json["repeat"] = RepeatCommand(options);
  return Dump(json);
}

std::string DivergenceReport(const Divergence& divergence, const Execution& expected,
                             const Execution& actual, const Paint& paint) {
  std::string difference;
  if (divergence.expected.has_value() && divergence.actual.has_value()) {
    difference = absl::StrCat(", in its ", DescribeDifference(*divergence.expected,
                                                              *divergence.actual));
  }
  return absl::StrCat("the first different event is ", DivergentIndex(divergence), difference,
                      "\n", SideReport(divergence.expected, expected, paint),
                      SideReport(divergence.actual, actual, paint));
}

std::string DivergenceReportJson(const Divergence& divergence, const Execution& expected,
                                 const Execution& actual) {
  return Dump(Json{{"verdict", "diverged"},
                   {"index", DivergentIndex(divergence)},
                   {"expected", SideJson(divergence.expected, expected)},
                   {"actual", SideJson(divergence.actual, actual)}});
}

std::string EventJson(const RecordedEvent& event, const std::vector<std::string>& nodes) {
  return Dump(EventObject(event, nodes));
}

std::optional<Divergence> FindDivergence(const EventLog& expected, const EventLog& actual) {
  EventLog::Iterator wanted = expected.begin(), seen = actual.begin();
  for (; wanted != expected.end() && seen != actual.end(); ++wanted, ++seen) {
    if (*wanted != *seen) return Divergence{*wanted, *seen};
  }
  if (wanted != expected.end() && actual.dropped() == 0) return Divergence{*wanted, std::nullopt};
  if (seen != actual.end() && expected.dropped() == 0) return Divergence{std::nullopt, *seen};
  return std::nullopt;
}

}  // namespace skysim
