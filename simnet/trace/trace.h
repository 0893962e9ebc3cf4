#ifndef SIMNET_TRACE_TRACE_H_
#define SIMNET_TRACE_TRACE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "simnet/choice/choice_source.h"
#include "simnet/trace/event_log.h"

namespace skysim {

// The version that SerializeTrace writes, and the only one that ParseTrace reads.
inline constexpr uint32_t kTraceVersion = 2;

// What a trace file holds: everything that replays a run and explains it. The format is described
// in simnet/trace/format.md.
struct Trace {
  // What was run.
  std::string scenario_path;     // as given on the command line
  std::string scenario_text;     // whole, for the reader of a trace whose file has changed
  uint64_t seed = 0;
  std::vector<std::string> legacy;
  std::vector<std::pair<std::string, std::string>> settings;
  bool any_order = false;        // asked for on the command line
  int workers = 0;               // 0 = as the scenario says
  int64_t virtual_ns_max = 0;    // the limits of the run, of RunOptions; 0 = the usual ones
  uint64_t dispatches_max = 0;
  // The full drawn configuration, as text: simnet/scenario/configuration.h, JoinConfiguration().
  std::string configuration;

  std::vector<Choice> choices;   // every choice that was not 0, in order
  std::vector<std::string> nodes;  // names; index 0 is the world
  EventLog events;
  uint64_t digest = 0;
  std::string verdict;           // one line
};

// Serialised form: versioned, sectioned, checksummed. The nodes must name every node of the events.
std::string SerializeTrace(const Trace& trace);

// Errors (InvalidArgument / DataLoss), one sentence each: not a trace; of a newer version (names
// both); cut (says at which byte); corrupt (checksum, says which section). Never trusts a length.
absl::StatusOr<Trace> ParseTrace(absl::string_view bytes);

}  // namespace skysim

#endif  // SIMNET_TRACE_TRACE_H_
