#include "engine/core/handle.h"

#include <string>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

TEST_CASE("a handle is written as a colon and eight digits") {
  CHECK(FormatHandle(10) == ":0000000a");
  CHECK(FormatHandle(0x0100000a) == ":0100000a");
  CHECK(FormatHandle(0xffffffff) == ":ffffffff");
}

TEST_CASE("a handle is read from a colon and one to eight hex digits") {
  CHECK(ParseHandle(":a") == 10u);
  CHECK(ParseHandle(":0100000A") == 0x0100000au);
  CHECK(ParseHandle(":ffffffff") == 0xffffffffu);
}

TEST_CASE("what is no handle is not read as one") {
  for (const char* text : {"", ":", "a", ":g", ":0x1", ": 1", ":1 ", ":-1", ":+1", ":123456789"}) {
    INFO(text);
    CHECK(!ParseHandle(text).has_value());
  }
}

TEST_CASE("the harbor id is the high byte of a handle") {
  CHECK(HarborOf(0x0500000a) == 5);
  CHECK(HarborOf(0x00ffffff) == 0);
}

}  // namespace
}  // namespace skysim
