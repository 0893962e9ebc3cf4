#include "engine/lua/file_stream.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "catch2/catch_test_macros.hpp"
#include "engine/platform/file_error.h"

namespace skysim {
namespace {

// What the tests see of a file whose stream owns it.
struct Disk {
  std::string content;
  int operations = 0;   // reads, writes and questions for the size
  int fails_from = -1;  // this operation and all later ones fail; -1: none
  size_t read_bytes_max = 4096;
};

class DiskFile final : public File {
 public:
  explicit DiskFile(Disk& disk) : disk_(disk) {}

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) override {
    if (!Next()) return FileError(EIO);
    if (offset >= disk_.content.size()) return std::string();
    return disk_.content.substr(offset, std::min(size, disk_.read_bytes_max));
  }
  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
    if (!Next()) return FileError(ENOSPC);
    if (disk_.content.size() < offset + bytes.size()) disk_.content.resize(offset + bytes.size());
    disk_.content.replace(offset, bytes.size(), bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> Size() override {
    if (!Next()) return FileError(EIO);
    return disk_.content.size();
  }
  absl::Status Sync() override { return absl::OkStatus(); }

 private:
  bool Next() { return disk_.fails_from < 0 || disk_.operations++ < disk_.fails_from; }

  Disk& disk_;
};

FileStream Updating(Disk& disk) {
  FileStream::Options options;
  options.can_read = true;
  options.can_write = true;
  return FileStream(std::make_unique<DiskFile>(disk), options);
}

TEST_CASE("stream reads lines across short reads") {
  Disk disk;
  disk.content = "first\nsecond\nend";
  disk.read_bytes_max = 3;
  FileStream stream = Updating(disk);
  std::string line;

  CHECK(stream.ReadLine(&line));
  CHECK(line == "first\n");
  line.clear();
  CHECK(stream.ReadLine(&line));
  CHECK(line == "second\n");
  line.clear();
  CHECK(stream.ReadLine(&line));
  CHECK(line == "end");
  CHECK_FALSE(stream.ReadLine(&line));
}

TEST_CASE("stream keeps what it buffers out of the file until it is flushed") {
  Disk disk;
  FileStream stream = Updating(disk);

  CHECK(stream.Write("abc").ok());
  CHECK(disk.content.empty());
  CHECK(stream.Flush().ok());
  CHECK(disk.content == "abc");
  CHECK(stream.Write(std::string(FileStream::kBufferBytes, 'x')).ok());
  CHECK(disk.content.size() == 3 + FileStream::kBufferBytes);
}

TEST_CASE("stream reads what it wrote, and writes where it read") {
  Disk disk;
  disk.content = "0123456789";
  FileStream stream = Updating(disk);

  CHECK(stream.NextByte() == '0');
  CHECK(stream.Write("AB").ok());
  CHECK(stream.NextByte() == '3');
  CHECK(stream.Seek(FileStream::Whence::kCurrent, -3).value() == 1);
  CHECK(stream.NextByte() == 'A');
  CHECK(disk.content == "0AB3456789");
}

TEST_CASE("a failed operation of the file reaches the caller, whichever it is") {
  for (int nth = 0;; ++nth) {
    CAPTURE(nth);
    Disk disk;
    disk.content = "0123456789";
    disk.fails_from = nth;
    FileStream stream = Updating(disk);
    std::string bytes;
    bool failed = false;

    stream.ReadBytes(5, &bytes);
    failed = !stream.error().ok();
    failed = !stream.Write("written").ok() || failed;
    failed = !stream.Flush().ok() || failed;
    failed = !stream.Seek(FileStream::Whence::kEnd, 0).ok() || failed;
    stream.ClearError();
    stream.PeekByte();
    failed = !stream.error().ok() || failed;

    CHECK(failed == (nth < disk.operations));
    if (!failed) break;
  }
}

TEST_CASE("a full disk fails the flush and drops the bytes") {
  Disk disk;
  disk.fails_from = 0;
  FileStream stream = Updating(disk);
  CHECK(stream.Write("abc").ok());

  CHECK(stream.Flush().message() == "No space left on device");

  CHECK(stream.Flush().ok());
}

TEST_CASE("a stream that may not read or write says so") {
  Disk disk;
  FileStream neither(std::make_unique<DiskFile>(disk), {});

  CHECK(neither.Write("x").message() == "Bad file descriptor");
  CHECK(neither.PeekByte() == FileStream::kEndOfFile);
  CHECK(neither.error().message() == "Bad file descriptor");
}

TEST_CASE("errors of files keep their number") {
  CHECK(FileErrorNumber(FileError(ENOENT)) == ENOENT);
  CHECK(FileErrorNumber(FileError(ENOTEMPTY)) == ENOTEMPTY);
  CHECK(FileErrorNumber(absl::InternalError("something else")) == EIO);
}

}  // namespace
}  // namespace skysim
