#ifndef SIMNET_TRACE_EVENT_LOG_H_
#define SIMNET_TRACE_EVENT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "simnet/trace/recorded_event.h"

namespace skysim {

// EventLog keeps the events of a run in the form in which a trace file holds them: some ten bytes
// per event instead of a hundred, each different text once. Append at the end; read from the front,
// or at an index (decodes up to 255 events before it). One thread; copyable.
//
// Reading is by value, so code that treated it as a vector of events (size, [], range for) reads
// on.
class EventLog final {
 public:
  class Iterator;

  // `event.index` is ignored: the log numbers its events 1, 2, ...
  void Append(const RecordedEvent& event);
  // The same without a copy of the text.
  void Append(int64_t time_ns, uint32_t node, const Event& event, uint64_t bytes_hash);

  // Counts an event that followed and was not kept. Nothing is appended after the first.
  void Drop() { ++dropped_; }
  uint64_t dropped() const { return dropped_; }

  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  // `position` from 0, so events()[i].index == i + 1.
  RecordedEvent operator[](size_t position) const;
  Iterator begin() const;
  Iterator end() const;

  // -- The form in the file ------------------------------------------------------------------

  const std::vector<std::string>& texts() const { return texts_; }
  const std::string& encoded() const { return encoded_; }
  // Checks every event. Errors: DataLoss, naming the event that is not one.
  static absl::StatusOr<EventLog> FromEncoded(uint64_t count, uint64_t dropped,
                                              std::vector<std::string> texts,
                                              std::string encoded, uint64_t nodes);

 private:
  struct Checkpoint {
    size_t offset;    // of the event in encoded_
    int64_t time_ns;  // of the event before it
  };
  uint64_t TextId(absl::string_view text);

  std::string encoded_;
  std::vector<Checkpoint> checkpoints_;  // of events 1, 257, 513, ...
  std::vector<std::string> texts_ = std::vector<std::string>(1);  // [0] is the empty one
  absl::flat_hash_map<std::string, uint64_t> text_ids_;
  uint64_t count_ = 0;
  uint64_t dropped_ = 0;
  int64_t last_ns_ = 0;
};

// Walks a log forward. The log must live and not grow meanwhile.
class EventLog::Iterator final {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = RecordedEvent;
  using difference_type = std::ptrdiff_t;
  using pointer = const RecordedEvent*;
  using reference = const RecordedEvent&;

  const RecordedEvent& operator*() const { return event_; }
  const RecordedEvent* operator->() const { return &event_; }
  Iterator& operator++();
  friend bool operator==(const Iterator& a, const Iterator& b) {
    return a.event_.index == b.event_.index;
  }
  friend bool operator!=(const Iterator& a, const Iterator& b) { return !(a == b); }

 private:
  friend class EventLog;
  Iterator(const EventLog* log, size_t offset, uint64_t index, int64_t time_ns);

  const EventLog* log_;
  size_t offset_;        // of the next event
  RecordedEvent event_;  // the current one
};

}  // namespace skysim

#endif  // SIMNET_TRACE_EVENT_LOG_H_
