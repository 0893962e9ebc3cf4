#ifndef SIMNET_TRACE_RECORDED_EVENT_H_
#define SIMNET_TRACE_RECORDED_EVENT_H_

#include <cstdint>
#include <string>

#include "engine/platform/observer.h"

namespace skysim {

// One event as it is kept: what the observer was told, and when and where.
struct RecordedEvent {
  uint64_t index = 0;    // from 1
  int64_t time_ns = 0;   // virtual
  uint32_t node = 0;     // index into the node names; 0 = the world itself
  EventKind kind = EventKind::kStory;
  uint8_t type = 0;
  uint32_t service = 0, peer = 0;
  int32_t session = 0;
  uint64_t size = 0;
  uint64_t cause = 0;
  uint64_t bytes_hash = 0;  // of Event::bytes; 0 if there were none
  std::string text;

  friend bool operator==(const RecordedEvent& a, const RecordedEvent& b) {
    return a.index == b.index && a.time_ns == b.time_ns && a.node == b.node && a.kind == b.kind &&
           a.type == b.type && a.service == b.service && a.peer == b.peer &&
           a.session == b.session && a.size == b.size && a.cause == b.cause &&
           a.bytes_hash == b.bytes_hash && a.text == b.text;
  }
  friend bool operator!=(const RecordedEvent& a, const RecordedEvent& b) { return !(a == b); }
};

}  // namespace skysim

#endif  // SIMNET_TRACE_RECORDED_EVENT_H_
