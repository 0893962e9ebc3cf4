#include "engine/core/shared_objects.h"

#include "absl/log/check.h"

namespace skysim {

SharedObjects::~SharedObjects() {
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
