#include "engine/lua/socket_buffer.h"

#include <algorithm>
#include <cstring>

#include "absl/log/check.h"

namespace skysim {

void SocketBuffer::Push(char* block, size_t size) {
  if (size == 0) return memory_.Free(block);
  blocks_.Push({block, size});
  size_ += size;
}

absl::string_view SocketBuffer::Peek(size_t size) {
  CHECK_LE(size, size_);
  if (size == 0) return absl::string_view();
  if (BytesOf(0).size() >= size) return BytesOf(0).substr(0, size);
  // Joins the blocks into the last one that is needed, whose rest stays behind the bytes asked for.
  size_t joined_size = 0;
  size_t count = 0;
  while (joined_size < size) joined_size += BytesOf(count++).size();
  char* joined = static_cast<char*>(memory_.Allocate(joined_size));
  size_t filled = 0;
  for (size_t i = 0; i < count; ++i) {
    absl::string_view bytes = BytesOf(i);
    std::memcpy(joined + filled, bytes.data(), bytes.size());
    filled += bytes.size();
  }
  for (size_t i = 1; i < count; ++i) PopBlock();
  memory_.Free(blocks_.front().data);
  blocks_.front() = {joined, joined_size};
  front_offset_ = 0;
  return absl::string_view(joined, size);
}

void SocketBuffer::Drop(size_t size) {
  CHECK_LE(size, size_);
  size_ -= size;
  sought_bytes_ -= std::min(sought_bytes_, size);
  while (size > 0) {
    size_t in_front = std::min(size, BytesOf(0).size());
    size -= in_front;
    front_offset_ += in_front;
    if (BytesOf(0).empty()) PopBlock();
  }
}

std::optional<size_t> SocketBuffer::Find(absl::string_view separator) {
  CHECK(!separator.empty());
  if (sought_ != separator) {
    sought_ = std::string(separator);
    sought_bytes_ = 0;
  }
  size_t begin = 0;  // of block i in the whole
  for (size_t i = 0; i < blocks_.size(); begin += BytesOf(i++).size()) {
    absl::string_view bytes = BytesOf(i);
    if (sought_bytes_ >= begin + bytes.size()) continue;
    size_t offset = sought_bytes_ > begin ? sought_bytes_ - begin : 0;
    while ((offset = bytes.find(separator[0], offset)) != absl::string_view::npos) {
      if (Matches(i, offset, separator)) {
        sought_bytes_ = begin + offset;
        return sought_bytes_;
      }
      ++offset;
    }
  }
  // The last bytes may be the beginning of a separator whose rest is still to come.
  sought_bytes_ = size_ - std::min(size_, separator.size() - 1);
  return std::nullopt;
}

void SocketBuffer::Clear() {
  while (!blocks_.empty()) PopBlock();
  size_ = 0;
  sought_bytes_ = 0;
}

absl::string_view SocketBuffer::BytesOf(size_t i) const {
  absl::string_view bytes(blocks_[i].data, blocks_[i].size);
  return i == 0 ? bytes.substr(front_offset_) : bytes;
}

void SocketBuffer::PopBlock() {
  memory_.Free(blocks_.front().data);
  blocks_.Pop();
  front_offset_ = 0;
}

bool SocketBuffer::Matches(size_t i, size_t offset, absl::string_view text) const {
  for (; i < blocks_.size(); ++i, offset = 0) {
    absl::string_view bytes = BytesOf(i).substr(offset);
    size_t common = std::min(bytes.size(), text.size());
    if (bytes.substr(0, common) != text.substr(0, common)) return false;
    text.remove_prefix(common);
    if (text.empty()) return true;
  }
  return false;
}

}  // namespace skysim
