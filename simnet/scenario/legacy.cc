#include "simnet/scenario/legacy.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "simnet/scenario/run.h"

namespace skysim {
namespace {

using Place = LegacySwitch::Place;

const LegacySwitch* Find(absl::string_view name) {
  for (const LegacySwitch& known : AllLegacySwitches()) {
    if (name == known.name) return &known;
  }
  return nullptr;
}

}  // namespace

const std::vector<LegacySwitch>& AllLegacySwitches() {
  static const auto& table = *new std::vector<LegacySwitch>{
      {"wakeup-unordered", Place::kEngine, &Legacy::wakes_unordered, "#587", "2017-03",
       "woken tasks go on in table order, not in the order of wakeup"},
      {"connect-per-request", Place::kLibrary, nullptr, "#757", "2017-11",
       "each request before the first connection stands opens one of its own"},
      {"relay-race", Place::kLibrary, nullptr, "#988", "2019-05",
       "a message whose handler asks for a cluster node late overtakes those that still wait for "
       "it"},
      {"fork-unordered", Place::kEngine, &Legacy::forks_unordered, "#1000", "2019-05",
       "forked tasks begin in table order, not in the order of fork"},
      {"push-after-reply", Place::kScenario, nullptr, "#576, #681", "by design",
       "a push is believed to come after the reply that was sent before it"},
      {"large-in-order", Place::kScenario, nullptr, "#576, #757", "by design",
       "messages of one sender are believed to keep their order, however large they are"},
      {"nowaiting-ignored", Place::kLibrary, nullptr, "#803", "2018",
       "a call to a node that the table does not have waits, also with __nowaiting"},
      {"retarget-lost", Place::kLibrary, nullptr, "#1130", "2019",
       "after a reload to an address that refuses, calls to that node never end"},
      {"call-ends", Place::kScenario, nullptr, "#1244", "by design",
       "a call to a node that has fallen silent is believed to end by itself"},
      {"waiters-skipped", Place::kLibrary, nullptr, "#1385", "2021",
       "requests that wait while another one reconnects a socket channel are never woken"},
      {"harbor-whole-head", Place::kEngine, &Legacy::reads_harbor_heads_whole, "harbor", "2014-08",
       "the length of a harbor frame is read wrong if it does not come in one piece"},
      {"exit-answers-nobody", Place::kEngine, &Legacy::answers_leftovers_with_0, "#1846", "2024",
       "requests that an ended service leaves in its mailbox are answered with session 0"},
      {"agent-of-nobody", Place::kLibrary, nullptr, "#1958", "2024",
       "a cluster connection that ends before its agent is there is never forgotten"},
      {"close-forgets-reader", Place::kLibrary, nullptr, "#1845", "2023",
       "a task that reads a socket while another closes it may never wake up"},
      {"error-to-push", Place::kEngine, &Legacy::answers_pushes, "#578", "2017",
       "an error in the handler of a push is answered with \"I am gone\""},
      {"late-packing", Place::kLibrary, nullptr, "#1420", "2021",
       "what is sent to a node that is not connected yet is packed when it is"},
      {"kick-keeps-slot", Place::kLibrary, nullptr, "#1704", "2023",
       "a client that a gate has kicked or refused is counted for ever"},
      {"shutdown-flushes", Place::kLibrary, nullptr, "#371", "2015",
       "a socket cannot be ended without sending what is queued"},
      {"wall-clock-ticks", Place::kEngine, &Legacy::ticks_by_wall_clock, "clock rewind", "2014",
       "timers follow the wall clock when it is set"},
      {"sessions-overflow", Place::kLibrary, nullptr, "#809", "2018",
       "the number after the last one of a cluster request is negative"},
  };
  return table;
}

std::vector<std::pair<std::string, std::string>> LegacySwitches() {
  std::vector<std::pair<std::string, std::string>> described;
  for (const LegacySwitch& known : AllLegacySwitches()) {
    const bool is_by_design = absl::string_view(known.until) == "by design";
    described.emplace_back(known.name, absl::StrCat(known.what, " (skynet ", known.issue,
                                                    is_by_design ? ", " : ", before ",
                                                    known.until, ")"));
  }
  return described;
}

Legacy MakeLegacy(const std::vector<std::string>& names) {
  Legacy legacy;
  for (const std::string& name : names) {
    const LegacySwitch* known = Find(name);
    if (known == nullptr) continue;
    if (known->place == Place::kEngine) legacy.*(known->field) = true;
    if (known->place == Place::kLibrary) {
      absl::StrAppend(&legacy.patches, legacy.patches.empty() ? "" : ",", name);
    }
  }
  return legacy;
}

absl::Status CheckLegacy(absl::string_view what, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (Find(name) != nullptr) continue;
    std::string there_are;
    for (const LegacySwitch& known : AllLegacySwitches()) {
      absl::StrAppend(&there_are, there_are.empty() ? "" : ", ", known.name);
    }
    return absl::InvalidArgumentError(
        absl::StrCat(what, " ", name, ": there is no such switch; there are: ", there_are));
  }
  return absl::OkStatus();
}

}  // namespace skysim
