#ifndef SIMNET_TIME_EVENT_QUEUE_H_
#define SIMNET_TIME_EVENT_QUEUE_H_

#include <cstdint>

namespace skysim {

// Something that happens at a virtual time. Implementations are the objects themselves (a link, a
// node's executor, a clock), and `argument` says which of its happenings it is: no allocation per
// event.
class Happening {
 public:
  virtual ~Happening() = default;
  virtual void Happen(uint64_t argument) = 0;
};

// EventQueue is the virtual time of one run: what will happen, in order of time, ties in order of
// scheduling. Time moves only when the next entry is taken. One thread.
class EventQueue final {
 public:
  EventQueue();
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // Virtual nanoseconds since the run began.
  int64_t NowNs() const { return now_ns_; }

  // `happening`->Happen(argument) at `when_ns` (the past counts as now). Returns a ticket > 0 for
  // Cancel(). `happening` must live until then, or until cancelled.
  uint64_t Schedule(int64_t when_ns, Happening* happening, uint64_t argument);

  // Removes an entry. A ticket that has run or was cancelled is ignored.
  void Cancel(uint64_t ticket);

  bool IsEmpty() const;
  // Time of the next entry. The queue must not be empty.
  int64_t NextNs() const;
  // Moves time to the next entry and lets it happen. The queue must not be empty.
  void RunNext();

 private:
  class Impl;
  Impl* impl_;
  int64_t now_ns_ = 0;
};

}  // namespace skysim

#endif  // SIMNET_TIME_EVENT_QUEUE_H_
