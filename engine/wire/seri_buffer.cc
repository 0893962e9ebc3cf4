#include "engine/wire/seri_buffer.h"

#include "absl/log/check.h"

namespace skysim {

void SeriBuffer::Grow(size_t count) {
  CHECK_LE(count, SIZE_MAX / 2 - capacity_) << "a message of more than half the address space";
  size_t capacity = capacity_ * 2;
  if (capacity < size_ + count) capacity = size_ + count;
  // One more than counted: the NUL that Detach() puts behind the bytes.
  if (data_ == inline_) {
    data_ = static_cast<char*>(memory_.Allocate(capacity + 1));
    std::memcpy(data_, inline_, size_);
  } else {
    data_ = static_cast<char*>(memory_.Reallocate(data_, capacity + 1));
  }
  capacity_ = capacity;
}

SeriBuffer::Block SeriBuffer::Detach() {
  Block block;
  block.size = size_;
  if (data_ != inline_) {
    block.data = data_;
    // Up to a quarter of slack is cheaper to carry than to cut off.
    if (capacity_ - size_ > capacity_ / 4) {
      block.data = static_cast<char*>(memory_.Reallocate(data_, size_ + 1));
    }
  } else if (size_ != 0) {
    block.data = static_cast<char*>(memory_.Allocate(size_ + 1));
    std::memcpy(block.data, inline_, size_);
  }
  if (block.data != nullptr) block.data[size_] = '\0';
  data_ = inline_;
  size_ = 0;
  capacity_ = kInlineBytes;
  return block;
}

}  // namespace skysim
