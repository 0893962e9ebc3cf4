#include "engine/os/monitor.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/notification.h"
#include "catch2/catch_test_macros.hpp"
#include "tests/engine/core/fake_platform.h"

namespace skysim {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

class ThreadSafeClock final : public Clock {
 public:
  std::atomic<int64_t> now_ns{0};

  int64_t NowNs() const override { return now_ns; }
  int64_t WallNs() const override { return now_ns; }
  int64_t CpuNs() const override { return now_ns; }
  void SetAlarm(int64_t, AlarmSink*) override {}
};

class NullObserver final : public Observer {
 public:
  uint64_t Record(const Event&) override { return 0; }
};

// A node on one real worker, with a log service (handle 1) and a service (handle 2) that stays in
// its first dispatch until the test lets it go. The test is the watch thread.
struct StuckNode {
  StuckNode() : pool(1) {
    Platform platform{clock,        pool,     fake.transport, fake.entropy,
                      fake.storage, observer, fake.memory};
    Node::Options options;
    options.config.entries = {{"harbor", "1"}, {"logservice", "log"}, {"bootstrap", "stuck"}};
    REQUIRE(options.config.Complete().ok());
    for (const char* name : {"log", "stuck"}) {
      options.modules[name] = [this, name] { return std::make_unique<TestService>(scripts[name]); };
    }
    scripts["stuck"].handle = [this](ServiceContext&, const Seen&) {
      if (is_stuck.HasBeenNotified()) return;
      is_stuck.Notify();
      may_end.WaitForNotification();
    };
    scripts["log"].handle = [this](ServiceContext&, const Seen& line) {
      if (line.bytes == "the end") has_logged_all.Notify();
    };
    node = std::make_unique<Node>(platform, std::move(options));
    REQUIRE(node->Boot().ok());
    monitor = std::make_unique<Monitor>(pool, *node, clock);
    pool.Start(nullptr);
  }
  ~StuckNode() {
    if (!may_end.HasBeenNotified()) may_end.Notify();
    pool.Stop();
  }

  void SendToStuck() {
    Message message;
    message.source = 0x01000abc;
    message.type = MessageType::kLua;
    node->Send(0x01000002, std::move(message));
  }
  void LookAt(int64_t now_ns) {
    clock.now_ns = now_ns;
    monitor->OnWatch();
  }
  ServiceContext& stuck() { return *scripts["stuck"].context; }

  // What was logged about loops. Ends the node.
  std::vector<std::string> Reports() {
    may_end.Notify();
    node->Log(0, "the end");
    has_logged_all.WaitForNotification();
    pool.Stop();
    std::vector<std::string> reports;
    for (const Seen& line : scripts["log"].seen) {
      if (absl::StrContains(line.bytes, "endless")) reports.push_back(line.bytes);
    }
    return reports;
  }

  FakePlatform fake;
  ThreadSafeClock clock;
  NullObserver observer;
  std::map<std::string, TestService::Script> scripts;
  absl::Notification is_stuck, may_end, has_logged_all;
  WorkerPool pool;
  std::unique_ptr<Node> node;
  std::unique_ptr<Monitor> monitor;
};

TEST_CASE("a dispatch seen at two looks is named and its service marked, once in 5 s") {
  StuckNode fixture;
  fixture.SendToStuck();
  fixture.is_stuck.WaitForNotification();
  std::string line = absl::StrFormat(
      "error: A message from [ :01000abc ] to [ :01000002 ] maybe in an endless "
      "loop (version = %d)",
      fixture.pool.FindTurn(0).version);

  fixture.LookAt(5 * kSecondNs);  // seen for the first time
  CHECK_FALSE(fixture.stuck().TakeEndless());
  fixture.LookAt(10 * kSecondNs - 1);
  CHECK_FALSE(fixture.stuck().TakeEndless());
  fixture.LookAt(10 * kSecondNs);
  CHECK(fixture.stuck().TakeEndless());
  fixture.LookAt(10 * kSecondNs + 1);
  fixture.LookAt(15 * kSecondNs - 1);
  CHECK_FALSE(fixture.stuck().TakeEndless());
  fixture.LookAt(15 * kSecondNs);
  CHECK(fixture.stuck().TakeEndless());

  CHECK(fixture.Reports() == std::vector<std::string>{line, line});
}

TEST_CASE("a worker that does nothing for long is not in a loop") {
  StuckNode fixture;

  for (int i = 1; i <= 4; ++i) fixture.LookAt(i * 5 * kSecondNs);

  CHECK(fixture.Reports().empty());
}

TEST_CASE("a dispatch that began after the last look is not in a loop yet") {
  StuckNode fixture;
  fixture.LookAt(100 * kSecondNs);
  fixture.SendToStuck();
  fixture.is_stuck.WaitForNotification();

  fixture.LookAt(105 * kSecondNs);

  CHECK_FALSE(fixture.stuck().TakeEndless());
  CHECK(fixture.Reports().empty());
}

TEST_CASE("a looping service that was killed is still named") {
  StuckNode fixture;
  fixture.SendToStuck();
  fixture.is_stuck.WaitForNotification();
  fixture.LookAt(5 * kSecondNs);

  fixture.node->Retire(0x01000002, 0, 0);
  fixture.LookAt(10 * kSecondNs);

  CHECK(fixture.Reports().size() == 1);
}

}  // namespace
}  // namespace skysim
