#include "tools/zoo.h"

#include <dirent.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "simnet/scenario/path.h"
#include "tools/arguments.h"
#include "tools/run_arguments.h"

namespace skysim {
namespace {

using Outcome = SeedResult::Outcome;

// -- The folder ----------------------------------------------------------------------------------

absl::StatusOr<std::vector<std::string>> LuaFiles(const std::string& folder) {
  std::unique_ptr<DIR, int (*)(DIR*)> opened(opendir(folder.c_str()), &closedir);
  if (opened == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no folder \"", folder, "\" with the zoo"));
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(opened.get())) {
    if (absl::EndsWith(entry->d_name, ".lua")) names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// "P05_reply_and_push.lua"
absl::Status ReadName(absl::string_view file, ZooCase& read) {
  absl::string_view stem = absl::StripPrefix(absl::StripSuffix(file, ".lua"), "P");
  size_t line = stem.find('_');
  bool is_case = line != stem.npos && line + 1 < stem.size() &&
                 absl::SimpleAtoi(stem.substr(0, line), &read.number) && read.number > 0;
  if (!is_case) {
    return absl::InvalidArgumentError(
        absl::StrCat(read.path, ": a case of the zoo is called P<number>_<slug>.lua"));
  }
  read.slug = std::string(stem.substr(line + 1));
  return absl::OkStatus();
}

absl::StatusOr<ZooCase> ReadCase(const std::string& path, const std::string& home,
                                 ScenarioRunner& runner) {
  ZooCase read;
  read.path = path;
  if (absl::Status named = ReadName(BaseName(path), read); !named.ok()) return named;
  RunOptions options;
  options.scenario_path = read.path;
  options.home = home;
  absl::StatusOr<ScenarioFacts> facts = runner.Read(options);
  if (!facts.ok()) return facts.status();
  read.facts = *std::move(facts);
  if (!read.facts.legacy.empty()) return read;
  return absl::InvalidArgumentError(
      absl::StrCat(read.path, ": a case of the zoo has a field legacy"));
}

bool IsCalled(const ZooCase& known, absl::string_view word) {
  if (word == known.slug) return true;
  absl::string_view digits = word;
  if (!absl::ConsumePrefix(&digits, "P")) absl::ConsumePrefix(&digits, "p");
  int number = 0;
  return absl::SimpleAtoi(digits, &number) && number == known.number;
}

// -- The work ------------------------------------------------------------------------------------

// What one seed of the pool stands for. The pool's seeds count from 0: first all of the first case.
struct Work {
  enum class Kind { kSearch, kScriptedWith, kScriptedWithout, kRandomWithout };
  Kind kind = Kind::kSearch;
  size_t index = 0;   // of the case
  uint64_t seed = 1;  // kSearch: the first
};

uint64_t StartSeed(uint64_t start) { return start * 1000 + 1; }

class Plan final {
 public:
  explicit Plan(const ZooOptions& options)
      : starts_(options.starts), per_case_(3 * options.starts + options.count),
        size_(per_case_ * options.cases.size()) {}

  uint64_t size() const { return size_; }

  Work At(uint64_t place) const {
    const uint64_t within = place % per_case_;
    Work work;
    work.index = static_cast<size_t>(place / per_case_);
    work.kind = within < starts_       ? Work::Kind::kSearch
                : within < 2 * starts_ ? Work::Kind::kScriptedWith
                : within < 3 * starts_ ? Work::Kind::kScriptedWithout
                                       : Work::Kind::kRandomWithout;
    work.seed = work.kind == Work::Kind::kRandomWithout ? within - 3 * starts_ + 1
                                                        : StartSeed(within % starts_);
    return work;
  }

 private:
  uint64_t starts_, per_case_, size_;
};

SeedResult RunOne(ScenarioRunner& runner, const RunOptions& run) {
  int64_t start_ns = absl::GetCurrentTimeNanos();
  absl::StatusOr<RunResult> result = runner.Run(run);
  return MakeSeedResult(run.seed, result, absl::GetCurrentTimeNanos() - start_ns);
}

// The first seed from `run.seed` on that fails, or the last that may be tried.
SeedResult Search(ScenarioRunner& runner, RunOptions run) {
  const uint64_t last = run.seed + kZooSeedsMax - 1;
  for (;; ++run.seed) {
    SeedResult result = RunOne(runner, run);
    bool is_over = result.outcome == Outcome::kFailed || result.outcome == Outcome::kError;
    if (is_over || run.seed == last) return result;
  }
}

SeedWork MakeWork(const ZooOptions& options, const Plan& plan, const RunnerFactory& make_runner) {
  using Runner = absl::StatusOr<std::unique_ptr<ScenarioRunner>>;
  auto runner = std::make_shared<Runner>(make_runner());
  return [runner, &options, &plan](uint64_t place) {
    const Work work = plan.At(place);
    if (!runner->ok()) {
      return SerializeSeedResult(MakeSeedResult(work.seed, runner->status(), 0));
    }
    const bool has_switch =
        work.kind == Work::Kind::kSearch || work.kind == Work::Kind::kScriptedWith;
    const bool is_scripted =
        work.kind == Work::Kind::kScriptedWith || work.kind == Work::Kind::kScriptedWithout;
    RunOptions run = MakeZooRun(options, options.cases[work.index], has_switch, is_scripted);
    run.seed = work.seed;
    return SerializeSeedResult(work.kind == Work::Kind::kSearch ? Search(***runner, run)
                                                                : RunOne(***runner, run));
  };
}

class Sink final : public WorkerPoolSink {
 public:
  Sink(const Plan& plan, ZooRun& run, const std::function<void(const ZooRun&)>& on_progress)
      : plan_(plan), run_(run), on_progress_(on_progress) {}

  bool OnResult(uint64_t place, absl::string_view bytes) override {
    absl::StatusOr<SeedResult> result = ParseSeedResult(bytes);
    CHECK_OK(result.status());
    return Add(plan_.At(place), *result);
  }

  bool OnCrash(uint64_t place, absl::string_view how) override {
    const Work work = plan_.At(place);
    SeedResult result;
    result.seed = work.seed;
    result.outcome = Outcome::kCrashed;
    result.reason = absl::StrCat("the process that ran it ended with ", how);
    return Add(work, result);
  }

  void OnTick() override { on_progress_(run_); }

 private:
  bool Add(const Work& work, const SeedResult& seen) {
    run_.runs += 1;
    if (seen.outcome == Outcome::kError) {
      run_.error = seen.reason;
      return false;
    }
    ZooResult& result = run_.results[work.index];
    if (work.kind == Work::Kind::kSearch) AddSearch(result, work.seed, seen);
    if (work.kind == Work::Kind::kScriptedWith) result.scripted_with.Add(seen);
    if (work.kind == Work::Kind::kScriptedWithout) result.scripted_without.Add(seen);
    if (work.kind == Work::Kind::kRandomWithout) result.random_without.Add(seen);
    return true;
  }

  void AddSearch(ZooResult& result, uint64_t start, const SeedResult& seen) {
    ZooResult::Search search{start, 0, 0, seen.reason};
    if (seen.outcome == Outcome::kFailed) {
      search.seed = seen.seed;
      search.needed = seen.seed - start + 1;
    }
    auto after = std::upper_bound(
        result.searches.begin(), result.searches.end(), start,
        [](uint64_t value, const ZooResult::Search& other) { return value < other.start; });
    result.searches.insert(after, std::move(search));
  }

  const Plan& plan_;
  ZooRun& run_;
  const std::function<void(const ZooRun&)>& on_progress_;
};

// -- Problems ------------------------------------------------------------------------------------

std::string RepeatZooSeed(const ZooOptions& options, const ZooCase& of, bool has_switch,
                          bool is_scripted, uint64_t seed) {
  RunOptions run = MakeZooRun(options, of, has_switch, is_scripted);
  run.seed = seed;
  return RepeatCommand(run);
}

std::string SweepCommandOf(const ZooOptions& options, const ZooCase& of, bool has_switch,
                           uint64_t first, uint64_t last) {
  std::string command = "tools/skysim sweep";
  for (const std::string& word : OptionArguments(MakeZooRun(options, of, has_switch, false))) {
    absl::StrAppend(&command, " ", ShellQuote(word));
  }
  return absl::StrCat(command, " --seeds ", first, ":", last);
}

void AddSearch(const ZooOptions& options, const ZooCase& of, const ZooResult::Search& search,
               std::vector<ZooProblem>& problems) {
  if (search.needed > 0) return;
  const uint64_t last = search.start + kZooSeedsMax - 1;
  problems.push_back(
      {true,
       absl::StrCat("with its switch, none of the seeds ", search.start, ":", last, " failed",
                    search.reason.empty() ? "" : "; the last: ", search.reason),
       SweepCommandOf(options, of, true, search.start, last)});
}

void AddScripted(const ZooOptions& options, const ZooCase& of, const SweepSummary& scripted,
                 std::vector<ZooProblem>& problems) {
  std::set<uint64_t> failed;
  for (const SeedResult& failure : scripted.failures()) {
    if (failure.outcome == Outcome::kFailed) failed.insert(failure.seed);
  }
  if (failed.size() == scripted.runs()) return;
  uint64_t start = 0;
  while (failed.count(StartSeed(start)) > 0) start += 1;
  problems.push_back(
      {true,
       absl::StrCat("with its switch, the scripted schedule failed under ", failed.size(), " of ",
                    scripted.runs(), " seeds"),
       RepeatZooSeed(options, of, true, true, StartSeed(start))});
}

void AddMissing(const ZooOptions& options, const ZooCase& of, const SweepSummary& random,
                std::vector<ZooProblem>& problems) {
  for (const PropertySummary& property : random.properties()) {
    std::string missing = MissingOutcome(property);
    if (missing.empty()) continue;
    problems.push_back({false, absl::StrCat(property.name, ": ", missing),
                        SweepCommandOf(options, of, false, 1, options.count)});
  }
}

void AddFailures(const ZooOptions& options, const ZooCase& of, const SweepSummary& summary,
                 bool is_scripted, std::vector<ZooProblem>& problems) {
  for (const SeedResult& failure : summary.failures()) {
    problems.push_back({false, absl::StrCat("without its switch, ", is_scripted ? "scripted, " : "",
                                     "seed ", failure.seed, " ", OutcomeName(failure.outcome),
                                     ": ", failure.reason),
                        RepeatZooSeed(options, of, false, is_scripted, failure.seed)});
  }
}

}  // namespace

absl::StatusOr<std::vector<ZooCase>> FindZoo(const std::string& folder, const std::string& home,
                                             const RunnerFactory& make_runner) {
  absl::StatusOr<std::vector<std::string>> files = LuaFiles(folder);
  if (!files.ok()) return files.status();
  absl::StatusOr<std::unique_ptr<ScenarioRunner>> runner = make_runner();
  if (!runner.ok()) return runner.status();
  std::vector<ZooCase> cases;
  for (const std::string& file : *files) {
    absl::StatusOr<ZooCase> read = ReadCase(absl::StrCat(folder, "/", file), home, **runner);
    if (!read.ok()) return read.status();
    cases.push_back(*std::move(read));
  }
  std::stable_sort(cases.begin(), cases.end(),
                   [](const ZooCase& a, const ZooCase& b) { return a.number < b.number; });
  for (size_t i = 1; i < cases.size(); ++i) {
    if (cases[i].number != cases[i - 1].number) continue;
    return absl::InvalidArgumentError(absl::StrCat(cases[i - 1].path, " and ", cases[i].path,
                                                   " have the same number"));
  }
  return cases;
}

absl::StatusOr<std::vector<ZooCase>> ChooseCases(std::vector<ZooCase> all,
                                                 const std::vector<std::string>& words) {
  if (words.empty()) return all;
  std::set<int> chosen;
  for (const std::string& word : words) {
    auto known = std::find_if(all.begin(), all.end(),
                              [&](const ZooCase& one) { return IsCalled(one, word); });
    if (known == all.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the zoo has no case \"", word, "\"; tools/skysim zoo lists them by number and name"));
    }
    chosen.insert(known->number);
  }
  all.erase(std::remove_if(all.begin(), all.end(),
                           [&](const ZooCase& one) { return chosen.count(one.number) == 0; }),
            all.end());
  return all;
}

