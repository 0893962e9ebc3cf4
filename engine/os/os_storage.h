#ifndef ENGINE_OS_OS_STORAGE_H_
#define ENGINE_OS_OS_STORAGE_H_

#include <memory>
#include <string>

#include "engine/platform/storage.h"

namespace skysim {

// OsStorage is the real Storage: the files of the machine, relative to the process' working folder.
// Errors are those of FileError. With kAppend every write goes to the end. Any thread; each File
// belongs to one at a time. Pipes and terminals can be opened; they ignore offsets.
class OsStorage final : public Storage {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  absl::StatusOr<std::shared_ptr<const std::string>> ReadAll(const std::string& path) override;
  bool Exists(const std::string& path) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  std::optional<std::string> MachinePath(const std::string& path) override;
};

}  // namespace skysim

#endif  // ENGINE_OS_OS_STORAGE_H_
