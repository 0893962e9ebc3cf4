#include "simnet/trace/digest.h"

#include <cstddef>

#include "absl/numeric/bits.h"
#include "absl/numeric/int128.h"

namespace skysim {
namespace {

// The first 64 binary digits after the point of the square roots of 2, 3, 5, 7, 11, 13, 17 and 19:
// numbers without a pattern that nobody had to invent. Even ones are made odd, so that multiplying
// by them loses nothing.
constexpr uint64_t kRoots[8] = {
    0x6a09e667f3bcc909, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

uint64_t Byte(const char* bytes, int i) {
  return uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
}

// Written out, because compilers make one load of it in this form.
uint64_t LoadWord(const char* bytes) {
  return Byte(bytes, 0) | Byte(bytes, 1) | Byte(bytes, 2) | Byte(bytes, 3) | Byte(bytes, 4) |
         Byte(bytes, 5) | Byte(bytes, 6) | Byte(bytes, 7);
}

// The last bytes of a string, at most eight; zeros behind them.
uint64_t LoadTail(const char* bytes, size_t size) {
  if (size >= 8) return LoadWord(bytes);
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= Byte(bytes, static_cast<int>(i));
  return value;
}

// All 128 bits of the product, folded to 64: each bit of the result depends on all bits of both.
uint64_t FoldProduct(uint64_t a, uint64_t b) {
  absl::uint128 product = absl::uint128(a) * b;
  return absl::Uint128Low64(product) ^ absl::Uint128High64(product);
}

// One to one in `state` for a given word and in `word` for a given state: nothing that went in can
// be cancelled by what follows, except by chance.
uint64_t Chain(uint64_t state, uint64_t word) {
  return absl::rotl((state ^ word) * kRoots[0], 29) + word;
}

uint64_t Finish(uint64_t value) {
  value = (value ^ (value >> 31)) * kRoots[1];
  value = (value ^ (value >> 29)) * kRoots[3];
  return value ^ (value >> 32);
}

}  // namespace

uint64_t HashBytes(absl::string_view bytes) {
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t even = kRoots[2] ^ bytes.size();
  uint64_t odd = kRoots[3];
  while (left > 16) {
    even = FoldProduct(LoadWord(at) ^ kRoots[4], even ^ kRoots[5]);
    odd = FoldProduct(LoadWord(at + 8) ^ kRoots[6], odd ^ kRoots[7]);
    at += 16;
    left -= 16;
  }
  uint64_t first = LoadTail(at, left);
  uint64_t second = left > 8 ? LoadTail(at + 8, left - 8) : 0;
  return Finish(FoldProduct(first ^ even, kRoots[5]) + FoldProduct(second ^ odd, kRoots[7]) +
                absl::rotl(even, 17));
}

void EventDigest::Fold(int64_t time_ns, uint32_t node, const Event& event, uint64_t bytes_hash) {
  // Eight words, in four independent products: only the last line waits for the event before.
  uint64_t where = uint64_t{node} | uint64_t{static_cast<uint8_t>(event.kind)} << 32 |
                   uint64_t{event.type} << 40;
  uint64_t who = uint64_t{event.service} | uint64_t{event.peer} << 32;
  uint64_t session = static_cast<uint32_t>(event.session);
  uint64_t text_hash = event.text.empty() ? 0 : HashBytes(event.text);
  uint64_t folded =
      FoldProduct(static_cast<uint64_t>(time_ns) ^ kRoots[0], where ^ kRoots[1]) +
      FoldProduct(who ^ kRoots[2], session ^ kRoots[3]) +
      FoldProduct(event.size ^ kRoots[4], event.cause ^ kRoots[5]) +
      FoldProduct(text_hash ^ kRoots[6], bytes_hash ^ kRoots[7]);
  state_ = Chain(state_, folded);
}

uint64_t EventDigest::value() const { return Finish(state_); }

}  // namespace skysim
