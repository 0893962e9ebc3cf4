#ifndef ENGINE_LUA_SOCKET_BUFFER_H_
#define ENGINE_LUA_SOCKET_BUFFER_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/core/fifo.h"
#include "engine/platform/memory.h"

namespace skysim {

// SocketBuffer keeps what a service received on one socket and has not read yet: the blocks as they
// came, in order. Small reads out of one block copy nothing; a read across blocks joins just these.
// One thread at a time. It knows nothing of Lua; socketdriver_module.cc shows it to services.
class SocketBuffer final {
 public:
  explicit SocketBuffer(Memory& memory) : memory_(memory) {}
  ~SocketBuffer() { Clear(); }
  SocketBuffer(const SocketBuffer&) = delete;
  SocketBuffer& operator=(const SocketBuffer&) = delete;

  size_t size() const { return size_; }  // bytes

  // Takes ownership of `block`, a block of the memory with `size` bytes.
  void Push(char* block, size_t size);

  // The first `size` <= size() bytes, valid until the next call that is not const.
  absl::string_view Peek(size_t size);

  // Forgets the first `size` <= size() bytes.
  void Drop(size_t size);

  // Where `separator` (not empty) begins first. A search that fails is remembered: the same
  // separator is then sought in new bytes only.
  std::optional<size_t> Find(absl::string_view separator);

  void Clear();

 private:
  struct Block {
    char* data = nullptr;
    size_t size = 0;
  };

  // The bytes of block `i` that are not read yet.
  absl::string_view BytesOf(size_t i) const;
  void PopBlock();
  // Whether `text` stands at `offset` of block `i`, going on in the blocks behind it.
  bool Matches(size_t i, size_t offset, absl::string_view text) const;

  Memory& memory_;
  Fifo<Block> blocks_;
  size_t front_offset_ = 0;  // bytes of the front block that were read
  size_t size_ = 0;
  std::string sought_;       // last separator,
  size_t sought_bytes_ = 0;  // which does not begin in the first so many bytes
};

}  // namespace skysim

#endif  // ENGINE_LUA_SOCKET_BUFFER_H_
