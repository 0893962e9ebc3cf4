#ifndef SIMNET_NETWORK_BYTE_QUEUE_H_
#define SIMNET_NETWORK_BYTE_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/string_view.h"

namespace skysim {

// ByteQueue is the bytes of one direction of a connection, from the writer's copy in to the
// reader's copy out; between the two they do not move. One flat buffer: short queues, the usual
// case, stay at its start and so in cache. One thread.
class ByteQueue final {
 public:
  size_t Size() const { return end_ - begin_; }

  void Append(absl::string_view bytes) {
    if (bytes.size() > capacity_ - end_) MakeRoom(bytes.size());
    std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
  }

  // Removes the first `size` bytes, which must be there, and stores them in `to`.
  void Take(char* to, size_t size) {
    DCHECK_LE(size, Size());
    std::memcpy(to, data_.get() + begin_, size);
    Drop(size);
  }

  // Removes the first `size` bytes, which must be there.
  void Drop(size_t size) {
    begin_ += size;
    if (begin_ == end_) Clear();
  }

  // Removes all but the first `size` bytes.
  void Truncate(size_t size) {
    end_ = begin_ + std::min(size, Size());
    if (begin_ == end_) Clear();
  }

 private:
  // What an idle queue may keep: enough for usual bursts, little beside a connection of a kernel.
  static constexpr size_t kIdleBytesMax = 65536;
  static constexpr size_t kFirstBytes = 256;

  void Clear() {
    begin_ = end_ = 0;
    if (capacity_ <= kIdleBytesMax) return;
    data_.reset();
    capacity_ = 0;
  }

  // Moves the bytes to the start, into a larger buffer if they would fill more than half of this
  // one: each byte is moved a constant number of times on average.
  void MakeRoom(size_t extra) {
    const size_t size = Size();
    if (capacity_ >= 2 * (size + extra)) {
      std::memmove(data_.get(), data_.get() + begin_, size);
    } else {
      capacity_ = std::max(kFirstBytes, 2 * (size + extra));
      std::unique_ptr<char[]> larger(new char[capacity_]);
      if (size != 0) std::memcpy(larger.get(), data_.get() + begin_, size);
      data_ = std::move(larger);
    }
    begin_ = 0;
    end_ = size;
  }

  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0, end_ = 0;  // data_[begin_, end_) is queued
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_BYTE_QUEUE_H_
