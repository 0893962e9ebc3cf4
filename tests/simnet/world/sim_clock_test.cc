#include "simnet/world/sim_clock.h"

#include <functional>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

// Notes when the alarm goes off.
class Alarm final : public AlarmSink, private Happening {
 public:
  explicit Alarm(EventQueue& events) : events_(events) {}
  void OnAlarm() override { rung_ns.push_back(events_.NowNs()); }

  // Lets time move to `when_ns`.
  void WaitUntil(int64_t when_ns) {
    events_.Schedule(when_ns, this, 0);
    while (!events_.IsEmpty() && events_.NextNs() <= when_ns) events_.RunNext();
  }

  std::vector<int64_t> rung_ns;

 private:
  void Happen(uint64_t) override {}

  EventQueue& events_;
};

struct ClockFixture {
  EventQueue events;
  MachineClock machine{events};
  int64_t cpu_ns = 0;
  std::function<int64_t()> measure_ns;
  Alarm alarm{events};
};

using Times = std::vector<int64_t>;

TEST_CASE("a simulated clock stands at virtual time and begins in 2024") {
  ClockFixture fixture;
  SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);

  fixture.alarm.WaitUntil(1500);
  fixture.cpu_ns = 30;

  CHECK(clock.NowNs() == 1500);
  CHECK(clock.MeasureNs() == 1500);
  CHECK(clock.WallNs() == MachineClock::kEpochNs + 1500);
  CHECK(clock.CpuNs() == 30);
}

TEST_CASE("the alarm goes off once, at its time") {
  ClockFixture fixture;
  SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);

  clock.SetAlarm(100, &fixture.alarm);
  fixture.alarm.WaitUntil(1000);

  CHECK(fixture.alarm.rung_ns == Times{100});
}

TEST_CASE("a new alarm replaces the one before") {
  ClockFixture fixture;
  SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);

  clock.SetAlarm(100, &fixture.alarm);
  clock.SetAlarm(50, &fixture.alarm);
  clock.SetAlarm(200, &fixture.alarm);
  fixture.alarm.WaitUntil(1000);

  CHECK(fixture.alarm.rung_ns == Times{200});
}

TEST_CASE("an alarm in the past goes off now") {
  ClockFixture fixture;
  SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);
  fixture.alarm.WaitUntil(500);

  clock.SetAlarm(100, &fixture.alarm);
  fixture.alarm.WaitUntil(600);

  CHECK(fixture.alarm.rung_ns == Times{500});
}

TEST_CASE("the alarm of a clock that is gone does not go off") {
  ClockFixture fixture;
  {
    SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);
    clock.SetAlarm(100, &fixture.alarm);
  }

  fixture.alarm.WaitUntil(1000);

  CHECK(fixture.alarm.rung_ns.empty());
}

TEST_CASE("an alarm follows the monotonic clock, however that drifts meanwhile") {
  ClockFixture fixture;
  SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);
  clock.SetAlarm(1'000'000, &fixture.alarm);
  fixture.alarm.WaitUntil(500'000);

  REQUIRE(fixture.machine.SetDrift(-100'000'000).ok());
  clock.OnDriftChanged();
  fixture.alarm.WaitUntil(2'000'000);

  // The half that is left, at 0.9 ns per ns.
  CHECK(fixture.alarm.rung_ns == Times{500'000 + 555'556});
}

TEST_CASE("a step of the wall clock moves no alarm") {
  ClockFixture fixture;
  SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);
  clock.SetAlarm(1000, &fixture.alarm);

  REQUIRE(fixture.machine.StepWall(-3'600'000'000'000).ok());
  fixture.alarm.WaitUntil(2000);

  CHECK(fixture.alarm.rung_ns == Times{1000});
  CHECK(clock.NowNs() == 2000);
  CHECK(clock.WallNs() == MachineClock::kEpochNs - 3'600'000'000'000 + 2000);
}

TEST_CASE("an alarm that comes due in a pause goes off right after it, and the clocks go on") {
  ClockFixture fixture;
  SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);
  clock.SetAlarm(100, &fixture.alarm);

  clock.Pause();
  fixture.alarm.WaitUntil(1000);
  CHECK(fixture.alarm.rung_ns.empty());
  CHECK(clock.NowNs() == 1000);

  clock.Resume();
  fixture.alarm.WaitUntil(2000);
  CHECK(fixture.alarm.rung_ns == Times{1000});
}

TEST_CASE("an alarm that is not due when a pause ends is on time") {
  ClockFixture fixture;
  SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);
  clock.SetAlarm(100, &fixture.alarm);

  clock.Pause();
  fixture.alarm.WaitUntil(50);
  clock.Resume();
  fixture.alarm.WaitUntil(1000);

  CHECK(fixture.alarm.rung_ns == Times{100});
}

TEST_CASE("a benchmark measures with a clock of its own") {
  ClockFixture fixture;
  fixture.measure_ns = [] { return int64_t{77}; };
  SimClock clock(fixture.events, fixture.machine, fixture.cpu_ns, fixture.measure_ns);

  CHECK(clock.MeasureNs() == 77);
  CHECK(clock.NowNs() == 0);
}

}  // namespace
}  // namespace skysim
