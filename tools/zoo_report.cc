#include "tools/zoo_report.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "tools/junit.h"
#include "tools/run_arguments.h"

namespace skysim {
namespace {

using Json = nlohmann::ordered_json;

// Of the problems of a case, so many are shown; --json has all.
constexpr size_t kProblemsShown = 5;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Title(const ZooCase& of) { return absl::StrFormat("%2d %s", of.number, of.slug); }

size_t Widest(const std::vector<ZooCase>& cases, size_t least,
              const std::function<size_t(const ZooCase&)>& size) {
  for (const ZooCase& one : cases) least = std::max(least, size(one));
  return least;
}

size_t TitleWidth(const std::vector<ZooCase>& cases) {
  return Widest(cases, 4, [](const ZooCase& one) { return Title(one).size(); });
}

size_t SwitchWidth(const std::vector<ZooCase>& cases) {
  return Widest(cases, 6, [](const ZooCase& one) { return one.facts.legacy.size(); });
}

std::string Pad(absl::string_view text, size_t width) {
  return absl::StrFormat("%-*s", static_cast<int>(width), text);
}

uint64_t FailuresWithout(const ZooResult& result) {
  return result.scripted_without.failure_count() + result.random_without.failure_count();
}

uint64_t RunsWithout(const ZooResult& result) {
  return result.scripted_without.runs() + result.random_without.runs();
}

uint64_t ScriptedFailed(const ZooResult& result) {
  uint64_t failed = 0;
  for (const SeedResult& failure : result.scripted_with.failures()) {
    failed += failure.outcome == SeedResult::Outcome::kFailed ? 1 : 0;
  }
  return failed;
}

uint64_t FailuresWithout(const ZooRun& run) {
  uint64_t failures = 0;
  for (const ZooResult& result : run.results) failures += FailuresWithout(result);
  return failures;
}

std::string Number(uint64_t number) { return number == 0 ? "-" : absl::StrCat(number); }

bool HasProblem(const ZooOptions& options, const ZooRun& run) {
  for (size_t i = 0; i < run.results.size(); ++i) {
    if (!FindProblems(options, options.cases[i], run.results[i]).empty()) return true;
  }
  return false;
}

std::string Row(const ZooOptions& options, size_t index, const ZooResult& result) {
  const ZooCase& of = options.cases[index];
  const SeedsNeeded needed = CountSeedsNeeded(result);
  return absl::StrFormat(
      "%s  %-9s  %s  %8s  %6s  %5s  %7d of %d\n", Pad(Title(of), TitleWidth(options.cases)),
      of.facts.kind, Pad(of.facts.legacy, SwitchWidth(options.cases)),
      absl::StrCat(ScriptedFailed(result), "/", result.scripted_with.runs()),
      Number(needed.median), Number(needed.worst), FailuresWithout(result), RunsWithout(result));
}

std::string ProblemLines(const ZooOptions& options, size_t index, const ZooResult& result) {
  std::vector<ZooProblem> problems = FindProblems(options, options.cases[index], result);
  std::string out;
  for (size_t i = 0; i < problems.size() && i < kProblemsShown; ++i) {
    absl::StrAppend(&out, Title(options.cases[index]), ": ", problems[i].text, "\n    ",
                    problems[i].repeat, "\n");
  }
  if (problems.size() > kProblemsShown) {
    absl::StrAppend(&out, "  and ", problems.size() - kProblemsShown, " more of it\n");
  }
  return out;
}

// The command that shows the bug of a case, of the first search that found it.
std::string Show(const ZooOptions& options, const ZooCase& of, const ZooResult& result) {
  for (const ZooResult::Search& search : result.searches) {
    if (search.needed == 0) continue;
    RunOptions run = MakeZooRun(options, of, /*has_switch=*/true, /*is_scripted=*/false);
    run.seed = search.seed;
    return RepeatCommand(run);
  }
  return "";
}

absl::string_view EndName(PoolEnd end) {
  return end == PoolEnd::kDone ? "done" : end == PoolEnd::kStopped ? "stopped" : "interrupted";
}

Json FactsJson(const ZooCase& of) {
  return Json{{"number", of.number},      {"slug", of.slug},
              {"kind", of.facts.kind},    {"source", of.facts.source},
              {"claim", of.facts.claim},  {"switch", of.facts.legacy},
              {"path", of.path}};
}

Json ResultJson(const ZooOptions& options, const ZooCase& of, const ZooResult& result) {
  Json json = FactsJson(of);
  const SeedsNeeded needed = CountSeedsNeeded(result);
  json["scripted_failed"] = ScriptedFailed(result);
  json["scripted_runs"] = result.scripted_with.runs();
  json["seeds_needed"] = Json::array();
  for (const ZooResult::Search& search : result.searches) {
    json["seeds_needed"].push_back(search.needed);
  }
  json["median"] = needed.median;
  json["worst"] = needed.worst;
  json["show"] = Show(options, of, result);
  json["runs_without"] = RunsWithout(result);
  json["failures_without"] = FailuresWithout(result);
  json["problems"] = Json::array();
  for (const ZooProblem& problem : FindProblems(options, of, result)) {
    json["problems"].push_back({{"text", problem.text}, {"repeat", problem.repeat}});
  }
  return json;
}

std::string JunitCase(const ZooCase& of, absl::string_view name,
                      const std::vector<ZooProblem>& problems) {
  std::string out = absl::StrCat("  <testcase classname=\"", XmlEscape(of.path), "\" name=\"",
                                 XmlEscape(absl::StrCat(of.slug, ": ", name)), "\"");
  if (problems.empty()) return absl::StrCat(out, "/>\n");
  std::string text;
  for (const ZooProblem& problem : problems) {
    absl::StrAppend(&text, problem.text, "\n", problem.repeat, "\n");
  }
  return absl::StrCat(out, ">\n    <failure message=\"", XmlEscape(problems[0].text), "\">",
                      XmlEscape(text), "</failure>\n  </testcase>\n");
}

}  // namespace

std::string ZooList(const std::vector<ZooCase>& cases) {
  const size_t source =
      Widest(cases, 6, [](const ZooCase& one) { return one.facts.source.size(); });
  std::string out;
  for (const ZooCase& one : cases) {
    absl::StrAppend(&out, Pad(Title(one), TitleWidth(cases)), "  ", Pad(one.facts.kind, 9), "  ",
                    Pad(one.facts.source, source), "  ", one.facts.claim, "\n");
  }
  return out;
}

std::string ZooListJson(const std::vector<ZooCase>& cases) {
  Json json{{"cases", Json::array()}};
  for (const ZooCase& one : cases) json["cases"].push_back(FactsJson(one));
  return Dump(json);
}

int ZooExitStatus(const ZooOptions& options, const ZooRun& run) {
  if (!run.error.empty()) return kExitUsage;
  if (HasProblem(options, run)) return kExitFailed;
  return run.end == PoolEnd::kInterrupted ? kExitInterrupted : kExitPassed;
}

std::string ZooProgress(const ZooRun& run, int64_t wall_ns) {
  const int64_t wall_ms = std::max<int64_t>(wall_ns / 1'000'000, 1);
  return absl::StrCat(run.runs, " of ", run.runs_all, " runs, ",
                      static_cast<int64_t>(run.runs) * 1000 / wall_ms, " per second, ",
                      FailuresWithout(run), " failed without their switch");
}

std::string ZooReport(const ZooOptions& options, const ZooRun& run, int64_t wall_ns,
                      const Paint& paint) {
  std::string out = absl::StrFormat(
      "%s  %-9s  %s  %8s  %6s  %5s  %s\n", Pad("case", TitleWidth(options.cases)), "kind",
      Pad("switch", SwitchWidth(options.cases)), "scripted", "median", "worst",
      "failures without");
  std::string problems;
  for (size_t i = 0; i < run.results.size(); ++i) {
    out += Row(options, i, run.results[i]);
    problems += ProblemLines(options, i, run.results[i]);
  }
  const int status = ZooExitStatus(options, run);
  absl::StrAppend(&out,
                  run.end == PoolEnd::kInterrupted ? paint.Bad("INTERRUPTED")
                  : status == kExitPassed          ? paint.Good("passed")
                                                   : paint.Bad("FAILED"),
                  "  ", ZooProgress(run, wall_ns),
                  absl::StrFormat(", %d.%03d s wall\n", wall_ns / 1'000'000'000,
                                  wall_ns % 1'000'000'000 / 1'000'000));
  return out + problems;
}

std::string ZooReportJson(const ZooOptions& options, const ZooRun& run, int64_t wall_ns) {
  Json json{{"status", ZooExitStatus(options, run)},
            {"end", EndName(run.end)},
            {"seeds_max", kZooSeedsMax},
            {"runs", run.runs},
            {"wall_ns", wall_ns},
            {"cases", Json::array()}};
  for (size_t i = 0; i < run.results.size(); ++i) {
    json["cases"].push_back(ResultJson(options, options.cases[i], run.results[i]));
  }
  return Dump(json);
}

std::string ZooReportJunit(const ZooOptions& options, const ZooRun& run, int64_t wall_ns) {
  std::string cases;
  int count = 0, failures = 0;
  for (size_t i = 0; i < run.results.size(); ++i) {
    std::vector<ZooProblem> with, without;
    for (ZooProblem& problem : FindProblems(options, options.cases[i], run.results[i])) {
      std::vector<ZooProblem>& group = problem.has_switch ? with : without;
      group.push_back(std::move(problem));
    }
    absl::StrAppend(&cases, JunitCase(options.cases[i], "fails with its switch", with),
                    JunitCase(options.cases[i], "holds without it", without));
    count += 2;
    failures += (with.empty() ? 0 : 1) + (without.empty() ? 0 : 1);
  }
  return absl::StrFormat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"the zoo\" "
      "tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"0\" time=\"%d.%03d\">\n%s</testsuite>\n"
      "</testsuites>\n",
      count, failures, wall_ns / 1'000'000'000, wall_ns % 1'000'000'000 / 1'000'000, cases);
}

}  // namespace skysim
