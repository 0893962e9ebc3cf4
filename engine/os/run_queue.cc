#include "engine/os/run_queue.h"

#include <utility>

namespace skysim {

namespace {
constexpr size_t kInitialCapacity = 64;  // most nodes have fewer runnable at once
}  // namespace

RunQueue::RunQueue() : ring_(kInitialCapacity) {}

size_t RunQueue::Push(Runnable* runnable) {
  absl::MutexLock lock(&mutex_);
  size_t before = size_hint();
  Append(runnable);
  return before;
}

void RunQueue::Push(const std::vector<Runnable*>& runnables) {
  absl::MutexLock lock(&mutex_);
  for (Runnable* runnable : runnables) Append(runnable);
}

Runnable* RunQueue::Pop() {
  absl::MutexLock lock(&mutex_);
  return size_hint() == 0 ? nullptr : RemoveFirst();
}

void RunQueue::Take(size_t divisor, size_t size_min, std::vector<Runnable*>* taken) {
  absl::MutexLock lock(&mutex_);
  size_t size = size_hint();
  if (size < size_min) return;
  for (size_t count = (size + divisor - 1) / divisor; count > 0; --count) {
    taken->push_back(RemoveFirst());
  }
}

bool RunQueue::IsEmpty() const {
  absl::MutexLock lock(&mutex_);
  return size_hint() == 0;
}

void RunQueue::Append(Runnable* runnable) {
  size_t size = size_hint();
  if (size == ring_.size()) Grow();
  ring_[(head_ + size) & (ring_.size() - 1)] = runnable;
  size_.store(size + 1, std::memory_order_relaxed);
}

Runnable* RunQueue::RemoveFirst() {
  Runnable* first = ring_[head_];
  head_ = (head_ + 1) & (ring_.size() - 1);
  size_.store(size_hint() - 1, std::memory_order_relaxed);
  return first;
}

void RunQueue::Grow() {
  std::vector<Runnable*> bigger(ring_.size() * 2);
  for (size_t i = 0; i < ring_.size(); ++i) bigger[i] = ring_[(head_ + i) & (ring_.size() - 1)];
  ring_ = std::move(bigger);
  head_ = 0;
}

}  // namespace skysim
