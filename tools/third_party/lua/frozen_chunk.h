// Compiled Lua chunks that live outside of any Lua state, so that many states run the same code
// without a copy each.
//
// A frozen chunk holds what compiling made: instructions, lines, names, constants. A state that
// thaws it makes only what must be its own: the function objects and its constants, whose strings
// must be in its string table. Instructions and debug information stay where they are and are never
// written. So the state's functions point to memory that is not its allocator's; see ChunkRegion.
//
// Part of our build of Lua 5.4.7: it knows Lua's internal structures.
#ifndef TOOLS_THIRD_PARTY_LUA_FROZEN_CHUNK_H_
#define TOOLS_THIRD_PARTY_LUA_FROZEN_CHUNK_H_

#include <stddef.h>

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// The memory of frozen chunks: addresses that are reserved at once and used from the front, so that
// an allocator can tell with one comparison that a block is not its own. Nothing is given back
// before the end. Not thread-safe; blocks may be read from any thread.
//
// A state that thaws chunks frees their arrays through its allocator when their functions are
// collected: an allocator must ignore a free of a block for which Contains() is true. It never
// handed such a block out, so it has not counted it either; Lua itself counts it as memory in use.
// The region must outlive such states.
class ChunkRegion final {
 public:
  // Far more than the code of any program; only what is used becomes memory.
  static constexpr size_t kBytesMax = size_t{1} << 30;

  ChunkRegion();
  ~ChunkRegion();
  ChunkRegion(const ChunkRegion&) = delete;
  ChunkRegion& operator=(const ChunkRegion&) = delete;

  bool Contains(const void* block) const {
    return static_cast<size_t>(static_cast<const char*>(block) - begin_) < bytes_max_;
  }

  // `bytes` aligned to 8; null if there is no room, or the system did not let us reserve any.
  void* Allocate(size_t bytes);

 private:
  char* begin_ = nullptr;
  size_t bytes_max_ = 0;  // 0: the system gave us nothing
  size_t used_ = 0;
};

struct FrozenChunk;

// Copies the Lua function on top of the stack of `L` into `region`; the stack stays. Null: no room.
// The function must have no upvalue but the globals, as one that lua_load has just made.
const FrozenChunk* FreezeChunk(lua_State* L, ChunkRegion& region);

// What lua_load does with the chunk's text: pushes the function, with the globals as its first
// upvalue, and returns LUA_OK; or pushes an error message (no memory) and returns its status.
int ThawChunk(lua_State* L, const FrozenChunk& chunk);

// Thaws the functions inside the chunk in advance: each ThawChunk() of it in this state then makes
// the main function only. Raises if there is no memory.
void KeepThawed(lua_State* L, const FrozenChunk& chunk);

}  // namespace skysim

#endif  // TOOLS_THIRD_PARTY_LUA_FROZEN_CHUNK_H_
