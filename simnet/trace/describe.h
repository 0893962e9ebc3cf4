#ifndef SIMNET_TRACE_DESCRIBE_H_
#define SIMNET_TRACE_DESCRIBE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/core/handle.h"  // FormatHandle
#include "simnet/trace/event_log.h"

namespace skysim {

// Events in words, for people. `nodes` are the names of a trace's nodes, [0] the world; a node
// without a name is shown by its number.

// "1.200000000": seconds with all nine digits, so that columns align. `time_ns` may be negative.
std::string FormatSeconds(int64_t time_ns);

// "1.2s", "350ms", "10us", "0s": the shortest exact form.
std::string FormatDuration(int64_t duration_ns);

// What happened, without when and where: "request 12 to :0000000b, 45 bytes".
std::string DescribeWhat(const RecordedEvent& event);

// One line without its end: index, time, node, service, kind, what, cause.
std::string DescribeEvent(const RecordedEvent& event, const std::vector<std::string>& nodes);

// The events that led to `event`, the latest first, at most `steps_max`; `event` itself is not
// among them. Ends early at a cause that `events` does not hold.
std::vector<RecordedEvent> CauseChain(const RecordedEvent& event, const EventLog& events,
                                      size_t steps_max);

// In which fields two events of the same index differ: "virtual time, peer".
std::string DescribeDifference(const RecordedEvent& a, const RecordedEvent& b);

}  // namespace skysim

#endif  // SIMNET_TRACE_DESCRIBE_H_
