#include "engine/os/os_clock.h"

#include <time.h>

#include <atomic>
#include <functional>
#include <utility>

#include "absl/synchronization/notification.h"
#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;
constexpr int64_t kHourNs = 3'600'000'000'000;

// Runs a function on the timer thread.
class Ringer final : public AlarmSink {
 public:
  explicit Ringer(std::function<void()> ring) : ring_(std::move(ring)) {}
  void OnAlarm() override {
    ++count_;
    ring_();
  }
  int count() const { return count_; }

 private:
  const std::function<void()> ring_;
  std::atomic<int> count_{0};
};

int64_t KernelCpuNs() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

TEST_CASE("an alarm goes off once and not before its time") {
  OsClock clock;
  absl::Notification rang, second_rang;
  std::atomic<int64_t> rang_ns{0};
  Ringer ringer([&] {
    rang_ns = clock.NowNs();
    rang.Notify();  // twice would crash
  });
  Ringer second([&] { second_rang.Notify(); });
  int64_t when_ns = clock.NowNs() + 3 * kMillisecondNs;

  clock.SetAlarm(when_ns, &ringer);
  rang.WaitForNotification();
  clock.SetAlarm(clock.NowNs() + kMillisecondNs, &second);
  second_rang.WaitForNotification();

  CHECK(rang_ns >= when_ns);
  CHECK(ringer.count() == 1);
}

TEST_CASE("an alarm in the past goes off at once, also at times of zero and below") {
  OsClock clock;
  for (int64_t when_ns : {clock.NowNs() - 1, int64_t{0}, int64_t{-5}}) {
    absl::Notification rang;
    Ringer ringer([&] { rang.Notify(); });

    clock.SetAlarm(when_ns, &ringer);

    rang.WaitForNotification();
  }
}

TEST_CASE("an earlier alarm replaces a later one") {
  OsClock clock;
  absl::Notification rang;
  Ringer late([] {});
  Ringer early([&] { rang.Notify(); });

  clock.SetAlarm(clock.NowNs() + kHourNs, &late);
  clock.SetAlarm(clock.NowNs() + kMillisecondNs, &early);
  rang.WaitForNotification();
  clock.Stop();

  CHECK(late.count() == 0);
}

TEST_CASE("a later alarm replaces one that is due") {
  OsClock clock;
  absl::Notification rang;
  Ringer early([] {});
  Ringer late([&] { rang.Notify(); });
  Ringer first([&] {  // the timer thread is here, so that neither can go off in between
    clock.SetAlarm(clock.NowNs(), &early);
    clock.SetAlarm(clock.NowNs() + kMillisecondNs, &late);
  });

  clock.SetAlarm(clock.NowNs(), &first);
  rang.WaitForNotification();
  clock.Stop();

  CHECK(early.count() == 0);
}

TEST_CASE("an alarm may be set from within the alarm") {
  OsClock clock;
  absl::Notification done;
  std::function<void()> again;
  int count = 0;
  Ringer ringer([&] { again(); });
  again = [&] {
    if (++count == 100) return done.Notify();
    clock.SetAlarm(clock.NowNs() + 1000, &ringer);
  };

  clock.SetAlarm(clock.NowNs(), &ringer);
  done.WaitForNotification();
  clock.Stop();

  CHECK(ringer.count() == 100);
}

TEST_CASE("no alarm goes off after the stop") {
  for (int64_t delay_ns = 0; delay_ns < 200'000; delay_ns += 1000) {
    std::atomic<bool> is_stopped{false};
    std::atomic<bool> was_late{false};
    Ringer ringer([&] {
      if (is_stopped) was_late = true;
    });
    OsClock clock;
    clock.SetAlarm(clock.NowNs() + delay_ns, &ringer);

    clock.Stop();
    is_stopped = true;
    clock.SetAlarm(clock.NowNs(), &ringer);

    CHECK_FALSE(was_late);
  }
}

TEST_CASE("wall time is the machine's") {
  OsClock clock;
  timespec before, after;

  clock_gettime(CLOCK_REALTIME, &before);
  int64_t wall_ns = clock.WallNs();
  clock_gettime(CLOCK_REALTIME, &after);

  CHECK(wall_ns >= before.tv_sec * 1'000'000'000 + before.tv_nsec);
  CHECK(wall_ns <= after.tv_sec * 1'000'000'000 + after.tv_nsec);
}

TEST_CASE("CPU time in small steps stays close to the kernel's") {
  OsClock clock;
  int64_t previous_ns = clock.CpuNs();

  while (KernelCpuNs() < 30 * kMillisecondNs) {
    int64_t before_ns = KernelCpuNs();
    int64_t cpu_ns = clock.CpuNs();
    int64_t after_ns = KernelCpuNs();
    REQUIRE(cpu_ns >= previous_ns);
    // 100 us of guesses, as much again until the guess is seen to be too high, and the steps
    // between.
    REQUIRE(cpu_ns >= before_ns - 300'000);
    REQUIRE(cpu_ns <= after_ns + 300'000);
    previous_ns = cpu_ns;
  }
}

TEST_CASE("CPU time does not pass while a thread waits") {
  OsClock clock;
  absl::Notification rang;
  Ringer ringer([&] { rang.Notify(); });
  int64_t cpu_ns = clock.CpuNs();

  clock.SetAlarm(clock.NowNs() + 50 * kMillisecondNs, &ringer);
  rang.WaitForNotification();

  CHECK(clock.CpuNs() - cpu_ns < 25 * kMillisecondNs);  // half of the time that passed at least
}

}  // namespace
}  // namespace skysim
