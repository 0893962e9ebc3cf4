// Integers to and from bytes in the order that a wire format names, whatever the machine. Compilers
// turn each loop into one load or store.
#ifndef ENGINE_WIRE_BYTE_ORDER_H_
#define ENGINE_WIRE_BYTE_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace skysim {

// Writes sizeof(T) bytes, least significant first.
template <typename T>
inline void PutLittleEndian(T value, char* out) {
  static_assert(std::is_unsigned<T>::value, "shifts are defined for unsigned integers only");
  for (size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  }
}

// Reads sizeof(T) bytes, least significant first.
template <typename T>
inline T GetLittleEndian(const char* bytes) {
  static_assert(std::is_unsigned<T>::value, "shifts are defined for unsigned integers only");
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    const T byte = static_cast<unsigned char>(bytes[i]);
    value = static_cast<T>(value | static_cast<T>(byte << (8 * i)));
  }
  return value;
}

inline void PutBigEndian16(uint16_t value, char* out) {
  out[0] = static_cast<char>(static_cast<unsigned char>(value >> 8));
  out[1] = static_cast<char>(static_cast<unsigned char>(value));
}

inline uint16_t GetBigEndian16(const char* bytes) {
  return static_cast<uint16_t>((static_cast<unsigned char>(bytes[0]) << 8) |
                               static_cast<unsigned char>(bytes[1]));
}

inline void PutBigEndian32(uint32_t value, char* out) {
  PutBigEndian16(static_cast<uint16_t>(value >> 16), out);
  PutBigEndian16(static_cast<uint16_t>(value), out + 2);
}

inline uint32_t GetBigEndian32(const char* bytes) {
  return uint32_t{GetBigEndian16(bytes)} << 16 | GetBigEndian16(bytes + 2);
}

}  // namespace skysim

#endif  // ENGINE_WIRE_BYTE_ORDER_H_
