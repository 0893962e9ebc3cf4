#include "tools/arguments.h"

#include <limits>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

TEST_CASE("seed is decimal or hexadecimal, of 64 bits") {
  CHECK(*ParseSeed("--seed", "0") == 0);
  CHECK(*ParseSeed("--seed", "18446744073709551615") == std::numeric_limits<uint64_t>::max());
  CHECK(*ParseSeed("--seed", "0xff") == 255);
  CHECK(*ParseSeed("--seed", "0XFFFFFFFFFFFFFFFF") == std::numeric_limits<uint64_t>::max());
}

TEST_CASE("what is no seed is refused in one sentence") {
  for (const char* text : {"", " 1", "-1", "+1", "1.5", "0x", "0x10000000000000000", "seven",
                           "18446744073709551616"}) {
    INFO(text);
    CHECK_FALSE(ParseSeed("--seed", text).ok());
  }
  CHECK(ParseSeed("--seed", "seven").status().message() ==
        "--seed: \"seven\" is no value for it; it takes a whole number of 64 bits, decimal or 0x "
        "hexadecimal");
}

TEST_CASE("range of seeds includes both ends") {
  CHECK(ParseSeedRange("--seeds", "1:200")->first == 1);
  CHECK(ParseSeedRange("--seeds", "1:200")->last == 200);
  CHECK(ParseSeedRange("--seeds", "0x10")->first == 16);
  CHECK(ParseSeedRange("--seeds", "0x10")->last == 16);
  for (const char* text : {"", ":", "1:", ":2", "2:1", "1:2:3", "a:b"}) {
    INFO(text);
    CHECK_FALSE(ParseSeedRange("--seeds", text).ok());
  }
}

TEST_CASE("duration is exact to the nanosecond") {
  CHECK(*ParseDuration("--from", "1h") == 3'600'000'000'000);
  CHECK(*ParseDuration("--from", "10m") == 600'000'000'000);
  CHECK(*ParseDuration("--from", "1.5s") == 1'500'000'000);
  CHECK(*ParseDuration("--from", "0.000000001s") == 1);
  CHECK(*ParseDuration("--from", "20ms") == 20'000'000);
  CHECK(*ParseDuration("--from", "3us") == 3'000);
  CHECK(*ParseDuration("--from", "5ns") == 5);
  CHECK(*ParseDuration("--from", "0") == 0);
}

TEST_CASE("duration without unit, without digits or too long is refused") {
  for (const char* text : {"", "s", "1", "1.s", ".5s", "1.5ns", "0.0000000001s", "-1s", "1 s",
                           "9223372037s", "99999999999999999999s"}) {
    INFO(text);
    CHECK_FALSE(ParseDuration("--from", text).ok());
  }
}

TEST_CASE("setting is cut at its first equals sign") {
  CHECK(*ParseSetting("--set", "a=b=c") == std::make_pair(std::string("a"), std::string("b=c")));
  CHECK(ParseSetting("--set", "a=")->second == "");
  CHECK(ParseSetting("--set", "a").status().message() ==
        "--set: \"a\" is no value for it; it takes KEY=VALUE");
  CHECK_FALSE(ParseSetting("--set", "=b").ok());
}

TEST_CASE("handle is hexadecimal, with or without its colon") {
  CHECK(*ParseHandle("--service", ":0000000a") == 10);
  CHECK(*ParseHandle("--service", "a") == 10);
  CHECK(*ParseHandle("--service", "ffffffff") == 0xffffffff);
  CHECK_FALSE(ParseHandle("--service", "100000000").ok());
  CHECK_FALSE(ParseHandle("--service", ".launcher").ok());
}

TEST_CASE("word of a shell command is quoted only where it must be") {
  CHECK(ShellQuote("scenarios/x.lua") == "scenarios/x.lua");
  CHECK(ShellQuote("k=v") == "k=v");
  CHECK(ShellQuote("") == "''");
  CHECK(ShellQuote("a b") == "'a b'");
  CHECK(ShellQuote("it's $HOME") == "'it'\\''s $HOME'");
}

}  // namespace
}  // namespace skysim
