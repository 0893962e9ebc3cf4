#ifndef TOOLS_ARGUMENTS_H_
#define TOOLS_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skysim {

// The values that command lines hold. Each error is one sentence that names the option, the value
// and what is allowed; `option` is how the user knows it ("--seed").

// Seeds from `first` to `last`, both included.
struct SeedRange {
  uint64_t first = 1, last = 1;
};

// A whole number of 64 bits, decimal or 0x hexadecimal.
absl::StatusOr<uint64_t> ParseSeed(absl::string_view option, absl::string_view text);

// "1:200", or one seed.
absl::StatusOr<SeedRange> ParseSeedRange(absl::string_view option, absl::string_view text);

// A whole number from `min` to `max`.
absl::StatusOr<uint64_t> ParseCount(absl::string_view option, absl::string_view text, uint64_t min,
                                    uint64_t max);

// "1h", "10m", "1.5s", "20ms", "3us", "5ns", "0": nanoseconds, exact.
absl::StatusOr<int64_t> ParseDuration(absl::string_view option, absl::string_view text);

// "key=value"; the value may be empty and may hold "=".
absl::StatusOr<std::pair<std::string, std::string>> ParseSetting(absl::string_view option,
                                                                 absl::string_view text);

// ":0000000a" or "a": a service's handle.
absl::StatusOr<uint32_t> ParseHandle(absl::string_view option, absl::string_view text);

// `text` as one word of a shell's command line.
std::string ShellQuote(absl::string_view text);

}  // namespace skysim

#endif  // TOOLS_ARGUMENTS_H_
