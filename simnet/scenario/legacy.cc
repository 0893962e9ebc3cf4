#include "simnet/scenario/legacy.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "simnet/scenario/run.h"

namespace skysim {

std::vector<std::pair<std::string, std::string>> LegacySwitches() {
  return {
      {kWakeupUnordered,
       "woken tasks go on in table order, not in the order of wakeup (skynet #587, before "
       "2017-03)"},
      {"connect-per-request",
       "each request before the first connection stands opens one of its own (skynet #757, before "
       "2017-11)"},
      {"relay-race",
       "a message whose handler asks for a cluster node late overtakes those that still wait for "
       "it (skynet #988, before 2019-05)"},
  };
}

std::vector<std::string> LegacyPatches(const std::vector<std::string>& names) {
  std::vector<std::string> patches;
  for (const std::string& name : names) {
    if (name != kWakeupUnordered) patches.push_back(name);
  }
  return patches;
}

absl::Status CheckLegacy(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::string known;
    bool is_known = false;
    for (const auto& [other, description] : LegacySwitches()) {
      absl::StrAppend(&known, known.empty() ? "" : ", ", other);
      is_known = is_known || other == name;
    }
    if (is_known) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--legacy ", name, ": there is no such switch; there are: ", known));
  }
  return absl::OkStatus();
}

}  // namespace skysim
