#include "engine/lua/crypt_functions.h"

// The old functions for one algorithm each are deprecated since OpenSSL 3 in favour of providers,
// which a configuration file of the machine chooses: the last thing that a simulation wants. And no
// other function gives MD5's compression alone.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bn.h>
#include <openssl/des.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <memory>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace skysim {

namespace {

constexpr uint64_t kDhPrime = 0xffffffffffffffc5;
// Block of MD5 and SHA-1, for HMAC.
constexpr size_t kHashBlockBytes = 64;

void PutLittleEndian(uint64_t value, char* bytes) {
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
}

uint64_t GetLittleEndian(const char* bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

const unsigned char* Unsigned(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* Unsigned(std::string& text) { return reinterpret_cast<unsigned char*>(&text[0]); }

std::string Hmac(std::string (*hash)(absl::string_view), absl::string_view key,
                 absl::string_view text) {
  std::string block = key.size() > kHashBlockBytes ? hash(key) : std::string(key);
  block.resize(kHashBlockBytes, '\0');
  const std::string inner = hash(absl::StrCat(XorCyclic(block, "\x36"), text));
  return hash(absl::StrCat(XorCyclic(block, "\x5c"), inner));
}

struct FreeBignum {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Bignum = std::unique_ptr<BIGNUM, FreeBignum>;

Bignum MakeBignum(uint64_t value) {
  std::array<char, 8> bytes;
  PutLittleEndian(value, bytes.data());
  Bignum number(
      BN_lebin2bn(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), nullptr));
  CHECK(number != nullptr) << "a number of 8 bytes needs memory";
  return number;
}

// `text` holds whole blocks.
std::string DesBlocks(uint64_t key, absl::string_view text, int direction) {
  std::array<char, kDesBlockBytes> key_bytes;
  PutLittleEndian(key, key_bytes.data());
  DES_cblock key_block;
  std::memcpy(key_block, key_bytes.data(), sizeof(key_block));
  DES_key_schedule schedule;
  DES_set_key_unchecked(&key_block, &schedule);
  std::string out(text.size(), '\0');
  for (size_t i = 0; i < text.size(); i += kDesBlockBytes) {
    DES_cblock in_block, out_block;
    std::memcpy(in_block, text.data() + i, kDesBlockBytes);
    DES_ecb_encrypt(&in_block, &out_block, &schedule, direction);
    std::memcpy(&out[i], out_block, kDesBlockBytes);
  }
  return out;
}

constexpr size_t kMd5Bytes = MD5_DIGEST_LENGTH;

// CFB: what goes through is the cipher of the block before, on both sides.
std::string Md5Feedback(absl::string_view text, absl::string_view key, absl::string_view seed,
                        bool is_cipher) {
  std::string before = seed.size() > kMd5Bytes ? Md5(seed) : std::string(seed);
  before.resize(kMd5Bytes, '\0');
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i += kMd5Bytes) {
    const absl::string_view block = text.substr(i, kMd5Bytes);
    const std::string done = XorCyclic(block, Md5(absl::StrCat(before, key)));
    absl::StrAppend(&out, done);
    before = is_cipher ? std::string(block) : done;
  }
  return out;
}

// How many bytes at the end of `text` (not empty) are padding; 0: they are none.
size_t PaddingBytes(absl::string_view text, DesPadding padding) {
  const absl::string_view last = text.substr(text.size() - kDesBlockBytes);
  if (padding == DesPadding::kIso7816) {
    const size_t mark = last.find_last_not_of('\0');
    return mark != last.npos && last[mark] == '\x80' ? kDesBlockBytes - mark : 0;
  }
  const auto count = static_cast<unsigned char>(last.back());
  if (count == 0 || count > kDesBlockBytes) return 0;
  const bool is_same = last.substr(kDesBlockBytes - count).find_first_not_of(last.back()) ==
                       absl::string_view::npos;
  return is_same ? count : 0;
}

// 0 to 63; -1: not of the alphabet.
int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

std::string Md5(absl::string_view text) {
  std::string digest(MD5_DIGEST_LENGTH, '\0');
  MD5(Unsigned(text), text.size(), Unsigned(digest));
  return digest;
}

std::string HmacMd5(absl::string_view key, absl::string_view text) { return Hmac(Md5, key, text); }

std::string Sha1(absl::string_view text) {
  // SHA1() would ask a provider.
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, text.data(), text.size());
  std::string digest(SHA_DIGEST_LENGTH, '\0');
  SHA1_Final(Unsigned(digest), &context);
  return digest;
}

std::string HmacSha1(absl::string_view key, absl::string_view text) {
  return Hmac(Sha1, key, text);
}

uint64_t HashKey(absl::string_view text) {
  uint32_t djb = 5381, js = 1315423911;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    djb += (djb << 5) + byte;
    js ^= (js << 5) + byte + (js >> 2);
  }
  return uint64_t{js} << 32 | djb;
}

