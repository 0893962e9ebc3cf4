#ifndef SIMNET_TRACE_RECORDER_H_
#define SIMNET_TRACE_RECORDER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/platform/observer.h"
#include "simnet/time/event_queue.h"

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
};

// The first event of a replay that is not as recorded. `expected` is empty if the recorded run had
// ended there, `actual` if the replay ended early.
struct Divergence {
  std::optional<RecordedEvent> expected, actual;
};

// Recorder numbers every event of a run, folds it into the digest, and keeps or compares it if asked
// to. The digest is the same whether events are kept or not. Hot path: a run makes millions of
// events, so folding one takes some nanoseconds. One thread.
class Recorder final {
 public:
  struct Options {
    bool keeps_events = false;
    // The run stops keeping (not counting) after that many: a run that floods must not take the
    // machine with it.
    uint64_t kept_max = 50'000'000;
    // Not null: each event is compared with the one of the same index, and the first difference is
    // kept in divergence(). Borrowed.
    const std::vector<RecordedEvent>* expected = nullptr;
  };
  Recorder(const EventQueue& events, Options options);

  // The observer of the next node (1, 2, ...; index 0 is the world, made by the constructor). Owned
  // by the recorder. A restarted node keeps its observer.
  Observer& AddNode(absl::string_view name);
  Observer& world();
  const std::vector<std::string>& node_names() const;

  uint64_t count() const;
  uint64_t digest() const;
  const std::vector<RecordedEvent>& events() const;
  const std::optional<Divergence>& divergence() const;
  // Compares the ends: call once after the run.
  void Finish();

 private:
  class NodeObserver;
  uint64_t Record(uint32_t node, const Event& event);
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace skysim

#endif  // SIMNET_TRACE_RECORDER_H_
