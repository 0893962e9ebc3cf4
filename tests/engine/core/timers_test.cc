#include "engine/core/timers.h"

#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/core/fake_platform.h"

namespace skysim {
namespace {

constexpr int64_t kMs = 1'000'000;

// A clock, timers, and the sessions that fired.
class TimersFixture final : public TimerSink {
 public:
  explicit TimersFixture(int64_t wall_ns = 0, int64_t now_ns = 0, bool follows_wall_clock = false) {
    clock.wall_ns = wall_ns;
    clock.now_ns = now_ns;
    timers = std::make_unique<Timers>(clock, *this, follows_wall_clock);
  }

  void Add(int32_t session, int64_t ticks) { timers->Add(1, session, ticks, 0); }

  // What fires when time moves by `ms` in one jump.
  std::vector<int32_t> Advance(int64_t ms) {
    fired_.clear();
    clock.Advance(ms * kMs);
    return fired_;
  }

  FakeClock clock;
  std::unique_ptr<Timers> timers;
  int32_t renews = 0;  // a session that sets itself again when it fires

  void OnTimer(Handle, int32_t session, uint64_t) override {
    fired_.push_back(session);
    if (session == renews) Add(session, 1);
  }

 private:
  std::vector<int32_t> fired_;
};

using Sessions = std::vector<int32_t>;

TEST_CASE("time is counted from the centiseconds of the wall clock") {
  // 2024-01-01 00:00:07.891 UTC
  TimersFixture fixture(1'704'067'207'891 * kMs);

  CHECK(fixture.timers->StartTime() == 1'704'067'207);
  CHECK(fixture.timers->Now() == 89);
  fixture.Advance(9);
  CHECK(fixture.timers->Now() == 89);
  fixture.Advance(1);
  CHECK(fixture.timers->Now() == 90);
}

TEST_CASE("a timer of n ticks fires at the n-th tick from now") {
  TimersFixture fixture;
  fixture.Advance(7);  // in the middle of tick 0

  fixture.Add(1, 1);
  fixture.Add(3, 3);

  CHECK(fixture.Advance(2) == Sessions{});
  CHECK(fixture.Advance(1) == Sessions{1});   // 3 ms after it was set: more than 0 ticks
  CHECK(fixture.Advance(19) == Sessions{});
  CHECK(fixture.Advance(1) == Sessions{3});   // 23 ms: more than 2 ticks
}

TEST_CASE("ticks count from the node's begin, not from the clock's zero") {
  TimersFixture fixture(0, 3 * kMs);

  fixture.Add(1, 1);

  CHECK(fixture.Advance(9) == Sessions{});
  CHECK(fixture.Advance(1) == Sessions{1});
}

TEST_CASE("timers of one tick fire in the order in which they were set") {
  TimersFixture fixture;
  fixture.Add(5, 2);
  fixture.Add(2, 1);
  fixture.Add(9, 2);
  fixture.Advance(10);
  fixture.Add(1, 1);  // the same tick as 5 and 9

  CHECK(fixture.Advance(10) == Sessions{5, 9, 1});
}

TEST_CASE("a late alarm runs every missed tick, oldest first") {
  TimersFixture fixture;
  for (int32_t tick : {300, 1, 50, 2}) fixture.Add(tick, tick);

  CHECK(fixture.Advance(1'000) == Sessions{1, 2, 50});
  CHECK(fixture.Advance(2'000) == Sessions{300});
}

TEST_CASE("a timer set while one fires belongs to a later tick") {
  TimersFixture fixture;
  fixture.renews = 7;
  fixture.Add(7, 1);

  CHECK(fixture.Advance(25) == Sessions{7});
  CHECK(fixture.Advance(5) == Sessions{7});
}

TEST_CASE("a sooner timer moves the alarm forward, a later one does not move it back") {
  TimersFixture fixture;
  fixture.Add(10, 10);
  fixture.Add(2, 2);
  fixture.Add(20, 20);

  CHECK(fixture.Advance(20) == Sessions{2});
  CHECK(fixture.Advance(80) == Sessions{10});
  CHECK(fixture.Advance(100) == Sessions{20});
}

TEST_CASE("timers do not notice that the wall clock is set") {
  TimersFixture fixture(/*wall_ns=*/50'000 * kMs);
  fixture.Add(1, 1);
  fixture.Add(3, 3);

  fixture.clock.wall_ns -= 40'000 * kMs;
  CHECK(fixture.Advance(10) == Sessions{1});
  fixture.clock.wall_ns += 80'000 * kMs;
  CHECK(fixture.Advance(10) == Sessions{});
  CHECK(fixture.Advance(10) == Sessions{3});
  CHECK(fixture.timers->Now() == 3);
}

TEST_CASE("timers that follow the wall clock stand still and jump with it") {
  TimersFixture fixture(/*wall_ns=*/50'000 * kMs, 0, /*follows_wall_clock=*/true);
  fixture.Add(1, 1);
  fixture.Add(3, 3);

  fixture.clock.wall_ns -= 20 * kMs;
  CHECK(fixture.Advance(20) == Sessions{});
  CHECK(fixture.Advance(10) == Sessions{1});
  fixture.clock.wall_ns += 40 * kMs;
  CHECK(fixture.Advance(10) == Sessions{3});
}

}  // namespace
}  // namespace skysim