uint64_t Hmac64(uint64_t x, uint64_t y) {
  std::array<char, 4 * sizeof(uint64_t) * 2> block;
  for (size_t i = 0; i < block.size(); i += 16) {
    PutLittleEndian(x << 32 | x >> 32, &block[i]);  // the high half comes first
    PutLittleEndian(y << 32 | y >> 32, &block[i + 8]);
  }
  MD5_CTX context;
  MD5_Init(&context);
  const MD5_CTX initial = context;
  MD5_Transform(&context, reinterpret_cast<unsigned char*>(block.data()));
  const uint32_t low = (context.C - initial.C) ^ (context.D - initial.D);
  const uint32_t high = (context.A - initial.A) ^ (context.B - initial.B);
  return uint64_t{high} << 32 | low;
}

uint64_t Hmac64Md5(uint64_t x, uint64_t y) {
  std::array<char, 48> text;
  for (size_t i = 0; i < text.size(); i += 16) {
    PutLittleEndian(x, &text[i]);
    PutLittleEndian(y, &text[i + 8]);
  }
  const std::string digest = Md5(absl::string_view(text.data(), text.size()));
  return GetLittleEndian(&digest[0]) ^ GetLittleEndian(&digest[8]);
}

uint64_t DhPower(uint64_t base, uint64_t exponent) {
  const std::unique_ptr<BN_CTX, FreeBignum> context(BN_CTX_new());
  const Bignum result = MakeBignum(0);
  CHECK(BN_mod_exp(result.get(), MakeBignum(base).get(), MakeBignum(exponent).get(),
                   MakeBignum(kDhPrime).get(), context.get()) == 1)
      << "base " << base << ", exponent " << exponent;
  std::array<char, 8> bytes;
  CHECK(BN_bn2lebinpad(result.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                       bytes.size()) == static_cast<int>(bytes.size()));
  return GetLittleEndian(bytes.data());
}

std::string DesEncode(uint64_t key, absl::string_view text, DesPadding padding) {
  const size_t count = kDesBlockBytes - text.size() % kDesBlockBytes;
  std::string padded(text);
  if (padding == DesPadding::kIso7816) {
    padded.push_back('\x80');
    padded.append(count - 1, '\0');
  } else {
    padded.append(count, static_cast<char>(count));
  }
  return DesBlocks(key, padded, DES_ENCRYPT);
}

absl::StatusOr<std::string> DesDecode(uint64_t key, absl::string_view text, DesPadding padding) {
  if (text.empty() || text.size() % kDesBlockBytes != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid des crypt text length ", text.size()));
  }
  std::string out = DesBlocks(key, text, DES_DECRYPT);
  const size_t count = PaddingBytes(out, padding);
  if (count == 0) return absl::InvalidArgumentError("Invalid des crypt text");
  out.resize(out.size() - count);
  return out;
}

absl::StatusOr<std::string> HexDecode(absl::string_view text) {
  if (text.size() % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("Invalid hex text size ", text.size()));
  }
  if (text.find_first_not_of("0123456789abcdef") != text.npos) {
    return absl::InvalidArgumentError("Invalid hex text");
  }
  std::string bytes;
  CHECK(absl::HexStringToBytes(text, &bytes));
  return bytes;
}

absl::StatusOr<std::string> Base64Decode(absl::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int digits = 0;          // of the group that is being read
  bool is_second = false;  // a group of two digits had its first '='
  auto end_group = [&] {
    if (digits >= 2) out.push_back(static_cast<char>(bits >> (digits == 2 ? 4 : 10)));
    if (digits == 3) out.push_back(static_cast<char>(bits >> 2));
    bits = 0;
    digits = 0;
  };
  for (char c : text) {
    const int digit = Base64Digit(c);
    if (digit >= 0) {
      bits = bits << 6 | static_cast<uint32_t>(digit);
      is_second = false;
      if (++digits == 4) {
        out.push_back(static_cast<char>(bits >> 16));
        out.push_back(static_cast<char>(bits >> 8));
        out.push_back(static_cast<char>(bits));
        bits = 0;
        digits = 0;
      }
    } else if (c == '=') {
      if (digits < 2 && !is_second) return absl::InvalidArgumentError("Invalid base64 text");
      is_second = digits == 2;
      end_group();
    }
  }
  if (digits == 1) return absl::InvalidArgumentError("Invalid base64 text");
  end_group();
  return out;
}

std::string Md5Crypt(absl::string_view text, absl::string_view key, absl::string_view seed) {
  CHECK_LE(seed.size() + key.size(), kMd5SeedAndKeyBytes);
  return absl::StrCat(std::string(1, static_cast<char>(seed.size())), seed,
                      Md5Feedback(text, key, seed, /*is_cipher=*/false));
}

absl::StatusOr<std::string> Md5Decrypt(absl::string_view text, absl::string_view key) {
  const size_t seed_bytes = text.empty() ? 0 : static_cast<unsigned char>(text[0]);
  if (text.size() < 1 + seed_bytes) return absl::InvalidArgumentError("Invalid md5 crypt text");
  return Md5Feedback(text.substr(1 + seed_bytes), key, text.substr(1, seed_bytes),
                     /*is_cipher=*/true);
}

std::string XorCyclic(absl::string_view text, absl::string_view key) {
  CHECK(!key.empty());
  std::string out(text);
  for (size_t i = 0, k = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(out[i] ^ key[k]);
    if (++k == key.size()) k = 0;
  }
  return out;
}

}  // namespace skysim
