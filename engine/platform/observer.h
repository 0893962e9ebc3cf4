#ifndef ENGINE_PLATFORM_OBSERVER_H_
#define ENGINE_PLATFORM_OBSERVER_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace skysim {

// What can happen. The numbers are part of the trace format (simnet/trace/format.md): append only.
enum class EventKind : uint8_t {
  kSend = 1,         // service -> peer: a message was put into peer's mailbox
  kDispatch = 2,     // service takes a message (of peer) out of its mailbox
  kLaunch = 3,       // service began to live; text = "module args"
  kExit = 4,         // service was retired; peer = who did it
  kLog = 5,          // service logged text
  kTimer = 6,        // a timer of service fired (session)
  kDeadLetter = 7,   // a message to peer was dropped: peer is gone
  kListen = 8,       // service's socket (session = socket id) listens; text = address
  kConnect = 9,      // socket connects; text = address
  kConnected = 10,   // connect done; text = peer address
  kConnectFailed = 11,
  kAccept = 12,      // listener (session) accepted socket (size); text = peer address
  kWrite = 13,       // bytes handed to the transport (session = socket id, size)
  kRead = 14,        // bytes taken from the transport
  kClose = 15,       // local close of a socket
  kPeerClosed = 16,  // the peer ended its stream
  kSocketError = 17, // text
  kNodeStart = 18,   // text = node name
  kNodeStop = 19,    // text = why (crash, abort, end)
  kFault = 20,       // text = the fault in words
  kStory = 21,       // a step of the scenario's story; text
  kProbe = 22,       // sim.probe of a service; text
  kProperty = 23,    // a property was judged; text = kind, name, verdict
  kSegment = 24,     // a chunk of a stream was delivered over a link; size; text = link
};

// One recorded fact. `text` and `bytes` live until Record() returns.
struct Event {
  EventKind kind;
  uint8_t type = 0;      // message type, where there is one
  uint32_t service = 0;  // handle, 0 = none
  uint32_t peer = 0;     // handle of the other one, 0 = none
  int32_t session = 0;   // session, or socket id
  uint64_t size = 0;     // bytes
  uint64_t cause = 0;    // index of the event that led to this one, 0 = none
  absl::string_view text = {};
  absl::string_view bytes = {};  // payload; only its hash is kept
};

// Observer is told what happens in one node, in order. It must not change anything.
class Observer {
 public:
  virtual ~Observer() = default;

  // Returns the index of the event, > 0, or 0 if nobody counts.
  virtual uint64_t Record(const Event& event) = 0;
};

}  // namespace skysim

#endif  // ENGINE_PLATFORM_OBSERVER_H_
