#include "simnet/time/event_queue.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

// Writes down when it happens, with which argument.
class Log final : public Happening {
 public:
  explicit Log(EventQueue& events) : events_(events) {}
  void Happen(uint64_t argument) override {
    seen.emplace_back(events_.NowNs(), argument);
    if (then) then(argument);
  }

  std::vector<std::pair<int64_t, uint64_t>> seen;
  std::function<void(uint64_t)> then;

 private:
  EventQueue& events_;
};

void RunAll(EventQueue& events) {
  while (!events.IsEmpty()) events.RunNext();
}

TEST_CASE("events happen in order of time, and time is theirs") {
  EventQueue events;
  Log log(events);

  for (int64_t when : {30, 10, 20}) events.Schedule(when, &log, static_cast<uint64_t>(when));
  CHECK(events.NextNs() == 10);
  RunAll(events);

  using Seen = std::vector<std::pair<int64_t, uint64_t>>;
  CHECK(log.seen == Seen{{10, 10}, {20, 20}, {30, 30}});
  CHECK(events.NowNs() == 30);
}

TEST_CASE("events of one time happen in the order in which they were scheduled") {
  EventQueue events;
  Log log(events);

  for (uint64_t i = 0; i < 1000; ++i) events.Schedule(5, &log, i);
  RunAll(events);

  for (uint64_t i = 0; i < 1000; ++i) REQUIRE(log.seen[i].second == i);
}

TEST_CASE("the past counts as now, behind what is scheduled for now") {
  EventQueue events;
  Log log(events);
  log.then = [&](uint64_t argument) {
    if (argument == 1) events.Schedule(3, &log, 3);
  };

  events.Schedule(10, &log, 1);
  events.Schedule(10, &log, 2);
  RunAll(events);

  using Seen = std::vector<std::pair<int64_t, uint64_t>>;
  CHECK(log.seen == Seen{{10, 1}, {10, 2}, {10, 3}});
}

TEST_CASE("a cancelled event does not happen and does not move time") {
  EventQueue events;
  Log log(events);

  events.Schedule(10, &log, 1);
  const uint64_t first = events.Schedule(5, &log, 0);
  const uint64_t last = events.Schedule(20, &log, 2);
  events.Cancel(first);
  CHECK(events.NextNs() == 10);
  events.Cancel(last);
  RunAll(events);

  CHECK(log.seen.size() == 1);
  CHECK(events.NowNs() == 10);
}

TEST_CASE("a stale ticket cancels nothing, though its slot is in use again") {
  EventQueue events;
  Log log(events);
  const uint64_t done = events.Schedule(1, &log, 1);
  events.RunNext();

  const uint64_t again = events.Schedule(2, &log, 2);
  events.Cancel(done);
  events.Cancel(0);
  events.Cancel(~uint64_t{0});
  RunAll(events);

  CHECK(again != done);
  CHECK(log.seen.size() == 2);
}

TEST_CASE("memory does not grow with cancelled events") {
  EventQueue events;
  Log log(events);
  for (uint64_t i = 0; i < 100; ++i) events.Schedule(1'000'000, &log, i);

  // A time-out that is set anew with each message, the usual way to leak a lazy heap.
  for (int64_t i = 0; i < 100'000; ++i) events.Cancel(events.Schedule(2'000'000 + i, &log, 0));

  CHECK(events.Size() == 100);
  CHECK(events.HeldSize() < 300);
  RunAll(events);
  CHECK(log.seen.size() == 100);
}

TEST_CASE("an event that comes before one far ahead, the first of all, happens first") {
  for (int64_t near = 1; near < 10'000'000'000; near *= 7) {
    EventQueue events;
    Log log(events);
    events.Schedule(5, &log, 1);
    events.RunNext();

    events.Schedule(20'000'000'000, &log, 3);
    events.Schedule(near + 5, &log, 2);
    CHECK(events.NextNs() == near + 5);
    RunAll(events);

    CHECK(log.seen.back().second == 3);
  }
}

TEST_CASE("thousands of events keep their order while their rate changes a thousandfold") {
  EventQueue events;
  Log log(events);
  std::mt19937 random(1);
  int left = 50'000;
  int64_t span = 1'000'000;
  log.then = [&](uint64_t number) {
    if (left-- <= 0) return;
    if (left % 10'000 == 0) span = span == 1'000'000 ? 1'000'000'000 : 1'000'000;
    // Rounded, so that many share a time.
    const int64_t when = events.NowNs() + random() % span / 1000 * 1000;
    events.Schedule(when, &log, number);
    if (left % 100 == 0) events.Cancel(events.Schedule(when + 1, &log, 0));
  };

  for (uint64_t i = 1; i <= 5'000; ++i) events.Schedule(random() % span, &log, i);
  RunAll(events);

  CHECK(log.seen.size() == 55'000);
  CHECK(std::is_sorted(log.seen.begin(), log.seen.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; }));
}

TEST_CASE("the queue agrees with a sorted map under random scheduling and cancelling") {
  for (uint32_t seed = 1; seed <= 100; ++seed) {
    std::mt19937 random(seed);
    EventQueue events;
    Log log(events);
    std::map<std::pair<int64_t, uint64_t>, uint64_t> model;  // (time, number) -> ticket
    uint64_t number = 0;
    for (int step = 0; step < 2'000; ++step) {
      const uint32_t dice = random() % 10;
      if (dice < 5) {
        // Dense, then sparse, then dense again; the same time for many; and now and then far ahead.
        const int64_t unit = step / 500 % 2 == 0 ? 1 : 1'000'000;
        const int64_t some = random() % 50;
        const int64_t ahead[] = {some * unit, 20 * unit, 0, some, 1'000'000'000 + some};
        const int64_t when = events.NowNs() + ahead[random() % 5];
        ++number;
        model[{when, number}] = events.Schedule(when, &log, number);
      } else if (dice < 8 && !model.empty()) {
        auto victim = model.begin();
        std::advance(victim, random() % model.size());
        events.Cancel(victim->second);
        model.erase(victim);
      } else if (!model.empty()) {
        REQUIRE(events.NextNs() == model.begin()->first.first);
        events.RunNext();
        REQUIRE(log.seen.back() == model.begin()->first);
        model.erase(model.begin());
      }
      REQUIRE(events.Size() == model.size());
      REQUIRE(events.IsEmpty() == model.empty());
    }
  }
}

TEST_CASE("time advanced by hand stops at the next entry and never goes back") {
  EventQueue events;
  Log log(events);
  events.AdvanceTo(50);
  CHECK(events.NowNs() == 50);

  events.Schedule(80, &log, 1);
  events.AdvanceTo(1000);
  CHECK(events.NowNs() == 80);
  events.AdvanceTo(10);
  CHECK(events.NowNs() == 80);

  RunAll(events);
  events.AdvanceTo(1000);
  events.Schedule(900, &log, 2);  // the past counts as now
  RunAll(events);
  using Seen = std::vector<std::pair<int64_t, uint64_t>>;
  CHECK(log.seen == Seen{{80, 1}, {1000, 2}});
}

}  // namespace
}  // namespace skysim
