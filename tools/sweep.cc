#include "tools/sweep.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tools/seed_result.h"

namespace skysim {
namespace {

using Outcome = SeedResult::Outcome;

class Sink final : public WorkerPoolSink {
 public:
  Sink(const SweepOptions& options, SweepResult& result,
       const std::function<void(const SweepSummary&)>& on_progress)
      : options_(options), result_(result), on_progress_(on_progress) {}

  bool OnResult(uint64_t seed, absl::string_view bytes) override {
    absl::StatusOr<SeedResult> result = ParseSeedResult(bytes);
    CHECK_OK(result.status());
    CHECK_EQ(result->seed, seed);
    return Add(*result);
  }

  bool OnCrash(uint64_t seed, absl::string_view how) override {
    SeedResult result;
    result.seed = seed;
    result.outcome = Outcome::kCrashed;
    result.reason = absl::StrCat("the process that ran it ended with ", how);
    return Add(result);
  }

  void OnTick() override { on_progress_(result_.summary); }

 private:
  bool Add(const SeedResult& result) {
    result_.summary.Add(result);
    result_.digests[result.seed] = {result.outcome, result.digest, result.events};
    if (result.outcome == Outcome::kError) return false;
    return result.outcome == Outcome::kPassed || options_.keeps_going;
  }

  const SweepOptions& options_;
  SweepResult& result_;
  const std::function<void(const SweepSummary&)>& on_progress_;
};

// What a worker process does, over and over.
SeedWork MakeWork(const RunOptions& options, const RunnerFactory& make_runner) {
  using Runner = absl::StatusOr<std::unique_ptr<ScenarioRunner>>;
  auto runner = std::make_shared<Runner>(make_runner());
  return [runner, run = options](uint64_t seed) mutable {
    run.seed = seed;
    if (!runner->ok()) return SerializeSeedResult(MakeSeedResult(seed, runner->status(), 0));
    int64_t start_ns = absl::GetCurrentTimeNanos();
    absl::StatusOr<RunResult> result = (**runner)->Run(run);
    int64_t wall_ns = absl::GetCurrentTimeNanos() - start_ns;
    return SerializeSeedResult(MakeSeedResult(seed, result, wall_ns));
  };
}

bool ParseOutcome(absl::string_view name, Outcome* outcome) {
  for (Outcome candidate : {Outcome::kPassed, Outcome::kFailed, Outcome::kLimit, Outcome::kError,
                            Outcome::kCrashed}) {
    if (OutcomeName(candidate) != name) continue;
    *outcome = candidate;
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<SweepResult> RunSweep(
    const SweepOptions& options, const RunnerFactory& make_runner,
    const std::function<void(const SweepSummary& summary)>& on_progress) {
  SweepResult result;
  Sink sink(options, result, on_progress);
  absl::StatusOr<PoolEnd> end =
      RunWorkerPool(options.seeds, options.jobs,
                    [&] { return MakeWork(options.run, make_runner); }, sink);
  if (!end.ok()) return end.status();
  result.end = *end;
  return result;
}

std::string FormatDigests(const std::map<uint64_t, SeedDigest>& digests) {
  std::string out;
  for (const auto& [seed, digest] : digests) {
    absl::StrAppendFormat(&out, "%d %s %016x %d\n", seed, OutcomeName(digest.outcome),
                          digest.digest, digest.events);
  }
  return out;
}

absl::StatusOr<std::map<uint64_t, SeedDigest>> ParseDigests(absl::string_view text) {
  std::map<uint64_t, SeedDigest> digests;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    uint64_t seed = 0;
    SeedDigest digest;
    if (words.size() != 4 || !absl::SimpleAtoi(words[0], &seed) ||
        !ParseOutcome(words[1], &digest.outcome) ||
        !absl::SimpleHexAtoi(words[2], &digest.digest) ||
        !absl::SimpleAtoi(words[3], &digest.events)) {
      return absl::InvalidArgumentError(absl::StrCat("\"", line, "\" is no digest of a seed"));
    }
    digests[seed] = digest;
  }
  return digests;
}

}  // namespace skysim
