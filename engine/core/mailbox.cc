#include "engine/core/mailbox.h"

#include <utility>

namespace skysim {

namespace {
constexpr size_t kInitialCapacity = 4;         // most services never hold more; doubles
constexpr size_t kOverloadThreshold = 1024;  // skynet's
}  // namespace

Mailbox::Mailbox() : overload_threshold_(kOverloadThreshold) {}

bool Mailbox::Push(Message message) {
  absl::MutexLock lock(&mutex_);
  if (count_ == ring_.size()) Grow();
  ring_[(head_ + count_) & (ring_.size() - 1)] = std::move(message);
  ++count_;
  if (is_scheduled_) return false;
  is_scheduled_ = true;
  return true;
}

bool Mailbox::Pop(Message* message) {
  absl::MutexLock lock(&mutex_);
  if (count_ == 0) {
    overload_threshold_ = kOverloadThreshold;
    return false;
  }
  *message = std::move(ring_[head_]);
  head_ = (head_ + 1) & (ring_.size() - 1);
  --count_;
  while (count_ > overload_threshold_) {
    overload_.store(count_, std::memory_order_relaxed);
    overload_threshold_ *= 2;
  }
  return true;
}

bool Mailbox::KeepsScheduled() {
  absl::MutexLock lock(&mutex_);
  if (count_ > 0) return true;
  is_scheduled_ = false;
  overload_threshold_ = kOverloadThreshold;
  return false;
}

size_t Mailbox::size() const {
  absl::MutexLock lock(&mutex_);
  return count_;
}

size_t Mailbox::TakeOverload() {
  if (overload_.load(std::memory_order_relaxed) == 0) return 0;
  return overload_.exchange(0, std::memory_order_relaxed);
}

void Mailbox::Grow() {
  std::vector<Message> bigger(ring_.empty() ? kInitialCapacity : ring_.size() * 2);
  for (size_t i = 0; i < count_; ++i) {
    bigger[i] = std::move(ring_[(head_ + i) & (ring_.size() - 1)]);
  }
  ring_ = std::move(bigger);
  head_ = 0;
}

}  // namespace skysim
