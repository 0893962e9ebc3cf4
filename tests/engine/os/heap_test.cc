#include "engine/os/heap.h"

#include <cstdint>
#include <cstring>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

TEST_CASE("heap aligns to 16 and keeps the common prefix") {
  Heap heap;

  void* block = heap.Allocate(5);
  REQUIRE(reinterpret_cast<uintptr_t>(block) % 16 == 0);
  std::memcpy(block, "hello", 5);
  block = heap.Reallocate(block, 100'000);

  CHECK(std::memcmp(block, "hello", 5) == 0);
  heap.Free(block);
  heap.Free(nullptr);
}

}  // namespace
}  // namespace skysim
