#include "simnet/time/event_queue.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "absl/log/check.h"

// Where an entry lies. `bucket_` only moves forward, to the bucket of the first entry, and only
// when run_ is used up. At any time the wheel has entries of the buckets (bucket_, bucket_ + N)
// alone, N their number, so that a bucket never mixes two rounds; all others are in run_ or heap_.
// The first entry of all is therefore the first of run_ or heap_, whichever comes earlier, unless
// run_ is empty and the wheel has a bucket no later than the heap's first entry: Settle() sees to
// that.

namespace skysim {
namespace {

constexpr size_t kArity = 4;

// Below this many dead entries a sweep is not worth its pass over all.
constexpr size_t kDeadMin = 64;

// One word of `occupied_` at least; at most a megabyte of heads.
constexpr size_t kBucketsMin = 64;
constexpr size_t kBucketsMax = size_t{1} << 18;

// To begin with: 16 us, what comes between two steps of a node.
constexpr int kFirstWidthBits = 14;

// A bucket shall span about that many events (2^kEventsBits): enough that finding the next one is
// cheap, few enough that sorting is.
constexpr int kEventsBits = 1;

// A width or number within this factor (2^kSlackBits) of the wanted one is good enough.
constexpr int kSlackBits = 1;

int BitWidth(uint64_t x) { return x == 0 ? 0 : 64 - __builtin_clzll(x); }

}  // namespace

EventQueue::EventQueue()
    : wheel_(kBucketsMin, kNoSlot),
      occupied_(kBucketsMin / 64),
      width_bits_(kFirstWidthBits),
      runs_to_adapt_(kBucketsMin),
      free_slot_(kNoSlot) {}

bool EventQueue::IsBefore(const Entry& a, const Entry& b) {
  using Key = unsigned __int128;  // times are never negative
  const Key key_a = static_cast<Key>(static_cast<uint64_t>(a.when_ns)) << 64 | a.ticket;
  const Key key_b = static_cast<Key>(static_cast<uint64_t>(b.when_ns)) << 64 | b.ticket;
  return key_a < key_b;
}

uint64_t EventQueue::Schedule(int64_t when_ns, Happening* happening, uint64_t argument) {
  DCHECK(happening != nullptr);
  CHECK_LT(sequence_, kSequenceMax);
  const uint32_t slot = TakeSlot();
  const uint64_t ticket = ++sequence_ << kSlotBits | slot;
  const Entry entry = {std::max(when_ns, now_ns_), ticket};
  slots_[slot] = {happening, argument, entry.when_ns, sequence_, kNoSlot};
  Insert(entry);
  if (run_.empty()) TakeNextBucket();
  return ticket;
}

void EventQueue::Cancel(uint64_t ticket) {
  const uint64_t index = ticket & kSlotMask;
  if (index >= slots_.size()) return;
  Slot& slot = slots_[index];
  if (slot.sequence != ticket >> kSlotBits || slot.happening == nullptr) return;
  slot.happening = nullptr;
  ++dead_;
  Settle();
  if (dead_ >= kDeadMin && dead_ > HeldSize() / 2) Rebuild(wheel_.size(), width_bits_);
}

int64_t EventQueue::NextNs() const {
  CHECK(!IsEmpty());
  return First().when_ns;
}

void EventQueue::AdvanceTo(int64_t when_ns) {
  if (!IsEmpty()) when_ns = std::min(when_ns, NextNs());
  now_ns_ = std::max(now_ns_, when_ns);
}

void EventQueue::RunNext() {
  CHECK(!IsEmpty());
  const Entry first = First();
  const Slot& slot = SlotOf(first.ticket);
  Happening* const happening = slot.happening;
  const uint64_t argument = slot.argument;
  FreeSlot(first.ticket);
  RemoveFirst();
  now_ns_ = first.when_ns;
  if (--runs_to_adapt_ == 0) Adapt();
  Settle();
  happening->Happen(argument);
}

// -- Slots ----------------------------------------------------------------------------------------

EventQueue::Slot& EventQueue::SlotOf(uint64_t ticket) { return slots_[ticket & kSlotMask]; }

uint32_t EventQueue::TakeSlot() {
  if (free_slot_ != kNoSlot) {
    return std::exchange(free_slot_, static_cast<uint32_t>(slots_[free_slot_].next));
  }
  CHECK_LT(slots_.size(), kNoSlot) << "too many events are scheduled";
  slots_.emplace_back();
  return static_cast<uint32_t>(slots_.size() - 1);
}

void EventQueue::FreeSlot(uint64_t ticket) {
  Slot& slot = SlotOf(ticket);
  slot.sequence = 0;
  slot.next = std::exchange(free_slot_, static_cast<uint32_t>(ticket & kSlotMask));
}

bool EventQueue::FreeIfDead(uint64_t ticket) {
  if (SlotOf(ticket).happening != nullptr) return false;
  FreeSlot(ticket);
  --dead_;
  return true;
}

// -- The first entry ------------------------------------------------------------------------------

void EventQueue::Insert(const Entry& entry) {
  const int64_t ahead = BucketOf(entry.when_ns) - bucket_;
  if (ahead <= 0 || ahead >= static_cast<int64_t>(wheel_.size())) {
    heap_.emplace_back();
    return SiftUp(heap_.size() - 1, entry);
  }
  const size_t index = static_cast<size_t>(bucket_ + ahead) & (wheel_.size() - 1);
  const auto slot = static_cast<uint32_t>(entry.ticket & kSlotMask);
  slots_[slot].next = std::exchange(wheel_[index], slot);
  occupied_[index / 64] |= uint64_t{1} << index % 64;
  ++wheel_size_;
}

bool EventQueue::IsHeapFirst() const {
  if (heap_.empty()) return false;
  return run_.empty() || IsBefore(heap_[0], run_.back());
}

void EventQueue::RemoveFirst() {
  if (IsHeapFirst()) return RemoveHeapFirst();
  run_.pop_back();
}

void EventQueue::Settle() {
  for (;;) {
    if (run_.empty()) TakeNextBucket();
    if (dead_ == 0 || IsEmpty() || !FreeIfDead(First().ticket)) return;
    RemoveFirst();
  }
}

// -- The wheel ------------------------------------------------------------------------------------

// Moves on to the bucket of the first entry.
void EventQueue::TakeNextBucket() {
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
  const int64_t in_heap = heap_.empty() ? kNever : BucketOf(heap_[0].when_ns);
  if (in_heap <= bucket_ || IsEmpty()) return;
  const int64_t next = wheel_size_ == 0 ? kNever : NextBucket();
  if (in_heap < next) {
    bucket_ = in_heap;
    return;
  }
  bucket_ = next;
  EmptyBucket(next);
  // What was scheduled last is first in the list: with equal delays there is nothing to sort.
  if (run_.size() > 1) std::sort(run_.begin(), run_.end(), [](const Entry& a, const Entry& b) {
    return IsBefore(b, a);
  });
}

int64_t EventQueue::NextBucket() const {
  const size_t mask = wheel_.size() - 1;
  const size_t start = static_cast<size_t>(bucket_ + 1) & mask;
  size_t word = start / 64;
  uint64_t bits = occupied_[word] >> start % 64 << start % 64;
  while (bits == 0) {
    word = (word + 1) & (occupied_.size() - 1);
    bits = occupied_[word];
  }
  const size_t index = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
  return bucket_ + 1 + static_cast<int64_t>((index - start) & mask);
}

void EventQueue::EmptyBucket(int64_t bucket) {
  const size_t index = static_cast<size_t>(bucket) & (wheel_.size() - 1);
  occupied_[index / 64] &= ~(uint64_t{1} << index % 64);
  uint32_t slot = std::exchange(wheel_[index], kNoSlot);
  while (slot != kNoSlot) {
    const Entry entry = {slots_[slot].when_ns, uint64_t{slots_[slot].sequence} << kSlotBits | slot};
    __builtin_prefetch(slots_[slot].happening);  // soon to happen, long not used
    slot = slots_[slot].next;
    --wheel_size_;
    run_.push_back(entry);
  }
}

// -- The heap -------------------------------------------------------------------------------------

void EventQueue::SiftUp(size_t index, Entry entry) {
  while (index > 0) {
    const size_t parent = (index - 1) / kArity;
    if (!IsBefore(entry, heap_[parent])) break;
    heap_[index] = heap_[parent];
    index = parent;
  }
  heap_[index] = entry;
}

void EventQueue::SiftDown(size_t index, Entry entry) {
  const size_t size = heap_.size();
  for (;;) {
    const size_t child = index * kArity + 1;
    if (child >= size) break;
    const size_t end = std::min(child + kArity, size);
    size_t first = child;
    for (size_t i = child + 1; i < end; ++i) first = IsBefore(heap_[i], heap_[first]) ? i : first;
    if (!IsBefore(heap_[first], entry)) break;
    heap_[index] = heap_[first];
    index = first;
  }
  heap_[index] = entry;
}

void EventQueue::RemoveHeapFirst() {
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) SiftDown(0, last);
}

