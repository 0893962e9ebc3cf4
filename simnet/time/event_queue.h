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
// A wheel of buckets, each a short span of time, holds what comes within about twice the usual
// delay; taking the next bucket sorts its few entries. What comes before the bucket in use ends, or
// after the wheel's span, lies in a 4-ary heap. So scheduling and running cost the same for ten
// pending events and for a hundred thousand, as long as most delays are alike, and never more than
// a heap does. Width and number of buckets follow the events; they decide nothing about the order.
//
// Nothing is allocated per event once the vectors have grown. A cancelled entry stays where it is
// as a dead one until it comes up or dead ones are the majority; then all of them are swept out, so
// that memory stays within twice what is live.
class EventQueue final {
 public:
  EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  // Virtual nanoseconds since the run began.
  int64_t NowNs() const { return now_ns_; }

  // `happening`->Happen(argument) at `when_ns` (the past counts as now). Returns a ticket > 0 for
  // Cancel(). `happening` must live until then, or until cancelled.
  uint64_t Schedule(int64_t when_ns, Happening* happening, uint64_t argument);

  // Removes an entry. A ticket that has run or was cancelled, and 0, are ignored.
  void Cancel(uint64_t ticket);

  bool IsEmpty() const { return run_.empty() && heap_.empty() && wheel_size_ == 0; }
  // Time of the next entry. The queue must not be empty.
  int64_t NextNs() const;
  // Moves time to the next entry and lets it happen. The queue must not be empty.
  void RunNext();

  // Moves time on by itself, up to the next entry at most: where time is the machine's, and passes
  // while nothing happens. Never back.
  void AdvanceTo(int64_t when_ns);

  // Entries that will happen.
  size_t Size() const { return HeldSize() - dead_; }
  // Entries for which memory is held, dead ones included.
  size_t HeldSize() const { return run_.size() + heap_.size() + wheel_size_; }

 private:
  // 16 million entries at a time, 2^40 over a run: a month at 400 000 per second.
  static constexpr int kSlotBits = 24;
  static constexpr int kSequenceBits = 64 - kSlotBits;
  static constexpr uint64_t kSlotMask = (uint64_t{1} << kSlotBits) - 1;
  static constexpr uint64_t kSequenceMax = (uint64_t{1} << kSequenceBits) - 1;
  static constexpr uint32_t kNoSlot = kSlotMask;

  // A ticket is the sequence number of the entry above the index of its slot: tickets order entries
  // of equal time, are never used twice, and find their slot.
  struct Entry {
    int64_t when_ns;
    uint64_t ticket;
  };
  // Half a cache line: the slots that are pending were last touched long ago.
  struct alignas(32) Slot {
    Happening* happening = nullptr;  // null: cancelled
    uint64_t argument = 0;
    int64_t when_ns = 0;
    uint64_t sequence : kSequenceBits;  // of its ticket; 0: free
    uint64_t next : kSlotBits;          // slot after it in its bucket, or in the list of free ones
  };

  static bool IsBefore(const Entry& a, const Entry& b);
  Slot& SlotOf(uint64_t ticket);
  uint32_t TakeSlot();
  void FreeSlot(uint64_t ticket);
  bool FreeIfDead(uint64_t ticket);

  void Insert(const Entry& entry);
  bool IsHeapFirst() const;
  const Entry& First() const { return IsHeapFirst() ? heap_[0] : run_.back(); }
  void RemoveFirst();
  // Keeps the promise that the first entry, if there is one, is live and in run_ or heap_.
  void Settle();
  void TakeNextBucket();

  int64_t BucketOf(int64_t when_ns) const { return when_ns >> width_bits_; }
  // The first bucket after bucket_ that has entries. There must be one.
  int64_t NextBucket() const;
  // Moves its entries to run_, not sorted.
  void EmptyBucket(int64_t bucket);

  void SiftUp(size_t index, Entry entry);
  void SiftDown(size_t index, Entry entry);
  void RemoveHeapFirst();

  void Adapt();
  void Rebuild(size_t buckets, int width_bits);

  std::vector<Entry> run_;  // of bucket_, the next one last
  std::vector<Entry> heap_;
  std::vector<uint32_t> wheel_;      // first slot of each bucket, by bucket modulo their number
  std::vector<uint64_t> occupied_;   // a bit for each bucket
  size_t wheel_size_ = 0;            // entries in wheel_; they are in buckets after bucket_
  int64_t bucket_ = 0;               // what comes in it or before lies in run_ or heap_
  int width_bits_;                   // a bucket spans 2^width_bits_ ns

  int64_t adapted_ns_ = 0;           // when Adapt() last looked
  size_t runs_to_adapt_;             // until it looks again

  std::vector<Slot> slots_;
  uint32_t free_slot_;     // first of the list
  size_t dead_ = 0;        // cancelled entries still held
  uint64_t sequence_ = 0;  // of the last entry scheduled
  int64_t now_ns_ = 0;
};

}  // namespace skysim

#endif  // SIMNET_TIME_EVENT_QUEUE_H_
