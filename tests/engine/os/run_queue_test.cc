#include "engine/os/run_queue.h"

#include <cstdint>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

using Runnables = std::vector<Runnable*>;

// The queue never calls what it holds: any distinct addresses will do.
Runnable* Name(uintptr_t number) { return reinterpret_cast<Runnable*>(number * 16); }

Runnables PopAll(RunQueue& queue) {
  Runnables popped;
  while (Runnable* runnable = queue.Pop()) popped.push_back(runnable);
  return popped;
}

TEST_CASE("a run queue pops in the order of pushes, however much it grows") {
  RunQueue queue;
  Runnables expected;
  for (uintptr_t i = 1; i <= 40; ++i) queue.Push(Name(i));
  for (uintptr_t i = 1; i <= 30; ++i) REQUIRE(queue.Pop() == Name(i));  // the ring's begin moves

  for (uintptr_t i = 41; i <= 300; ++i) queue.Push(Name(i));  // beyond 64, 128 and 256

  for (uintptr_t i = 31; i <= 300; ++i) expected.push_back(Name(i));
  CHECK(PopAll(queue) == expected);
  CHECK(queue.IsEmpty());
}

TEST_CASE("a push tells how many stood there before") {
  RunQueue queue;

  CHECK(queue.Push(Name(1)) == 0);
  CHECK(queue.Push(Name(2)) == 1);
  CHECK(queue.size_hint() == 2);
}

TEST_CASE("a part that is taken is the oldest, rounded up, and comes after what was taken before") {
  RunQueue queue;
  queue.Push(Runnables{Name(1), Name(2), Name(3), Name(4), Name(5)});
  Runnables taken{Name(9)};

  queue.Take(2, 1, &taken);

  CHECK(taken == Runnables{Name(9), Name(1), Name(2), Name(3)});
  CHECK(PopAll(queue) == Runnables{Name(4), Name(5)});
}

TEST_CASE("nothing is taken of a queue that is too short") {
  RunQueue queue;
  Runnables taken;
  queue.Push(Name(1));

  queue.Take(1, 2, &taken);
  CHECK(taken.empty());

  queue.Take(1, 1, &taken);
  CHECK(taken == Runnables{Name(1)});
}

}  // namespace
}  // namespace skysim
