// What skynet.crypt and md5 compute, as pure functions on bytes (runtime_api.md 5.17). The ciphers
// and hashes are libcrypto's. No randomness here, and nothing of libcrypto that reads its
// configuration or keeps state: a result depends on the arguments only.
//
// An 8-byte key or number is a uint64_t whose lowest byte is the first of the string.
#ifndef ENGINE_LUA_CRYPT_FUNCTIONS_H_
#define ENGINE_LUA_CRYPT_FUNCTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skysim {

// 16 raw bytes (RFC 1321, RFC 2104).
std::string Md5(absl::string_view text);
std::string HmacMd5(absl::string_view key, absl::string_view text);
// 20 raw bytes (RFC 3174, RFC 2104).
std::string Sha1(absl::string_view text);
std::string HmacSha1(absl::string_view key, absl::string_view text);

// djb2 in the low half, the JS hash in the high half.
uint64_t HashKey(absl::string_view text);
// Skynet's own keyed hash: one compression of MD5 over four times x and y, without padding and
// without the final addition of the initial state.
uint64_t Hmac64(uint64_t x, uint64_t y);
// Both halves, xored, of the MD5 of three times x and y.
uint64_t Hmac64Md5(uint64_t x, uint64_t y);

// base^exponent modulo 2^64 - 59, the prime of skynet's Diffie-Hellman exchange.
uint64_t DhPower(uint64_t base, uint64_t exponent);

// The last block of a text always gets padding.
enum class DesPadding {
  kIso7816 = 0,  // 0x80, then zeros
  kPkcs7 = 1,    // n bytes of value n
};
constexpr size_t kDesBlockBytes = 8;

// DES in ECB mode. Parity bits of the key are ignored.
std::string DesEncode(uint64_t key, absl::string_view text, DesPadding padding);
// InvalidArgument: "Invalid des crypt text length %d" (0, or not whole blocks), "Invalid des crypt
// text" (the padding is wrong, so the key or the text is).
absl::StatusOr<std::string> DesDecode(uint64_t key, absl::string_view text, DesPadding padding);

// InvalidArgument: "Invalid hex text size %d" (odd), "Invalid hex text" (not 0-9a-f).
absl::StatusOr<std::string> HexDecode(absl::string_view text);
// Skips characters that are not of the alphabet; '=' may be missing. InvalidArgument:
// "Invalid base64 text" (a '=' where none may be, or 6 bits left over).
absl::StatusOr<std::string> Base64Decode(absl::string_view text);
// MD5 as a block cipher in CFB mode: the text is xored, 16 bytes after 16, with the MD5 of the 16
// bytes of cipher before and the key; before the first stands the seed, filled up with zeros (one of
// more than 16 bytes: its MD5). The result is the seed's length, one byte, the seed, the cipher.
// `seed` and `key` have at most kMd5SeedAndKeyBytes together.
constexpr size_t kMd5SeedAndKeyBytes = 121;
std::string Md5Crypt(absl::string_view text, absl::string_view key, absl::string_view seed);
// InvalidArgument: "Invalid md5 crypt text" (shorter than its seed).
absl::StatusOr<std::string> Md5Decrypt(absl::string_view text, absl::string_view key);

// `key` is repeated and must not be empty.
std::string XorCyclic(absl::string_view text, absl::string_view key);

}  // namespace skysim

#endif  // ENGINE_LUA_CRYPT_FUNCTIONS_H_
