#ifndef SIMNET_TIME_EVENT_QUEUE_H_
#define SIMNET_TIME_EVENT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

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
//
// A 4-ary heap of 16-byte entries: the children of an entry share a cache line, and what an entry
// does lies in a slot beside the heap. Nothing is allocated per event once the vectors have grown.
// A cancelled entry stays in the heap as a dead one until it comes up or dead ones are the
// majority; then all of them are swept out, so that memory stays within twice what is live.
class EventQueue final {
 public:
  EventQueue() = default;
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // Virtual nanoseconds since the run began.
  int64_t NowNs() const { return now_ns_; }

  // `happening`->Happen(argument) at `when_ns` (the past counts as now). Returns a ticket > 0 for
  // Cancel(). `happening` must live until then, or until cancelled.
  uint64_t Schedule(int64_t when_ns, Happening* happening, uint64_t argument);

  // Removes an entry. A ticket that has run or was cancelled, and 0, are ignored.
  void Cancel(uint64_t ticket);

  bool IsEmpty() const { return heap_.empty(); }
  // Time of the next entry. The queue must not be empty.
  int64_t NextNs() const;
  // Moves time to the next entry and lets it happen. The queue must not be empty.
  void RunNext();

  // Entries that will happen.
  size_t Size() const { return heap_.size() - dead_; }
  // Entries for which memory is held, dead ones included.
  size_t HeapSize() const { return heap_.size(); }

 private:
  // A ticket is the sequence number of the entry above the index of its slot: tickets order entries
  // of equal time, are never used twice, and find their slot.
  struct Entry {
    int64_t when_ns;
    uint64_t ticket;
  };
  struct Slot {
    Happening* happening = nullptr;  // null: cancelled
    uint64_t argument = 0;
    uint64_t ticket = 0;             // 0: free
  };

  static bool IsBefore(const Entry& a, const Entry& b);
  uint32_t TakeSlot();
  void FreeSlot(uint64_t ticket);
  void SiftUp(size_t index, Entry entry);
  void SiftDown(size_t index, Entry entry);
  void RemoveFirst();
  // Keeps the promise that the first entry, if there is one, is live.
  void DropDeadFirst();
  void Sweep();
  Slot& SlotOf(uint64_t ticket);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  size_t dead_ = 0;        // cancelled entries in heap_
  uint64_t sequence_ = 0;  // of the last entry scheduled
  int64_t now_ns_ = 0;
};

}  // namespace skysim

#endif  // SIMNET_TIME_EVENT_QUEUE_H_