// -- Following the events -------------------------------------------------------------------------

// Looks at the events run since it last looked, a number that grows with what Rebuild() costs: a
// constant per event.
void EventQueue::Adapt() {
  const size_t size = HeldSize();
  const size_t runs = std::max(wheel_.size(), kBucketsMin);
  const auto gap_ns = static_cast<uint64_t>(now_ns_ - adapted_ns_) / runs;
  const int width_bits = std::min(BitWidth(gap_ns) + kEventsBits, 40);
  // Buckets for twice the usual delay, which is the gap x the number that is pending.
  size_t buckets = kBucketsMin;
  while (buckets < std::min(size, kBucketsMax)) buckets *= 2;
  adapted_ns_ = now_ns_;
  const bool is_width_good = std::abs(width_bits - width_bits_) <= kSlackBits;
  const bool is_number_good =
      buckets <= wheel_.size() << kSlackBits && wheel_.size() <= buckets << kSlackBits;
  if (!is_width_good || !is_number_good) Rebuild(buckets, width_bits);
  runs_to_adapt_ = std::max(wheel_.size(), kBucketsMin);
}

// Puts all live entries into a new wheel.
void EventQueue::Rebuild(size_t buckets, int width_bits) {
  while (wheel_size_ != 0) EmptyBucket(bucket_ = NextBucket());
  std::vector<Entry> all = std::exchange(run_, {});
  all.insert(all.end(), heap_.begin(), heap_.end());
  heap_.clear();
  wheel_.assign(buckets, kNoSlot);
  occupied_.assign(buckets / 64, 0);
  width_bits_ = width_bits;
  bucket_ = BucketOf(now_ns_);
  for (const Entry& entry : all) {
    if (!FreeIfDead(entry.ticket)) Insert(entry);
  }
  Settle();
}

}  // namespace skysim
