#ifndef SIMNET_TRACE_EVENT_NAMES_H_
#define SIMNET_TRACE_EVENT_NAMES_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/platform/observer.h"

namespace skysim {

// The one table of what events are called: on the command line (`--kind node-start`), in JSON, and
// in front of each line of `skysim show`.
struct EventName {
  EventKind kind;
  absl::string_view name;   // one word, hyphens
  absl::string_view words;  // as help and error texts explain it
};

inline constexpr EventName kEventNames[] = {
    {EventKind::kSend, "send", "a message was put into a mailbox"},
    {EventKind::kDispatch, "dispatch", "a service takes a message out of its mailbox"},
    {EventKind::kLaunch, "launch", "a service began to live"},
    {EventKind::kExit, "exit", "a service was retired"},
    {EventKind::kLog, "log", "a service logged a line"},
    {EventKind::kTimer, "timer", "a timer of a service fired"},
    {EventKind::kDeadLetter, "dead-letter", "a message was dropped: its receiver is gone"},
    {EventKind::kListen, "listen", "a socket listens"},
    {EventKind::kConnect, "connect", "a socket begins to connect"},
    {EventKind::kConnected, "connected", "a socket is connected"},
    {EventKind::kConnectFailed, "connect-failed", "a socket could not connect"},
    {EventKind::kAccept, "accept", "a listening socket accepted a connection"},
    {EventKind::kWrite, "write", "bytes were handed to the transport"},
    {EventKind::kRead, "read", "bytes were taken from the transport"},
    {EventKind::kClose, "close", "a socket was closed by its owner"},
    {EventKind::kPeerClosed, "peer-closed", "the peer ended its stream"},
    {EventKind::kSocketError, "socket-error", "a socket failed"},
    {EventKind::kNodeStart, "node-start", "a node booted"},
    {EventKind::kNodeStop, "node-stop", "a node ended or crashed"},
    {EventKind::kFault, "fault", "a fault was injected or taken back"},
    {EventKind::kStory, "story", "a step of the scenario's story"},
    {EventKind::kProbe, "probe", "a service reported a fact"},
    {EventKind::kProperty, "property", "a property was judged"},
    {EventKind::kSegment, "segment", "a part of a stream arrived over a link"},
};

// The name of `kind`; "event-77" for one that this build does not know.
inline std::string EventKindName(EventKind kind) {
  for (const EventName& entry : kEventNames) {
    if (entry.kind == kind) return std::string(entry.name);
  }
  return absl::StrCat("event-", static_cast<int>(kind));
}

}  // namespace skysim

#endif  // SIMNET_TRACE_EVENT_NAMES_H_
