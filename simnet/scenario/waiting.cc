#include "simnet/scenario/waiting.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/core/handle.h"
#include "simnet/trace/describe.h"

namespace skysim {
namespace {

// Scripts; and the global name by which a slave calls the data center of its master.
constexpr std::array<absl::string_view, 7> kIdleCallees = {
    "DATACENTER", "cslave", "datacenterd", "datasheetd", "service_mgr", "service_provider",
    "sharedatad"};

absl::string_view FirstWord(absl::string_view text) { return text.substr(0, text.find(' ')); }

// A task of the story belongs to no service.
std::string NameOf(const WaitingTask& task) {
  return task.service == 0 ? "the story" : absl::StrCat(task.node, " ", FormatHandle(task.service));
}

}  // namespace

std::string DescribeWaiting(const WaitingTask& task) {
  std::string text = absl::StrCat("  ", NameOf(task), " ", task.script, ": waits for ",
                                  task.waits_for);
  if (!task.callee.empty()) absl::StrAppend(&text, " (", task.callee, ")");
  absl::StrAppend(&text, ", since ", FormatDuration(task.since_ns), "\n");
  for (absl::string_view line : absl::StrSplit(task.stack, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, "      ", line, "\n");
  }
  return text;
}

bool WaitsByDesign(const WaitingTask& task) {
  return std::find(kIdleCallees.begin(), kIdleCallees.end(), FirstWord(task.callee)) !=
         kIdleCallees.end();
}

}  // namespace skysim
