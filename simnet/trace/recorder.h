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
#include "simnet/trace/event_log.h"
#include "simnet/trace/recorded_event.h"

namespace skysim {

// The first event of a replay that is not as recorded. `expected` is empty if the recorded run had
// ended there, `actual` if the replay ended early.
struct Divergence {
  std::optional<RecordedEvent> expected, actual;
};

// Is told of each event when it has been recorded: how a story sees what happens in its nodes. Must
// neither record nor change anything.
class EventListener {
 public:
  virtual ~EventListener() = default;
  // `node`: index into Recorder::node_names().
  virtual void OnEvent(uint32_t node, const Event& event) = 0;
};

// Recorder numbers every event of a run, folds it into the digest, and keeps or compares it if
// asked to. The digest is the same whether events are kept or not. Hot path: a run makes millions
// of events, so folding one takes some nanoseconds. One thread.
class Recorder final {
 public:
  struct Options {
    bool keeps_events = false;
    // The run stops keeping (not counting) after that many: a run that floods must not take the
    // machine with it. A kept event takes ten to twenty bytes; events().dropped() counts the
    // others.
    uint64_t kept_max = 50'000'000;
    // Not null: each event is compared with the one of the same index, and the first difference is
    // kept in divergence(). Borrowed, until Finish().
    const EventLog* expected = nullptr;
    EventListener* listener = nullptr;  // borrowed; null: nobody listens
  };
  // `events` tells the time; it must outlive the recorder.
  Recorder(const EventQueue& events, Options options);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // The observer of the next node (1, 2, ...; index 0 is the world, made by the constructor). Owned
  // by the recorder. A restarted node keeps its observer.
  Observer& AddNode(absl::string_view name);
  Observer& world();
  // [0] is "world".
  const std::vector<std::string>& node_names() const;

  uint64_t count() const;
  uint64_t digest() const;
  const EventLog& events() const;
  const std::optional<Divergence>& divergence() const;
  // Compares the ends: call once after the run.
  void Finish();

 private:
  class NodeObserver;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skysim

#endif  // SIMNET_TRACE_RECORDER_H_
