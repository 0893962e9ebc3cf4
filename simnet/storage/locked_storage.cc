#include "simnet/storage/locked_storage.h"

#include <utility>

namespace skysim {

class LockedStorage::LockedFile final : public File {
 public:
  LockedFile(absl::Mutex& mutex, std::unique_ptr<File> file)
      : mutex_(mutex), file_(std::move(file)) {}
  ~LockedFile() override {
    absl::MutexLock lock(&mutex_);
    file_.reset();
  }

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) override {
    absl::MutexLock lock(&mutex_);
    return file_->ReadAt(offset, size);
  }
  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
    absl::MutexLock lock(&mutex_);
    return file_->WriteAt(offset, bytes);
  }
  absl::StatusOr<uint64_t> Size() override {
    absl::MutexLock lock(&mutex_);
    return file_->Size();
  }
  absl::Status Sync() override {
    absl::MutexLock lock(&mutex_);
    return file_->Sync();
  }

 private:
  absl::Mutex& mutex_;
  std::unique_ptr<File> file_;
};

absl::StatusOr<std::unique_ptr<File>> LockedStorage::Open(const std::string& path, OpenMode mode) {
  absl::MutexLock lock(&mutex_);
  auto file = storage_.Open(path, mode);
  if (!file.ok()) return file.status();
  return std::make_unique<LockedFile>(mutex_, *std::move(file));
}

absl::StatusOr<std::shared_ptr<const std::string>> LockedStorage::ReadAll(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  return storage_.ReadAll(path);
}

bool LockedStorage::Exists(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  return storage_.Exists(path);
}

absl::Status LockedStorage::Remove(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  return storage_.Remove(path);
}

absl::Status LockedStorage::Rename(const std::string& from, const std::string& to) {
  absl::MutexLock lock(&mutex_);
  return storage_.Rename(from, to);
}

std::optional<std::string> LockedStorage::MachinePath(const std::string& path) {
  absl::MutexLock lock(&mutex_);
  return storage_.MachinePath(path);
}

}  // namespace skysim
