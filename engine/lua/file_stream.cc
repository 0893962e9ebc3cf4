#include "engine/lua/file_stream.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "engine/platform/file_error.h"

// At most one of the two buffers holds something that counts: writing forgets what was read ahead,
// reading flushes first.

namespace skysim {

FileStream::FileStream(std::unique_ptr<File> file, Options options)
    : file_(std::move(file)), options_(options) {
  if (options_.is_stream) buffering_ = Buffering::kNone;
  if (options_.appends && !options_.can_read) {  // C: ftell of a file opened with "a", not "a+"
    absl::StatusOr<uint64_t> size = file_->Size();
    if (size.ok()) position_ = *size;
  }
}

FileStream::~FileStream() { Flush().IgnoreError(); }

absl::string_view FileStream::Buffered() const {
  if (position_ < read_offset_ || position_ - read_offset_ >= read_.size()) return {};
  return absl::string_view(read_).substr(position_ - read_offset_);
}

bool FileStream::Fill() {
  if (!Buffered().empty()) return true;
  if (!options_.can_read) {
    error_ = FileError(EBADF);
    return false;
  }
  error_ = Flush();
  if (!error_.ok()) return false;
  absl::StatusOr<std::string> bytes = file_->ReadAt(position_, kBufferBytes);
  if (!bytes.ok()) {
    error_ = bytes.status();
    return false;
  }
  read_ = *std::move(bytes);
  read_offset_ = position_;
  return !read_.empty();
}

int FileStream::PeekByte() {
  return Fill() ? static_cast<unsigned char>(Buffered().front()) : kEndOfFile;
}

int FileStream::NextByte() {
  int byte = PeekByte();
  if (byte != kEndOfFile) Skip(1);
  return byte;
}

bool FileStream::ReadLine(std::string* line) {
  bool found_something = false;
  while (Fill()) {
    found_something = true;
    absl::string_view buffered = Buffered();
    size_t line_end = buffered.find('\n');
    bool is_complete = line_end != absl::string_view::npos;
    if (is_complete) buffered = buffered.substr(0, line_end + 1);
    line->append(buffered.data(), buffered.size());
    Skip(buffered.size());
    if (is_complete) break;
  }
  return found_something;
}

bool FileStream::ReadBytes(size_t size, std::string* bytes) {
  size_t left = size;
  while (left > 0 && Fill()) {
    absl::string_view buffered = Buffered().substr(0, left);
    bytes->append(buffered.data(), buffered.size());
    Skip(buffered.size());
    left -= buffered.size();
  }
  return left < size;
}

absl::Status FileStream::Write(absl::string_view bytes) {
  if (!options_.can_write) return FileError(EBADF);
  read_.clear();
  written_.append(bytes.data(), bytes.size());
  position_ += bytes.size();
  bool must_flush = buffering_ == Buffering::kNone || written_.size() >= buffer_bytes_ ||
                    (buffering_ == Buffering::kLine && bytes.find('\n') != bytes.npos);
  return must_flush ? Flush() : absl::OkStatus();
}

absl::Status FileStream::Flush() {
  if (written_.empty()) return absl::OkStatus();
  absl::Status status = file_->WriteAt(position_ - written_.size(), written_);
  written_.clear();
  if (status.ok() && options_.appends) {
    absl::StatusOr<uint64_t> size = file_->Size();
    if (!size.ok()) return size.status();
    position_ = *size;
  }
  return status;
}

absl::StatusOr<int64_t> FileStream::Seek(Whence whence, int64_t offset) {
  absl::Status flushed = Flush();
  if (!flushed.ok()) return flushed;
  if (options_.is_stream) return FileError(ESPIPE);
  int64_t base = whence == Whence::kCurrent ? static_cast<int64_t>(position_) : 0;
  if (whence == Whence::kEnd) {
    absl::StatusOr<uint64_t> size = file_->Size();
    if (!size.ok()) return size.status();
    base = static_cast<int64_t>(*size);
  }
  if (offset < -base) return FileError(EINVAL);
  if (offset > std::numeric_limits<int64_t>::max() - base) return FileError(EOVERFLOW);
  position_ = static_cast<uint64_t>(base + offset);
  read_.clear();
  return static_cast<int64_t>(position_);
}

void FileStream::SetBuffering(Buffering buffering, size_t bytes) {
  if (options_.is_stream) return;  // the sink keeps the order with print
  buffering_ = buffering;
  buffer_bytes_ = std::max<size_t>(bytes, 1);
}

}  // namespace skysim
