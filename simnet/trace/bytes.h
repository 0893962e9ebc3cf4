#ifndef SIMNET_TRACE_BYTES_H_
#define SIMNET_TRACE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace skysim {

// ByteWriter and ByteReader are the few primitives of which a trace file, and what worker processes
// report to their sweep, is made (format.md, "Primitives"). Little-endian on every machine.

inline uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ (value < 0 ? ~uint64_t{0} : 0);
}
inline int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

// Appends to a string that it owns.
class ByteWriter final {
 public:
  void U8(uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void U32(uint32_t value) { Little(value, 4); }
  void U64(uint64_t value) { Little(value, 8); }
  // Seven bits per byte, low ones first, the high bit set on all but the last.
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) U8(static_cast<uint8_t>(value | 0x80));
    U8(static_cast<uint8_t>(value));
  }
  void Signed(int64_t value) { Varint(ZigZag(value)); }
  void Text(absl::string_view text) {
    Varint(text.size());
    bytes_.append(text.data(), text.size());
  }

  size_t size() const { return bytes_.size(); }
  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  void Little(uint64_t value, int size) {
    for (int i = 0; i < size; ++i) U8(static_cast<uint8_t>(value >> (8 * i)));
  }
  std::string bytes_;
};

// Reads what ByteWriter wrote, from bytes that nobody vouches for. The first thing that does not
// fit makes the reader bad for good: everything after reads as 0 or empty, and ok() is false.
// Lengths are compared with what is left before they are believed. `bytes` is borrowed.
class ByteReader final {
 public:
  explicit ByteReader(absl::string_view bytes) : bytes_(bytes) {}

  uint8_t U8() { return static_cast<uint8_t>(Little(1)); }
  uint32_t U32() { return static_cast<uint32_t>(Little(4)); }
  uint64_t U64() { return Little(8); }
  // Longer than need be, or more than 64 bits: bad. So each value has one form only.
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t byte = U8();
      if (!ok_ || (shift == 63 && byte > 1) || (byte == 0 && shift > 0)) return Fail();
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return Fail();
  }
  int64_t Signed() { return UnZigZag(Varint()); }
  // As Varint(), but bad if more than `max`.
  uint64_t VarintUpTo(uint64_t max) {
    uint64_t value = Varint();
    return value <= max ? value : Fail();
  }
  absl::string_view Text() {
    uint64_t size = Varint();
    if (!ok_ || size > left()) {
      Fail();
      return absl::string_view();
    }
    absl::string_view text = bytes_.substr(at_, size);
    at_ += size;
    return text;
  }

  // Marks the reader bad. Returns 0.
  uint64_t Fail() {
    ok_ = false;
    at_ = bytes_.size();
    return 0;
  }
  bool ok() const { return ok_; }
  size_t offset() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  // Everything was read, and it fitted.
  bool IsAtEnd() const { return ok_ && left() == 0; }

 private:
  uint64_t Little(size_t size) {
    if (left() < size) return Fail();
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      value |= uint64_t{static_cast<unsigned char>(bytes_[at_ + i])} << (8 * i);
    }
    at_ += size;
    return value;
  }

  absl::string_view bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace skysim

#endif  // SIMNET_TRACE_BYTES_H_
