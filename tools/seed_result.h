#ifndef TOOLS_SEED_RESULT_H_
#define TOOLS_SEED_RESULT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "simnet/scenario/run.h"

namespace skysim {

// What a sweep knows of the run of one seed.
struct SeedResult {
  enum class Outcome : uint8_t {
    kPassed,
    kFailed,   // a property
    kLimit,    // no progress, or a limit
    kError,    // wrong input: `reason` is the sentence. Every other seed would say the same.
    kCrashed,  // the worker process ended; `reason` says how
  };
  uint64_t seed = 0;
  Outcome outcome = Outcome::kPassed;
  std::string reason;    // one line; empty if passed
  std::string scenario;  // its name
  std::string configuration;  // of one that did not pass, if it is not simply what is declared
  uint64_t digest = 0, events = 0;
  int64_t virtual_ns = 0, wall_ns = 0;
  std::vector<PropertyResult> properties;
};

// "passed", "failed", "limit", "error", "crashed".
std::string OutcomeName(SeedResult::Outcome outcome);

SeedResult MakeSeedResult(uint64_t seed, const absl::StatusOr<RunResult>& run, int64_t wall_ns);

// The form in which a worker process reports. The two ends are the same program, so there is no
// version. Parse: DataLoss if the bytes are not whole.
std::string SerializeSeedResult(const SeedResult& result);
absl::StatusOr<SeedResult> ParseSeedResult(absl::string_view bytes);

}  // namespace skysim

#endif  // TOOLS_SEED_RESULT_H_
