#include "simnet/time/event_queue.h"

#include <algorithm>

#include "absl/log/check.h"

namespace skysim {
namespace {

// 16 million entries at a time, 2^40 over a run: a month at 400 000 per second.
constexpr int kSlotBits = 24;
constexpr uint64_t kSlotMask = (uint64_t{1} << kSlotBits) - 1;
constexpr uint64_t kSequenceMax = (uint64_t{1} << (64 - kSlotBits)) - 1;

constexpr size_t kArity = 4;

// Below this many dead entries a sweep is not worth its pass over the heap.
constexpr size_t kDeadMin = 64;

}  // namespace

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
  slots_[slot] = {happening, argument, ticket};
  heap_.emplace_back();
  SiftUp(heap_.size() - 1, {std::max(when_ns, now_ns_), ticket});
  return ticket;
}

void EventQueue::Cancel(uint64_t ticket) {
  const uint64_t index = ticket & kSlotMask;
  if (index >= slots_.size()) return;
  Slot& slot = slots_[index];
  if (slot.ticket != ticket || slot.happening == nullptr) return;
  slot.happening = nullptr;
  ++dead_;
  DropDeadFirst();
  if (dead_ >= kDeadMin && dead_ > heap_.size() / 2) Sweep();
}

int64_t EventQueue::NextNs() const {
  CHECK(!heap_.empty());
  return heap_[0].when_ns;
}

void EventQueue::RunNext() {
  CHECK(!heap_.empty());
  const Entry first = heap_[0];
  const Slot slot = SlotOf(first.ticket);
  FreeSlot(first.ticket);
  RemoveFirst();
  if (dead_ != 0) DropDeadFirst();
  now_ns_ = first.when_ns;
  slot.happening->Happen(slot.argument);
}

EventQueue::Slot& EventQueue::SlotOf(uint64_t ticket) { return slots_[ticket & kSlotMask]; }

uint32_t EventQueue::TakeSlot() {
  if (!free_slots_.empty()) {
    const uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
  }
  CHECK_LE(slots_.size(), kSlotMask) << "too many events are scheduled";
  slots_.emplace_back();
  return static_cast<uint32_t>(slots_.size() - 1);
}

void EventQueue::FreeSlot(uint64_t ticket) {
  SlotOf(ticket).ticket = 0;
  free_slots_.push_back(static_cast<uint32_t>(ticket & kSlotMask));
}

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

void EventQueue::RemoveFirst() {
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) SiftDown(0, last);
}

void EventQueue::DropDeadFirst() {
  while (!heap_.empty() && SlotOf(heap_[0].ticket).happening == nullptr) {
    FreeSlot(heap_[0].ticket);
    --dead_;
    RemoveFirst();
  }
}

void EventQueue::Sweep() {
  const auto is_dead = [this](const Entry& entry) {
    if (SlotOf(entry.ticket).happening != nullptr) return false;
    FreeSlot(entry.ticket);
    return true;
  };
  heap_.erase(std::remove_if(heap_.begin(), heap_.end(), is_dead), heap_.end());
  dead_ = 0;
  // Entries are totally ordered, so the layout of the heap cannot be seen from outside.
  for (size_t i = heap_.size() / kArity + 1; i-- > 0;) {
    if (i < heap_.size()) SiftDown(i, heap_[i]);
  }
}

}  // namespace skysim
