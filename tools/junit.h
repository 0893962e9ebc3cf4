#ifndef TOOLS_JUNIT_H_
#define TOOLS_JUNIT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "tools/sweep_summary.h"

namespace skysim {

struct JunitOptions {
  std::string scenario_path;
  bool is_whole = true;   // the range was run to its end
  int64_t wall_ns = 0;
  // The command that repeats a seed.
  std::function<std::string(uint64_t seed)> repeat;
};

// A JUnit report (XML 1.0, UTF-8) of a sweep, as CI systems read it: one suite; a case per
// property, and one per failing seed. What only a whole sweep can judge is skipped in one that was
// not.
std::string JunitReport(const SweepSummary& summary, const JunitOptions& options);

// `text` as it may stand in an attribute or between tags. Bytes that are not UTF-8, and characters
// that XML cannot hold, become U+FFFD.
std::string XmlEscape(absl::string_view text);

}  // namespace skysim

#endif  // TOOLS_JUNIT_H_
