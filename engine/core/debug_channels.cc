#include "engine/core/debug_channels.h"

#include <utility>

namespace skysim {

void DebugChannel::Write(std::string text) {
  absl::MutexLock lock(&mutex_);
  if (texts_.size() < kTextsMax) texts_.push_back(std::move(text));
}

bool DebugChannel::Read(std::string* text) {
  absl::MutexLock lock(&mutex_);
  if (texts_.empty()) return false;
  *text = std::move(texts_.front());
  texts_.pop_front();
  return true;
}

std::shared_ptr<DebugChannel> DebugChannels::Create(uint64_t* number) {
  auto channel = std::make_shared<DebugChannel>();
  absl::MutexLock lock(&mutex_);
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    it = it->second.expired() ? waiting_.erase(it) : std::next(it);
  }
  *number = ++last_;
  waiting_.emplace(last_, channel);
  return channel;
}

std::shared_ptr<DebugChannel> DebugChannels::Take(uint64_t number) {
  absl::MutexLock lock(&mutex_);
  auto found = waiting_.find(number);
  if (found == waiting_.end()) return nullptr;
  std::shared_ptr<DebugChannel> channel = found->second.lock();
  waiting_.erase(found);
  return channel;
}

}  // namespace skysim
