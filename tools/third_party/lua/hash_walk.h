// In which order the nodes of a table's hash part are walked, if the table order of its state is not
// 0 (table_order.h). For our build of Lua (orders.patch) and for code that walks tables itself.
#ifndef TOOLS_THIRD_PARTY_LUA_HASH_WALK_H_
#define TOOLS_THIRD_PARTY_LUA_HASH_WALK_H_

#include <stdint.h>

// A permutation of the 2^n nodes of one table. It depends on the state, the table and n only, not on
// what the nodes hold: so it stands as long as the table is not resized, which is as long as Lua
// lets a walk go on. Cheap to make: a step of `next` makes one, and asks it both ways.
//
// Three rounds of x * odd + c, each but the last followed by an xor with the upper half of the
// bits. Both can be undone, and with four nodes already give every one of the 24 orders.
class SkysimHashWalk final {
 public:
  // Of a table in a state with this seed of hashes and this table order. `n` is at most 31.
  SkysimHashWalk(uint32_t seed, uint8_t order, const void* table, int n)
      : mask_((uint32_t{1} << n) - 1), half_((n + 1) / 2) {
    // Addresses are multiples of 8 and need fewer than 56 bits: no two inputs are the same.
    uint64_t state = Mix(reinterpret_cast<uintptr_t>(table) << 5 | static_cast<uint64_t>(n));
    state = Mix(state ^ (uint64_t{seed} << 8 | order));
    for (Round& round : rounds_) {
      state = Mix(state);
      round.factor = static_cast<uint32_t>(state) | 1;
      round.offset = static_cast<uint32_t>(state >> 32);
    }
  }

  // The node that is walked as number `position`, from 0.
  uint32_t NodeAt(uint32_t position) const {
    uint32_t x = Forth(position, rounds_[0]);
    x = Forth(x ^ (x >> half_), rounds_[1]);
    return Forth(x ^ (x >> half_), rounds_[2]);
  }

  // The other way round.
  uint32_t PositionOf(uint32_t node) const {
    uint32_t x = Back(node, rounds_[2]);
    x = Back(x ^ (x >> half_), rounds_[1]);  // the upper half is as it was: xor undoes itself
    return Back(x ^ (x >> half_), rounds_[0]);
  }

 private:
  struct Round {
    uint32_t factor;
    uint32_t offset;
  };

  // A 64-bit finalizer: any change of the input changes half of the output.
  static uint64_t Mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

  // Newton's iteration: an odd number is its own inverse modulo 8, and each step doubles the bits.
  static uint32_t Inverse(uint32_t odd) {
    uint32_t inverse = odd;
    for (int bits = 3; bits < 32; bits *= 2) inverse *= 2 - odd * inverse;
    return inverse;
  }

  uint32_t Forth(uint32_t x, const Round& round) const {
    return (x * round.factor + round.offset) & mask_;
  }
  uint32_t Back(uint32_t x, const Round& round) const {
    return ((x - round.offset) * Inverse(round.factor)) & mask_;
  }

  const uint32_t mask_;
  const int half_;
  Round rounds_[3];
};

#endif  // TOOLS_THIRD_PARTY_LUA_HASH_WALK_H_
