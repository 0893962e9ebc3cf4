#ifndef ENGINE_CORE_SHARED_OBJECTS_H_
#define ENGINE_CORE_SHARED_OBJECTS_H_

#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace skysim {

// SharedObjects is the list of what the services of one node share beside messages: trees of
// skynet.sharedata, cells of skynet.stm, sheets of skynet.datasheet. A message cannot hold such an
// object, so it names it by a number: one service sends the number, the other looks it up and holds
// the object from then on. The list itself keeps nothing alive: a number on its way is not a
// reference, and who comes too late finds nothing. So a service that is killed leaks nothing.
// Only what is kept (packages of skynet.multicast.core) stays until it is dropped, or the node ends.
//
// Owned by the node; outlives every object in it. Any thread.
class SharedObjects final {
 public:
  using Id = uint64_t;  // 0 is none; no number is given twice

  // What is in the list. It leaves the list when its last owner lets go of it.
  class Object {
   public:
    Object() = default;
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    virtual ~Object() {
      if (list_ != nullptr) list_->Forget(id_);
    }

    Id id() const { return id_; }

   private:
    friend class SharedObjects;
    SharedObjects* list_ = nullptr;
    Id id_ = 0;
  };

  SharedObjects() = default;
  ~SharedObjects();
  SharedObjects(const SharedObjects&) = delete;
  SharedObjects& operator=(const SharedObjects&) = delete;

  // Numbers an object that nobody else knows yet.
  Id Add(const std::shared_ptr<Object>& object);

  // Null if it is gone, or never was, or is of another type.
  template <typename T>
  std::shared_ptr<T> Find(Id id) const {
    return std::dynamic_pointer_cast<T>(FindAny(id));
  }
  // Whether the number was given to any object, alive or not.
  bool WasGiven(Id id) const;

  // The list is an owner of the object too, until Drop.
  void Keep(const std::shared_ptr<Object>& object);
  void Drop(Id id);

 private:
  std::shared_ptr<Object> FindAny(Id id) const;
  void Forget(Id id);

  mutable absl::Mutex mutex_;
  Id last_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<Id, std::weak_ptr<Object>> objects_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Id, std::shared_ptr<Object>> kept_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skysim

#endif  // ENGINE_CORE_SHARED_OBJECTS_H_
