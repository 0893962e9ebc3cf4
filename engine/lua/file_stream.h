#ifndef ENGINE_LUA_FILE_STREAM_H_
#define ENGINE_LUA_FILE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/platform/storage.h"

namespace skysim {

// FileStream is to a File what C's FILE is to a descriptor: a position, a read buffer and a write
// buffer. What is buffered is not in the file yet: it gets there with Flush(), a full buffer, a
// seek, a read or the destructor, and is lost with a process that crashes before.
//
// One thread.
class FileStream final {
 public:
  struct Options {
    bool can_read = false;
    bool can_write = false;
    bool appends = false;    // every write goes to the end of the file
    bool is_stream = false;  // has no positions: what print writes to
  };
  enum class Buffering { kNone, kLine, kFull };
  enum class Whence { kStart, kCurrent, kEnd };

  static constexpr size_t kBufferBytes = 4096;
  static constexpr int kEndOfFile = -1;

  FileStream(std::unique_ptr<File> file, Options options);
  // Flushes; errors are lost.
  ~FileStream();
  FileStream(const FileStream&) = delete;
  FileStream& operator=(const FileStream&) = delete;

  // Reading answers less than asked for at the end of the file and on an error, which `error` then
  // has. Each byte is 0..255.
  int PeekByte();
  int NextByte();
  // Appends up to and including the next '\n' to `line`. False when there was nothing.
  bool ReadLine(std::string* line);
  // Appends up to `size` bytes. False when there was nothing.
  bool ReadBytes(size_t size, std::string* bytes);
  const absl::Status& error() const { return error_; }
  void ClearError() { error_ = absl::OkStatus(); }

  absl::Status Write(absl::string_view bytes);
  absl::Status Flush();
  // The new position. EINVAL before the start, ESPIPE on a stream.
  absl::StatusOr<int64_t> Seek(Whence whence, int64_t offset);
  void SetBuffering(Buffering buffering, size_t bytes);

 private:
  absl::string_view Buffered() const;
  // Buffered() is not empty behind it, unless at the end or on an error.
  bool Fill();
  void Skip(size_t bytes) { position_ += bytes; }

  std::unique_ptr<File> file_;
  Options options_;
  absl::Status error_;
  uint64_t position_ = 0;  // of the next byte to read or write
  std::string read_;       // bytes of the file from read_offset_
  uint64_t read_offset_ = 0;
  std::string written_;  // not yet in the file; they end at position_
  Buffering buffering_ = Buffering::kFull;
  size_t buffer_bytes_ = kBufferBytes;
};

}  // namespace skysim

#endif  // ENGINE_LUA_FILE_STREAM_H_
