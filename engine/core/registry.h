#ifndef ENGINE_CORE_REGISTRY_H_
#define ENGINE_CORE_REGISTRY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/handle.h"
#include "engine/core/service_context.h"

namespace skysim {

// Registry holds the services of one node by handle, and their local names. Any thread.
//
// Indices count up from 1 and come again only after the 24-bit counter went round, so that a stale
// handle does not reach a stranger (skynet: tools rely on the order 1 logger, 2 bootstrap, ...).
class Registry final {
 public:
  // `first_index`: where the count begins; a test need not wait for its wrap-around.
  explicit Registry(uint32_t harbor, uint32_t first_index = 1)
      : harbor_(harbor), next_index_(first_index) {}
  ~Registry();

  // Takes over the first reference of `context` and gives it its handle.
  Handle Add(ServiceContext* context);

  // One service more that stands outside the count: through it a simulated world talks to the node.
  // Takes over the first reference; its handle has index kGuestIndex.
  static constexpr uint32_t kGuestIndex = 0xfffffe;
  void AddGuest(ServiceContext* context);

  // Null if the handle is not alive.
  ServiceRef Find(Handle handle) const;

  // Takes the service out, with all its names. Null if it is not there, or is the guest: that stays
  // until Clear().
  ServiceRef Remove(Handle handle);

  // Lets go of every service, the guest and then lowest index first, without telling
  // anybody.
  void Clear();

  // Lowest index first.
  std::vector<Handle> Handles() const;
  size_t size() const;

  // A name never changes its handle: false if it is taken, or if `handle` is not alive.
  bool AddName(absl::string_view name, Handle handle);
  std::optional<Handle> FindName(absl::string_view name) const;

 private:
  ServiceContext*& Slot(Handle handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return slots_[handle & (slots_.size() - 1)];
  }
  ServiceContext* Get(Handle handle) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void Grow() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint32_t harbor_;
  mutable absl::Mutex mutex_;
  // Power of two; a service is at its index modulo the size.
  std::vector<ServiceContext*> slots_ ABSL_GUARDED_BY(mutex_) = std::vector<ServiceContext*>(4);
  ServiceContext* guest_ ABSL_GUARDED_BY(mutex_) = nullptr;
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t next_index_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Handle, std::less<>> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skysim

#endif  // ENGINE_CORE_REGISTRY_H_
