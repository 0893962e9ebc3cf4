#ifndef ENGINE_PLATFORM_STORAGE_H_
#define ENGINE_PLATFORM_STORAGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skysim {

// One open file. Not thread safe. Closing is destroying.
class File {
 public:
  virtual ~File() = default;

  // Up to `size` bytes from `offset`; fewer at the end of the file, empty behind it.
  virtual absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) = 0;

  // Writes all of `bytes` at `offset`; a gap is filled with zeros.
  virtual absl::Status WriteAt(uint64_t offset, absl::string_view bytes) = 0;

  virtual absl::StatusOr<uint64_t> Size() = 0;

  // What was written survives a power-off once this returned OK.
  virtual absl::Status Sync() = 0;
};

// Storage is the file tree of one node. Paths are relative to the node's working directory or
// absolute. Errors carry the text a C program would print (strerror), e.g. "No such file or
// directory", with NotFound, PermissionDenied, ...
class Storage {
 public:
  enum class OpenMode { kRead, kReadWrite, kCreate, kTruncate, kAppend };

  virtual ~Storage() = default;

  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  // The content as it is now. Who keeps contents lends them: reading the same file again may give
  // the same object.
  virtual absl::StatusOr<std::shared_ptr<const std::string>> ReadAll(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // The file of the machine that is behind `path`, for what only the machine can read (shared
  // libraries). Null: there is none, or the node has changed it.
  virtual std::optional<std::string> MachinePath(const std::string& path) = 0;
};

}  // namespace skysim

#endif  // ENGINE_PLATFORM_STORAGE_H_
