#ifndef ENGINE_OS_RUN_QUEUE_H_
#define ENGINE_OS_RUN_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/platform/executor.h"

namespace skysim {

// The FIFO of runnables of one worker, or the one that all workers of a pool share. It borrows what
// it holds. Any thread; the lock is held for a few instructions, or for a copy of what is taken.
class RunQueue final {
 public:
  RunQueue();

  // Appends. Returns how many stood there before.
  size_t Push(Runnable* runnable);
  void Push(const std::vector<Runnable*>& runnables);

  // Takes the oldest; null if there is none.
  Runnable* Pop();

  // Moves the oldest `divisor`-th part, rounded up, to the end of `taken`: everything if `divisor`
  // is 1. Nothing if fewer than `size_min` stand there.
  void Take(size_t divisor, size_t size_min, std::vector<Runnable*>* taken);

  // Without the lock: may be a little late.
  size_t size_hint() const { return size_.load(std::memory_order_relaxed); }

  // With the lock: whatever was pushed before the call, in the order of the lock, is counted.
  bool IsEmpty() const;

 private:
  void Append(Runnable* runnable) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Runnable* RemoveFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Grow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::vector<Runnable*> ring_ ABSL_GUARDED_BY(mutex_);  // capacity is a power of two
  size_t head_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<size_t> size_{0};  // written under the lock
};

}  // namespace skysim

#endif  // ENGINE_OS_RUN_QUEUE_H_
