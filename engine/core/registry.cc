#include "engine/core/registry.h"

#include <algorithm>

#include "absl/log/check.h"

namespace skysim {

Registry::~Registry() { Clear(); }

void Registry::Clear() {
  ServiceContext* guest = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    std::swap(guest, guest_);
  }
  if (guest != nullptr) guest->Unref();
  for (Handle handle : Handles()) Remove(handle);
}

Handle Registry::Add(ServiceContext* context) {
  absl::MutexLock lock(&mutex_);
  if (count_ == slots_.size()) Grow();
  for (;;) {
    Handle index = next_index_;
    next_index_ = next_index_ == kHandleIndexMask ? 1 : next_index_ + 1;
    if (Slot(index) != nullptr || index == kGuestIndex) continue;
    Slot(index) = context;
    ++count_;
    context->set_handle(index | harbor_ << kHarborShift);
    return context->handle();
  }
}

void Registry::AddGuest(ServiceContext* context) {
  absl::MutexLock lock(&mutex_);
  CHECK(guest_ == nullptr);
  guest_ = context;
  context->set_handle(kGuestIndex | harbor_ << kHarborShift);
}

ServiceContext* Registry::Get(Handle handle) const {
  if (guest_ != nullptr && handle == guest_->handle()) return guest_;
  ServiceContext* context = slots_[handle & (slots_.size() - 1)];
  return context != nullptr && context->handle() == handle ? context : nullptr;
}

ServiceRef Registry::Find(Handle handle) const {
  absl::ReaderMutexLock lock(&mutex_);
  ServiceContext* context = Get(handle);
  if (context == nullptr) return ServiceRef();
  context->Ref();
  return ServiceRef(context);
}

ServiceRef Registry::Remove(Handle handle) {
  absl::MutexLock lock(&mutex_);
  ServiceContext* context = Get(handle);
  if (context == nullptr || context == guest_) return ServiceRef();
  Slot(handle) = nullptr;
  --count_;
  for (auto it = names_.begin(); it != names_.end();) {
    it = it->second == handle ? names_.erase(it) : std::next(it);
  }
  return ServiceRef(context);
}

std::vector<Handle> Registry::Handles() const {
  absl::ReaderMutexLock lock(&mutex_);
  std::vector<Handle> handles;
  for (ServiceContext* context : slots_) {
    if (context != nullptr) handles.push_back(context->handle());
  }
  std::sort(handles.begin(), handles.end());
  return handles;
}

size_t Registry::size() const {
  absl::ReaderMutexLock lock(&mutex_);
  return count_;
}

bool Registry::AddName(absl::string_view name, Handle handle) {
  absl::MutexLock lock(&mutex_);
  if (Get(handle) == nullptr) return false;
  return names_.emplace(name, handle).second;
}

std::optional<Handle> Registry::FindName(absl::string_view name) const {
  absl::ReaderMutexLock lock(&mutex_);
  auto it = names_.find(name);
  if (it == names_.end()) return std::nullopt;
  return it->second;
}

void Registry::Grow() {
  std::vector<ServiceContext*> old = std::move(slots_);
  slots_.assign(old.size() * 2, nullptr);
  for (ServiceContext* context : old) {
    CHECK(Slot(context->handle()) == nullptr) << context->handle();
    Slot(context->handle()) = context;
  }
}

}  // namespace skysim
