#include "engine/os/os_storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/log/check.h"
#include "engine/platform/file_error.h"

namespace skysim {

namespace {

constexpr size_t kReadAllBytes = 64u << 10;

// Repeats a system call that a signal interrupted.
template <typename Call>
ssize_t Uninterrupted(Call call) {
  ssize_t result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

class OsFile final : public File {
 public:
  explicit OsFile(int descriptor) : descriptor_(descriptor) {}
  ~OsFile() override { close(descriptor_); }
  OsFile(const OsFile&) = delete;
  OsFile& operator=(const OsFile&) = delete;

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) override {
    std::string bytes(size, '\0');
    size_t filled = 0;
    while (filled < size) {
      ssize_t count = ReadSome(offset + filled, &bytes[filled], size - filled);
      if (count < 0) return FileError(errno);
      filled += static_cast<size_t>(count);
      if (count == 0 || is_stream_) break;
    }
    bytes.resize(filled);
    return bytes;
  }

  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t count = WriteSome(offset, bytes);
      if (count < 0) return FileError(errno);
      offset += static_cast<uint64_t>(count);
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() override {
    struct stat facts;
    if (fstat(descriptor_, &facts) != 0) return FileError(errno);
    return static_cast<uint64_t>(facts.st_size);
  }

  absl::Status Sync() override {
    if (Uninterrupted([&] { return fsync(descriptor_); }) != 0) return FileError(errno);
    return absl::OkStatus();
  }

 private:
  ssize_t ReadSome(uint64_t offset, char* bytes, size_t size) {
    if (!is_stream_) {
      ssize_t count = Uninterrupted(
          [&] { return pread(descriptor_, bytes, size, static_cast<off_t>(offset)); });
      if (count >= 0 || errno != ESPIPE) return count;
      is_stream_ = true;
    }
    return Uninterrupted([&] { return read(descriptor_, bytes, size); });
  }

  ssize_t WriteSome(uint64_t offset, absl::string_view bytes) {
    if (!is_stream_) {
      ssize_t count = Uninterrupted([&] {
        return pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      });
      if (count >= 0 || errno != ESPIPE) return count;
      is_stream_ = true;
    }
    return Uninterrupted([&] { return write(descriptor_, bytes.data(), bytes.size()); });
  }

  int descriptor_;
  bool is_stream_ = false;  // a pipe, a terminal: it has no offsets
};

int FlagsOf(Storage::OpenMode mode) {
  switch (mode) {
    case Storage::OpenMode::kRead:
      return O_RDONLY;
    case Storage::OpenMode::kReadWrite:
      return O_RDWR;
    case Storage::OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case Storage::OpenMode::kTruncate:
      return O_RDWR | O_CREAT | O_TRUNC;
    case Storage::OpenMode::kAppend:
      return O_RDWR | O_CREAT | O_APPEND;
  }
  CHECK(false) << "open mode " << static_cast<int>(mode);
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<File>> OsStorage::Open(const std::string& path, OpenMode mode) {
  constexpr mode_t kRights = 0666;  // less the umask, as fopen does
  int flags = FlagsOf(mode) | O_CLOEXEC;
  int descriptor =
      static_cast<int>(Uninterrupted([&] { return open(path.c_str(), flags, kRights); }));
  if (descriptor < 0) return FileError(errno);
  return std::make_unique<OsFile>(descriptor);
}

absl::StatusOr<std::shared_ptr<const std::string>> OsStorage::ReadAll(const std::string& path) {
  absl::StatusOr<std::unique_ptr<File>> file = Open(path, OpenMode::kRead);
  if (!file.ok()) return file.status();
  std::string content;
  while (true) {
    absl::StatusOr<std::string> bytes = (*file)->ReadAt(content.size(), kReadAllBytes);
    if (!bytes.ok()) return bytes.status();
    if (bytes->empty()) return std::make_shared<const std::string>(std::move(content));
    content += *bytes;
  }
}

bool OsStorage::Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

absl::Status OsStorage::Remove(const std::string& path) {
  if (std::remove(path.c_str()) != 0) return FileError(errno);
  return absl::OkStatus();
}

absl::Status OsStorage::Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return FileError(errno);
  return absl::OkStatus();
}

std::optional<std::string> OsStorage::MachinePath(const std::string& path) {
  struct stat facts;
  if (stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  return path;
}

}  // namespace skysim
