#include "engine/wire/seri.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/lua/counting_memory.h"
#include "tests/engine/wire/hex.h"

namespace skysim {
namespace {

std::string Repeat(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

// What a writer writes, in hex.
template <typename Write>
std::string Written(Write write) {
  CountingMemory memory;
  SeriBuffer out(memory);
  write(out);
  return Hex(out.view());
}

std::string Integer(int64_t value) {
  return Written([value](SeriBuffer& out) { PutSeriInteger(value, out); });
}

std::string Text(const std::string& hex) {
  SeriLimits limits;
  limits.are_pointers_allowed = true;
  return SeriToText(Bytes(hex), 4096, limits).value();
}

}  // namespace

TEST_CASE("an integer is written in its smallest form") {
  CHECK(Integer(0) == "02");
  CHECK(Integer(1) == "0a01");
  CHECK(Integer(255) == "0aff");
  CHECK(Integer(256) == "120001");
  CHECK(Integer(65535) == "12ffff");
  CHECK(Integer(65536) == "2200000100");
  CHECK(Integer(0x7fffffff) == "22ffffff7f");
  CHECK(Integer(0x80000000) == "320000008000000000");
  CHECK(Integer(-1) == "22ffffffff");
  CHECK(Integer(-0x80000000LL) == "2200000080");
  CHECK(Integer(-0x80000001LL) == "32ffffff7fffffffff");
}

TEST_CASE("each integer form reads back as the integer") {
  for (const int64_t value :
       {int64_t{0}, int64_t{1}, int64_t{255}, int64_t{256}, int64_t{65535}, int64_t{65536},
        int64_t{-1}, int64_t{0x7fffffff}, int64_t{0x80000000}, -int64_t{0x80000000},
        std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    const std::string bytes = Bytes(Integer(value));
    SeriReader reader(bytes);
    const SeriToken token = reader.Next();
    CHECK(token.type == SeriToken::Type::kInteger);
    CHECK(token.integer == value);
    CHECK(reader.left() == 0);
  }
}

TEST_CASE("values other than integers are written as the format says") {
  CHECK(Written([](SeriBuffer& out) { PutSeriNil(out); }) == "00");
  CHECK(Written([](SeriBuffer& out) { PutSeriBoolean(true, out); }) == "09");
  CHECK(Written([](SeriBuffer& out) { PutSeriBoolean(false, out); }) == "01");
  CHECK(Written([](SeriBuffer& out) { PutSeriDouble(1.0, out); }) == "42000000000000f03f");
  CHECK(Written([](SeriBuffer& out) { PutSeriPointer(nullptr, out); }) == "030000000000000000");
  CHECK(Written([](SeriBuffer& out) { PutSeriString("abc", out); }) == "1c616263");
  CHECK(Written([](SeriBuffer& out) { PutSeriString("", out); }) == "04");
  CHECK(Written([](SeriBuffer& out) { PutSeriTable(30, out); }) == "f6");
  CHECK(Written([](SeriBuffer& out) { PutSeriTable(31, out); }) == "fe0a1f");
  CHECK(Written([](SeriBuffer& out) { PutSeriTable(100000, out); }) == "fe22a0860100");
}

TEST_CASE("a string's length moves from the cookie to two bytes at 32 and to four at 65536") {
  const auto head = [](size_t length) {
    const std::string value(length, 'a');
    return Written([&value](SeriBuffer& out) { PutSeriString(value, out); }).substr(0, 10);
  };

  CHECK(head(31).substr(0, 2) == "fc");
  CHECK(head(32).substr(0, 6) == "152000");
  CHECK(head(65535).substr(0, 6) == "15ffff");
  CHECK(head(65536) == "2500000100");
}

TEST_CASE("a buffer detaches small messages as one exact block and long ones as they stand") {
  CountingMemory memory;
  for (const size_t size : {size_t{1}, size_t{511}, size_t{512}, size_t{513}, size_t{100000}}) {
    INFO(size);
    SeriBuffer out(memory);
    for (size_t i = 0; i < size; ++i) out.AppendByte(static_cast<unsigned char>(i));

    const SeriBuffer::Block block = out.Detach();

    REQUIRE(block.size == size);
    CHECK(block.data[size] == '\0');
    for (size_t i = 0; i < size; ++i) REQUIRE(block.data[i] == static_cast<char>(i));
    CHECK(out.size() == 0);
    CHECK(memory.live() == 1);
    memory.Free(block.data);
  }
  SeriBuffer empty(memory);
  CHECK(empty.Detach().data == nullptr);
  CHECK(memory.live() == 0);
}

TEST_CASE("a buffer that is not detached gives its block back") {
  CountingMemory memory;

  { SeriBuffer(memory).Append(std::string(5000, 'x').data(), 5000); }

  CHECK(memory.live() == 0);
}

TEST_CASE("a reader stays where the stream is malformed") {
  const std::string bytes = Bytes("0a0107ff");
  SeriReader reader(bytes);

  CHECK(reader.Next().integer == 1);
  CHECK(reader.Next().type == SeriToken::Type::kMalformed);
  CHECK(reader.left() == 2);
  CHECK(reader.Next().type == SeriToken::Type::kMalformed);

  const std::string cut = Bytes("fe0a");
  SeriReader table(cut);
  CHECK(table.Next().type == SeriToken::Type::kMalformed);
  CHECK(table.left() == 2);
}

TEST_CASE("validation names the byte where a stream goes wrong, and how") {
  const std::string prefix = "Invalid serialize stream at byte ";
  const std::vector<std::pair<std::string, std::string>> streams = {
      {"07", "0: no value, or one cut short"},
      {"0a0112ff", "2: no value, or one cut short"},
      {"1a00", "0: no value, or one cut short"},
      {"0d01", "0: no value, or one cut short"},
      {"25ffffffff61", "0: no value, or one cut short"},
      {"06", "1: ends inside a table"},
      {"060c61", "3: ends inside a table"},
      {"fe22ffffff7f0a01", "8: ends inside a table"},
      {"fe22ffffffff", "0: no value, or one cut short"},
      {"fe42000000000000f03f", "0: no value, or one cut short"},
      {"0642000000000000f87f0a0100", "1: a key that is not a number"},
      {"030000000000000000", "0: an address of another process"},
      {"0e030000000000000000", "1: an address of another process"},
      {Repeat("0e", 33) + "02", "33: nested too deep"},
  };
  for (const auto& stream : streams) {
    INFO(stream.first);
    const absl::Status status = ValidateSeri(Bytes(stream.first));
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(status.message() == prefix + stream.second);
  }
}

TEST_CASE("validation accepts what packers make, up to its limits") {
  for (const std::string hex :
       {"", "00", "0901", "1e0a010a020a0300", "060c610a0100", "060600090e0a01000000", "0e060000"}) {
    INFO(hex);
    CHECK(ValidateSeri(Bytes(hex)).ok());
  }
  CHECK(ValidateSeri(Bytes(Repeat("0e", 32) + "02" + Repeat("00", 32))).ok());

  SeriLimits limits;
  limits.bytes_max = 3;
  limits.are_pointers_allowed = true;
  CHECK(ValidateSeri(Bytes("020202"), limits).ok());
  CHECK(ValidateSeri(Bytes("02020202"), limits).message() ==
        "Invalid serialize stream: 4 bytes, allowed are 3");
  limits.bytes_max = 9;
  CHECK(ValidateSeri(Bytes("030000000000000000"), limits).ok());
}

TEST_CASE("validation of a million open tables takes no recursion") {
  SeriLimits limits;
  limits.depth_max = 2000000;

  CHECK(ValidateSeri(std::string(1000000, '\x0e'), limits).message() ==
        "Invalid serialize stream at byte 1000000: ends inside a table");
}

TEST_CASE("the text of a stream reads like Lua") {
  CHECK(Text("") == "");
  CHECK(Text("244543484f2c68656c6c6f0a2a09") == "\"ECHO\", \"hello\", 42, true");
  CHECK(Text("1e0a010a020a0300") == "{1, 2, 3}");
  CHECK(Text("0e060c610a010000") == "{{[\"a\"] = 1}}");
  CHECK(Text("060600090e0a01000000") == "{[{}] = true, [{1}] = nil}");
  CHECK(Text("160a0102" "0c62" "06000c6301" "00" "00") ==
        "{1, 0, [\"b\"] = {}, [\"c\"] = false}, nil");
  CHECK(Text("42000000000000f03f429a9999999999b93f") == "1.0, 0.1");
  CHECK(Text("42000000000000f07f") == "inf");
  CHECK(Text("14610a") == "\"a\\n\"");
  CHECK(Text("030100000000000000") == "userdata: 0x0000000000000001");
}

TEST_CASE("the text of a long stream is cut") {
  CHECK(SeriToText(Bytes("25000100006161"), 10).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(SeriToText(Bytes("fc" + Repeat("61", 31)), 10).value() == "\"aaaaaaaaaa\"...");
  CHECK(SeriToText(Bytes(Repeat("0a01", 100)), 10).value() == "1, 1, 1, 1, 1...");
}

TEST_CASE("random bytes are either valid or refused, and the text agrees with the verdict") {
  uint32_t state = 3;
  const auto draw = [&state](uint32_t bound) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % bound;
  };
  int valid = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(draw(12), '\0');
    for (char& c : bytes) c = static_cast<char>(draw(3) == 0 ? draw(256) : draw(16));
    const bool is_valid = ValidateSeri(bytes).ok();
    valid += is_valid ? 1 : 0;
    REQUIRE(SeriToText(bytes, 1 << 20).ok() == is_valid);
  }
  CHECK(valid > 1000);
}

}  // namespace skysim
