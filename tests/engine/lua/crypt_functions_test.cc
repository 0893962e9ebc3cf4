#include "engine/lua/crypt_functions.h"

#include <string>

#include "absl/strings/escaping.h"
#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

std::string Bytes(absl::string_view hex) {
  std::string bytes;
  REQUIRE(absl::HexStringToBytes(hex, &bytes));
  return bytes;
}

// As a string would be read: "12345678" and "abcdefgh".
constexpr uint64_t kDigits = 0x3837363534333231, kLetters = 0x6867666564636261;

TEST_CASE("Md5 gives the digests of RFC 1321") {
  CHECK(Hex(Md5("")) == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(Hex(Md5("abc")) == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(Hex(Md5("12345678901234567890123456789012345678901234567890"
                "123456789012345678901234567890")) == "57edf4a22be3c955ac49da2e2107b67a");
}

TEST_CASE("Sha1 gives the digests of RFC 3174") {
  CHECK(Hex(Sha1("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(Hex(Sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(Hex(Sha1(std::string(1'000'000, 'a'))) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("HmacMd5 and HmacSha1 give the digests of RFC 2202, also for keys beyond a block") {
  CHECK(Hex(HmacMd5("Jefe", "what do ya want for nothing?")) == "750c783e6ab0b503eaa86e310a5db738");
  CHECK(Hex(HmacSha1("Jefe", "what do ya want for nothing?")) ==
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  const std::string long_key(80, '\xaa');
  const char kText[] = "Test Using Larger Than Block-Size Key - Hash Key First";
  CHECK(Hex(HmacMd5(long_key, kText)) == "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
  CHECK(Hex(HmacSha1(long_key, kText)) == "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

// The digests come from a compression function written after RFC 1321 for this purpose.
TEST_CASE("Hmac64 is one compression of MD5 without the final addition") {
  CHECK(Hmac64(kDigits, kLetters) == 0x7a027a54a9fd9fac);
  CHECK(Hmac64(0, 0) == 0xe50e19ece50fa9a2);
}

TEST_CASE("Hmac64Md5 folds the MD5 of three times both numbers") {
  CHECK(Hmac64Md5(kDigits, kLetters) == 0xf44a83cf4847a3c2);
}

TEST_CASE("HashKey puts djb2 low and the JS hash high, over unsigned bytes") {
  CHECK(HashKey("") == 0x4e67c6a700001505);
  CHECK(HashKey("hello world") == 0xbc6be3063551c8c1);
  std::string high_half;
  for (int byte = 128; byte < 256; ++byte) high_half.push_back(static_cast<char>(byte));
  CHECK(HashKey(high_half) == 0x840c9c67ea8df4c5);
}

TEST_CASE("DhPower gives both sides of an exchange the same secret") {
  const uint64_t a = DhPower(5, kDigits), b = DhPower(5, kLetters);

  CHECK(a == 0x0e2f2297af898ea1);
  CHECK(DhPower(a, kLetters) == 0x31e470a9dce4b8fa);
  CHECK(DhPower(b, kDigits) == DhPower(a, kLetters));
}

TEST_CASE("DhPower takes a base beyond the prime") {
  CHECK(DhPower(0xffffffffffffffc5, 1) == 0);
  CHECK(DhPower(0xffffffffffffffc7, 2) == 4);  // (prime + 2)^2
}

// The block of FIPS 46's validation (NBS 500-20): one block, then padding of our own.
TEST_CASE("DesEncode gives the ciphertext of the standard") {
  const std::string plain = Bytes("0123456789abcde7");
  const std::string cipher = DesEncode(0xef'cd'ab'89'67'45'23'01, plain, DesPadding::kPkcs7);

  CHECK(cipher.size() == 16);
  CHECK(Hex(cipher.substr(0, 8)) == "c95744256a5ed31d");
}

TEST_CASE("DesEncode pads as the mode says") {
  CHECK(absl::Base64Escape(DesEncode(kDigits, "hello world", DesPadding::kIso7816)) ==
        "KNugLrX23UcGtcVlk9y+LA==");
  CHECK(absl::Base64Escape(DesEncode(kDigits, "hello world", DesPadding::kPkcs7)) ==
        "KNugLrX23UddguNoHIO7dw==");
}

TEST_CASE("DesDecode gives back every length") {
  for (DesPadding padding : {DesPadding::kIso7816, DesPadding::kPkcs7}) {
    for (size_t size = 0; size <= 17; ++size) {
      const std::string text(size, '\0');

      const std::string cipher = DesEncode(kDigits, text, padding);

      CHECK(cipher.size() == (size / 8 + 1) * 8);
      CHECK(DesDecode(kDigits, cipher, padding).value() == text);
    }
  }
}

TEST_CASE("DesDecode refuses part blocks and wrong padding") {
  const std::string cipher = DesEncode(kDigits, "hello world", DesPadding::kIso7816);

  CHECK(DesDecode(kDigits, "", DesPadding::kIso7816).status().message() ==
        "Invalid des crypt text length 0");
  CHECK(DesDecode(kDigits, "123456789", DesPadding::kIso7816).status().message() ==
        "Invalid des crypt text length 9");
  CHECK(DesDecode(kDigits, cipher, DesPadding::kPkcs7).status().message() ==
        "Invalid des crypt text");
  CHECK(DesDecode(kLetters, cipher, DesPadding::kIso7816).status().message() ==
        "Invalid des crypt text");
}

TEST_CASE("HexDecode takes lowercase digits in pairs") {
  CHECK(HexDecode("00ff7a").value() == std::string("\0\xff\x7a", 3));
  CHECK(HexDecode("").value().empty());
  CHECK(HexDecode("abc").status().message() == "Invalid hex text size 3");
  CHECK(HexDecode("0A").status().message() == "Invalid hex text");
  CHECK(HexDecode("0g").status().message() == "Invalid hex text");
}

TEST_CASE("Base64Decode skips foreign characters and does without padding") {
  CHECK(Base64Decode("Zm9vYmFy").value() == "foobar");
  CHECK(Base64Decode("Zm9v\r\nYmE=\n").value() == "fooba");
  CHECK(Base64Decode("Zm9vYg==").value() == "foob");
  CHECK(Base64Decode("Zm9vYg=").value() == "foob");
  CHECK(Base64Decode("Zm9vYg").value() == "foob");
  CHECK(Base64Decode("Zm9vYmE").value() == "fooba");
  CHECK(Base64Decode("").value().empty());
}

TEST_CASE("Base64Decode refuses what no encoder writes") {
  for (const char* text : {"Z", "Zm9vY", "=", "Z=", "Zm9v=", "Zg===", "Zm8=="}) {
    INFO(text);
    CHECK(Base64Decode(text).status().message() == "Invalid base64 text");
  }
}

TEST_CASE("Md5Crypt gives its seed, and each block xored with the hash of the one before") {
  // Worked out with another program's MD5.
  CHECK(absl::BytesToHexString(Md5Crypt("what do ya want for nothing?", "Jefe", "seed")) ==
        "0473656564c5167630effc35d8195c01f173"
        "eb533df6505db9cc507eb59b9668d5");
  CHECK(absl::BytesToHexString(Md5Crypt("abc", "k", "0123456789abcdefX")) ==
        "1130313233343536373839616263646566587704c3");
  CHECK(Md5Crypt("", "key", "") == std::string(1, '\0'));
}

TEST_CASE("Md5Decrypt gives back every length") {
  for (size_t size = 0; size <= 33; ++size) {
    const std::string text(size, 'x');
    for (const std::string& seed : {std::string(), std::string("s"), std::string(40, 's')}) {
      CHECK(Md5Decrypt(Md5Crypt(text, "key", seed), "key").value() == text);
    }
  }
  CHECK(Md5Decrypt(Md5Crypt("text", "key", "s"), "other").value() != "text");
}

TEST_CASE("Md5Decrypt refuses what is shorter than its seed") {
  CHECK(Md5Decrypt("", "key").status().message() == "Invalid md5 crypt text");
  CHECK(Md5Decrypt("\x02s", "key").status().message() == "Invalid md5 crypt text");
}

TEST_CASE("XorCyclic repeats its key") {
  CHECK(XorCyclic("abcde", "AB") == "\x20\x20\x22\x26\x24");
  CHECK(XorCyclic("", "AB").empty());
}

}  // namespace
}  // namespace skysim
