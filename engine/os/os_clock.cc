#include "engine/os/os_clock.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/log/check.h"

namespace skysim {

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

// Measured: the kernel's answer takes 450 ns, the monotonic time 24 ns. A thread that is preempted
// is away for longer than the first, and one that sleeps almost always.
constexpr int64_t kCpuGuessNsMax = 10'000;
constexpr int64_t kCpuGuessesNsMax = 100'000;  // guessed in a row

int64_t Read(clockid_t clock) {
  timespec time;
  CHECK(clock_gettime(clock, &time) == 0) << std::strerror(errno);
  return time.tv_sec * kSecondNs + time.tv_nsec;
}

// What CpuNs() knows of a thread: about the thread as such, so it is the same for every clock.
struct CpuReading {
  int64_t cpu_ns = 0;
  int64_t now_ns = -kSecondNs;     // when that was
  int64_t kernel_ns = -kSecondNs;  // when the kernel was asked
};
thread_local CpuReading last_reading;

int MakeTimer() {
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  CHECK(timer >= 0) << "timerfd_create: " << std::strerror(errno);
  return timer;
}

}  // namespace

OsClock::OsClock() : timer_(MakeTimer()), thread_([this] { Run(); }) {}

OsClock::~OsClock() {
  Stop();
  close(timer_);
}

int64_t OsClock::NowNs() const { return Read(CLOCK_MONOTONIC); }

int64_t OsClock::WallNs() const { return Read(CLOCK_REALTIME); }

int64_t OsClock::CpuNs() const {
  CpuReading& last = last_reading;
  int64_t now_ns = NowNs();
  int64_t passed_ns = now_ns - last.now_ns;
  if (passed_ns < kCpuGuessNsMax && now_ns - last.kernel_ns < kCpuGuessesNsMax) {
    last.cpu_ns += passed_ns;
  } else {
    last.cpu_ns = std::max(last.cpu_ns, Read(CLOCK_THREAD_CPUTIME_ID));
    last.kernel_ns = now_ns;
  }
  last.now_ns = now_ns;
  return last.cpu_ns;
}

void OsClock::SetAlarm(int64_t when_ns, AlarmSink* sink) {
  absl::MutexLock lock(&mutex_);
  if (is_stopping_) return;
  alarm_ns_ = when_ns;
  sink_ = sink;
  Arm(when_ns);
}

void OsClock::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    CHECK(std::this_thread::get_id() != thread_.get_id() || !thread_.joinable());
    is_stopping_ = true;
    Arm(0);
  }
  if (thread_.joinable()) thread_.join();
}

void OsClock::Run() {
  bool is_stopping = false;
  while (!is_stopping) {
    uint64_t expirations;
    if (read(timer_, &expirations, sizeof(expirations)) < 0) CHECK(errno == EINTR) << errno;
    if (AlarmSink* sink = TakeDue(&is_stopping)) sink->OnAlarm();
  }
}

// Null also if the alarm was replaced by a later one while we woke.
AlarmSink* OsClock::TakeDue(bool* is_stopping) {
  absl::MutexLock lock(&mutex_);
  *is_stopping = is_stopping_;
  if (is_stopping_ || sink_ == nullptr || NowNs() < alarm_ns_) return nullptr;
  return std::exchange(sink_, nullptr);
}

// What is past fires at once. To the kernel 0 means: never.
void OsClock::Arm(int64_t when_ns) {
  when_ns = std::max<int64_t>(when_ns, 1);
  itimerspec spec{};
  spec.it_value.tv_sec = when_ns / kSecondNs;
  spec.it_value.tv_nsec = when_ns % kSecondNs;
  CHECK(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &spec, nullptr) == 0) << std::strerror(errno);
}

}  // namespace skysim
