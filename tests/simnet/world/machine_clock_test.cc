#include "simnet/world/machine_clock.h"

#include <cstdint>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kHourNs = 3600 * kSecondNs;

class MachineFixture {
 public:
  void WaitUntil(int64_t when_ns) { events_.AdvanceTo(when_ns); }
  int64_t AheadNs() const { return clock.WallNs() - MachineClock::kEpochNs - events_.NowNs(); }

 private:
  EventQueue events_;

 public:
  MachineClock clock{events_};
};

TEST_CASE_METHOD(MachineFixture, "a machine's clocks are exact at first, and begin in 2024") {
  WaitUntil(1500);

  CHECK(clock.NowNs() == 1500);
  CHECK(clock.WallNs() == MachineClock::kEpochNs + 1500);
  CHECK(clock.VirtualNs(7000) == 7000);
}

TEST_CASE_METHOD(MachineFixture, "a step moves the wall clock only") {
  WaitUntil(kSecondNs);

  REQUIRE(clock.StepWall(-kHourNs).ok());
  CHECK(AheadNs() == -kHourNs);
  CHECK(clock.NowNs() == kSecondNs);

  REQUIRE(clock.StepWall(2 * kHourNs).ok());
  CHECK(AheadNs() == kHourNs);
}

TEST_CASE_METHOD(MachineFixture, "an offset is from the true time, whatever was set before") {
  REQUIRE(clock.StepWall(kHourNs).ok());
  REQUIRE(clock.SetDrift(1'000'000).ok());
  WaitUntil(10 * kSecondNs);

  REQUIRE(clock.SetWallOffset(-5).ok());

  CHECK(AheadNs() == -5);
}

TEST_CASE_METHOD(MachineFixture, "drift makes both clocks fast or slow, and the gain stays") {
  REQUIRE(clock.SetDrift(200'000).ok());  // 200 ppm
  WaitUntil(10 * kSecondNs);
  CHECK(clock.NowNs() == 10 * kSecondNs + 2'000'000);
  CHECK(AheadNs() == 2'000'000);

  REQUIRE(clock.SetDrift(0).ok());
  WaitUntil(20 * kSecondNs);
  CHECK(clock.NowNs() == 20 * kSecondNs + 2'000'000);

  REQUIRE(clock.SetDrift(-200'000).ok());
  WaitUntil(30 * kSecondNs);
  CHECK(clock.NowNs() == 30 * kSecondNs);
  CHECK(AheadNs() == 0);
}

TEST_CASE_METHOD(MachineFixture, "monotonic time never goes back, at any change of the drift") {
  int64_t last_ns = clock.NowNs();
  int64_t virtual_ns = 0;
  for (int i = 0; i < 2000; ++i) {
    WaitUntil(virtual_ns += i % 7);  // steps as short as a drift's rounding
    if (i % 11 == 0) REQUIRE(clock.SetDrift((i % 3 - 1) * MachineClock::kDriftPpbMax).ok());
    CHECK(clock.NowNs() >= last_ns);
    last_ns = clock.NowNs();
  }
}

TEST_CASE_METHOD(MachineFixture, "a reading's virtual time is the first at which it is there") {
  for (int64_t ppb : {MachineClock::kDriftPpbMax, -MachineClock::kDriftPpbMax, int64_t{1},
                      int64_t{-1}, int64_t{333'333}}) {
    REQUIRE(clock.SetDrift(ppb).ok());
    const int64_t reading_ns = clock.NowNs() + 123'457;

    const int64_t when_ns = clock.VirtualNs(reading_ns);

    WaitUntil(when_ns - 1);
    CHECK(clock.NowNs() < reading_ns);
    WaitUntil(when_ns);
    CHECK(clock.NowNs() >= reading_ns);
  }
}

TEST_CASE_METHOD(MachineFixture, "a wall clock stays where Linux can be set, drift below 10 %") {
  const int64_t wall_ns = clock.WallNs();
  const int64_t to_max_ns = MachineClock::kWallNsMax - wall_ns;
  for (int64_t by_ns : {-wall_ns - 1, to_max_ns + 1, INT64_MAX, INT64_MIN}) {
    CHECK(clock.StepWall(by_ns).message() ==
          "the wall clock would leave the years 1970 to 2232, in which Linux can be set");
    CHECK(clock.WallNs() == wall_ns);
  }
  CHECK(clock.StepWall(-wall_ns).ok());
  CHECK(clock.StepWall(MachineClock::kWallNsMax).ok());
  CHECK(clock.SetDrift(MachineClock::kDriftPpbMax + 1).message() ==
        "a clock drifts by 100000ppm at most, which is what adjtimex takes");
}

}  // namespace
}  // namespace skysim
