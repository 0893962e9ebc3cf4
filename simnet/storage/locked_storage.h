#ifndef SIMNET_STORAGE_LOCKED_STORAGE_H_
#define SIMNET_STORAGE_LOCKED_STORAGE_H_

#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "engine/platform/storage.h"

namespace skysim {

// Lets several threads use a Storage that only one may: the file tree of a scenario's node that
// runs on worker threads. Its files must not outlive it.
class LockedStorage final : public Storage {
 public:
  // `storage` is borrowed; nobody else may use it meanwhile, but within Change().
  explicit LockedStorage(Storage& storage) : storage_(storage) {}

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  absl::StatusOr<std::shared_ptr<const std::string>> ReadAll(const std::string& path) override;
  bool Exists(const std::string& path) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  std::optional<std::string> MachinePath(const std::string& path) override;

  // Calls `change` at once, while no other thread uses the storage.
  void Change(absl::FunctionRef<void()> change) {
    absl::MutexLock lock(&mutex_);
    change();
  }

 private:
  class LockedFile;

  Storage& storage_;
  absl::Mutex mutex_;
};

}  // namespace skysim

#endif  // SIMNET_STORAGE_LOCKED_STORAGE_H_
