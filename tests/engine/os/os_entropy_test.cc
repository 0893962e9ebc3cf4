#include "engine/os/os_entropy.h"

#include <set>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

TEST_CASE("the same stream gives other bits each time") {
  OsEntropy entropy;
  std::set<uint64_t> drawn;
  uint64_t ones = 0;
  uint64_t zeros = 0;

  for (int i = 0; i < 64; ++i) {
    uint64_t bits = entropy.Draw("01000001/math.random");
    drawn.insert(bits);
    ones |= bits;
    zeros |= ~bits;
  }

  CHECK(drawn.size() == 64);  // 64 of 2^64: two are equal once in 2^53 runs
  CHECK(ones == ~uint64_t{0});   // each bit was 1 and 0: fails once in 2^57 runs
  CHECK(zeros == ~uint64_t{0});
}

}  // namespace
}  // namespace skysim
