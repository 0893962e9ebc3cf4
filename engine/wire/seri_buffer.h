// The bytes of one message while they are being written: starts on the stack, ends as a message
// payload.
//
// The first kInlineBytes live inside the object, so that a typical message costs one allocation of
// its exact size, in Detach(). A longer one grows geometrically in blocks of `Memory` and is handed
// over without a copy of its own. Not thread-safe; belongs to one function call.
#ifndef ENGINE_WIRE_SERI_BUFFER_H_
#define ENGINE_WIRE_SERI_BUFFER_H_

#include <cstddef>
#include <cstring>

#include "absl/strings/string_view.h"
#include "engine/platform/memory.h"

namespace skysim {

class SeriBuffer final {
 public:
  // A block of `Memory` and how many of its bytes count; one NUL follows them, as Payload wants.
  // `data` is null if and only if `size` is 0.
  struct Block {
    char* data = nullptr;
    size_t size = 0;
  };

  static constexpr size_t kInlineBytes = 512;

  // `memory` must outlive the buffer, and frees what Detach() returns.
  explicit SeriBuffer(Memory& memory) : memory_(memory) {}
  ~SeriBuffer() {
    if (data_ != inline_) memory_.Free(data_);
  }

  SeriBuffer(const SeriBuffer&) = delete;
  SeriBuffer& operator=(const SeriBuffer&) = delete;

  // Makes room for `count` more bytes, counts them as written and returns where they go. The
  // address is good until the next call that writes.
  char* Extend(size_t count) {
    if (capacity_ - size_ < count) Grow(count);
    char* const at = data_ + size_;
    size_ += count;
    return at;
  }

  void Append(const void* bytes, size_t count) {
    if (count != 0) std::memcpy(Extend(count), bytes, count);
  }

  void AppendByte(unsigned char byte) { *Extend(1) = static_cast<char>(byte); }

  size_t size() const { return size_; }
  // Good until the next call that writes.
  absl::string_view view() const { return absl::string_view(data_, size_); }

  // Gives the bytes away; the caller frees the block through the same Memory. The buffer is empty
  // afterwards.
  Block Detach();

 private:
  void Grow(size_t count);

  Memory& memory_;
  char* data_ = inline_;  // inline_ or a block of memory_
  size_t size_ = 0;
  size_t capacity_ = kInlineBytes;
  char inline_[kInlineBytes];
};

}  // namespace skysim

#endif  // ENGINE_WIRE_SERI_BUFFER_H_
