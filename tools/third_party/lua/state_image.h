// A Lua state as bytes: what was made once can be a new state again and again for the price of a
// copy. Opening Lua's libraries is an allocation for each function and string; copying what they
// make is one per 16 KiB.
//
// The image is taken without knowing what the objects look like. The same state is made twice at
// different addresses; then the words that differ are the pointers, and they differ by the distance
// of the two places. A word that differs by anything else is a mistake of whoever filled the state
// (an address outside that is not the same for every state) and ends the process.
//
// Part of our build of Lua 5.4.7: it knows where Lua leaves things behind that mean nothing.
#ifndef TOOLS_THIRD_PARTY_LUA_STATE_IMAGE_H_
#define TOOLS_THIRD_PARTY_LUA_STATE_IMAGE_H_

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Never written after it was made; any thread may copy it.
class StateImage final {
 public:
  // A copy is this many blocks at most, each of at most kPieceBytes, because allocators are good at
  // blocks of a power of two, and waste most of a page for what is a bit longer.
  static constexpr size_t kPieceBytes = size_t{16} << 10;
  static constexpr size_t kPiecesMax = 6;

  // `fill` completes a state that lua_newstate has just made with `seed`: opens libraries,
  // registers functions. It is called for three states, must do the same each time, whatever the
  // addresses, and not raise. What it leaves on the stack is dropped; the garbage is collected.
  // Afterwards the state is in generational mode and everything in it is old. Tables must have no
  // collectable keys but strings: where such a key lies depends on its address. math.random of
  // luaL_openlibs must be seeded or replaced.
  //
  // lua_getextraspace is null while `fill` runs.
  //
  // Null if the state is too big: more than kPiecesMax pieces, or one object longer than a piece.
  static std::unique_ptr<const StateImage> Make(unsigned seed,
                                                const std::function<void(lua_State*)>& fill);

  size_t pieces() const { return pieces_.size(); }
  size_t piece_bytes(size_t piece) const { return pieces_[piece].bytes.size(); }

  // Makes a state of pieces() blocks, aligned to 8, of piece_bytes() each. `allocate` is the
  // state's allocator as in lua_newstate. It will be asked to free or resize parts of the blocks,
  // and must then keep the blocks, which the caller gives back when the state is closed.
  lua_State* CopyTo(char* const* blocks, lua_Alloc allocate, void* user_data) const;

 private:
  // The words of one piece that point into piece `target`, as offsets in bytes.
  struct Pointers {
    size_t target;
    std::vector<uint16_t> words;
  };
  // The bytes; a pointer is the offset in its target.
  struct Piece {
    std::vector<char> bytes;
    std::vector<Pointers> pointers;
  };

  StateImage() = default;

  std::vector<Piece> pieces_;
  size_t state_piece_ = 0;  // where the lua_State is
  size_t state_offset_ = 0;
};

}  // namespace skysim

#endif  // TOOLS_THIRD_PARTY_LUA_STATE_IMAGE_H_
