#include "engine/core/shared_objects.h"

#include <utility>

#include "absl/log/check.h"

namespace skysim {

SharedObjects::~SharedObjects() {
  decltype(kept_) kept;
  {
    absl::MutexLock lock(&mutex_);
    kept.swap(kept_);
  }
  kept.clear();  // each takes the lock to leave
  absl::MutexLock lock(&mutex_);
  CHECK(objects_.empty()) << "shared objects outlive the node's services: " << objects_.size();
}

SharedObjects::Id SharedObjects::Add(const std::shared_ptr<Object>& object) {
  CHECK(object->list_ == nullptr) << "an object is numbered once";
  absl::MutexLock lock(&mutex_);
  object->list_ = this;
  object->id_ = ++last_;
  objects_.emplace(object->id_, object);
  return object->id_;
}

bool SharedObjects::WasGiven(Id id) const {
  absl::MutexLock lock(&mutex_);
  return id != 0 && id <= last_;
}

void SharedObjects::Keep(const std::shared_ptr<Object>& object) {
  CHECK(object->list_ == this) << "an object of this list is kept";
  absl::MutexLock lock(&mutex_);
  kept_.emplace(object->id_, object);
}

void SharedObjects::Drop(Id id) {
  std::shared_ptr<Object> dropped;  // takes the lock to leave, when it is free again
  absl::MutexLock lock(&mutex_);
  const auto found = kept_.find(id);
  if (found == kept_.end()) return;
  dropped = std::move(found->second);
  kept_.erase(found);
}

std::shared_ptr<SharedObjects::Object> SharedObjects::FindAny(Id id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = objects_.find(id);
  return found == objects_.end() ? nullptr : found->second.lock();
}

void SharedObjects::Forget(Id id) {
  absl::MutexLock lock(&mutex_);
  objects_.erase(id);
}

}  // namespace skysim
