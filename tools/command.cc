#include "tools/command.h"

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace skysim {

int FailUsage(const CommandContext& context, const absl::Status& error) {
  // Lua's own texts may have several lines: a module that was looked for in many places.
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(error.message(), '\n', absl::SkipWhitespace())) {
    lines.emplace_back(absl::StripAsciiWhitespace(line));
  }
  std::string sentence = absl::StrJoin(lines, "; ");
  context.err << "skysim: " << absl::StrReplaceAll(sentence, {{":; ", ": "}}) << "\n";
  return kExitUsage;
}

}  // namespace skysim