RunOptions MakeZooRun(const ZooOptions& options, const ZooCase& of, bool has_switch,
                      bool is_scripted) {
  RunOptions run;
  run.scenario_path = of.path;
  run.home = options.home;
  if (has_switch) run.legacy = {of.facts.legacy};
  if (is_scripted) run.settings = {{kZooScriptedKey, kZooScriptedValue}};
  return run;
}

absl::StatusOr<ZooRun> RunZoo(const ZooOptions& options, const RunnerFactory& make_runner,
                              const std::function<void(const ZooRun& run)>& on_progress) {
  const Plan plan(options);
  ZooRun run;
  run.results.resize(options.cases.size());
  run.runs_all = plan.size();
  if (plan.size() == 0) return run;
  Sink sink(plan, run, on_progress);
  absl::StatusOr<PoolEnd> end =
      RunWorkerPool(SeedRange{0, plan.size() - 1}, options.jobs,
                    [&] { return MakeWork(options, plan, make_runner); }, sink);
  if (!end.ok()) return end.status();
  run.end = *end;
  return run;
}

std::vector<ZooProblem> FindProblems(const ZooOptions& options, const ZooCase& of,
                                     const ZooResult& result) {
  std::vector<ZooProblem> problems;
  for (const ZooResult::Search& search : result.searches) {
    AddSearch(options, of, search, problems);
  }
  AddScripted(options, of, result.scripted_with, problems);
  AddFailures(options, of, result.scripted_without, true, problems);
  AddFailures(options, of, result.random_without, false, problems);
  // What is allowed shows both ways only over many seeds.
  if (options.count >= kZooSeedsMax && result.random_without.runs() == options.count) {
    AddMissing(options, of, result.random_without, problems);
  }
  return problems;
}

SeedsNeeded CountSeedsNeeded(const ZooResult& result) {
  std::vector<uint64_t> needed;
  for (const ZooResult::Search& search : result.searches) {
    if (search.needed > 0) needed.push_back(search.needed);
  }
  if (needed.empty()) return {};
  std::sort(needed.begin(), needed.end());
  return {needed[(needed.size() - 1) / 2], needed.back()};
}

}  // namespace skysim
