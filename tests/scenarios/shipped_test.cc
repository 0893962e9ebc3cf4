// Every shipped scenario, over fifty seeds, and with any order, but for those of the zoo:
// zoo_test.cc.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

class ShippedFixture : public ScenarioFixture {
 public:
  RunResult RunSeed(const std::string& name, uint64_t seed, RunOptions options = {}) {
    options.scenario_path = ShippedScenario(name);
    options.seed = seed;
    absl::StatusOr<RunResult> result = Run(options);
    INFO(name << " seed " << seed << ": " << result.status());
    REQUIRE(result.ok());
    return *std::move(result);
  }

  void ExpectPasses(const std::string& name, uint64_t seeds, const RunOptions& options = {}) {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      RunResult result = RunSeed(name, seed, options);
      INFO(name << " seed " << seed << " workers " << options.workers << ": " << result.reason);
      CHECK(result.verdict == Verdict::kPassed);
      for (const PropertyResult& property : result.properties) {
        if (property.claim != ClaimKind::kAllowed) continue;
        seen_[property.name].first += property.passed;
        seen_[property.name].second += property.failed;
      }
    }
  }

  void ExpectBothSeen(const std::string& property) {
    INFO(property);
    CHECK(seen_[property].first > 0);
    CHECK(seen_[property].second > 0);
  }

  // Of `seeds` runs.
  int CountFailures(const std::string& name, uint64_t seeds, const RunOptions& options = {}) {
    int failures = 0;
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      failures += RunSeed(name, seed, options).verdict == Verdict::kFailed ? 1 : 0;
    }
    return failures;
  }

 private:
  std::map<std::string, std::pair<uint64_t, uint64_t>> seen_;
};

const std::vector<std::string>& Guarantees() {
  static const std::vector<std::string> names = {"partition_heal", "crash_restart",
                                                 "harbor_and_cluster", "harbor_calls",
                                                 "harbor_first_bytes", "harbor_id_is_final",
                                                 "harbor_joining", "harbor_master_lost",
                                                 "harbor_multicast", "harbor_names",
                                                 "harbor_partition",
                                                 "harbor_slave_crash"};
  return names;
}

TEST_CASE_METHOD(ShippedFixture, "every guarantee holds for fifty seeds") {
  for (const std::string& name : Guarantees()) ExpectPasses(name, 50);
}

TEST_CASE_METHOD(ShippedFixture, "every guarantee holds with 1, 2, 4 and 8 workers") {
  RunOptions options;
  for (int workers : {1, 2, 4, 8}) {
    options.workers = workers;
    for (const std::string& name : Guarantees()) ExpectPasses(name, 5, options);
  }
}

TEST_CASE_METHOD(ShippedFixture, "every guarantee holds with any order") {
  RunOptions any_order;
  any_order.any_order = true;
  for (const std::string& name : Guarantees()) ExpectPasses(name, 5, any_order);
}

// What was sent and seen, but for the bytes: a packed table shows the order of its keys.
std::vector<RecordedEvent> EventsOf(const RunResult& result) {
  std::vector<RecordedEvent> events(result.trace.events.begin(), result.trace.events.end());
  for (RecordedEvent& event : events) event.bytes_hash = 0;
  return events;
}

TEST_CASE_METHOD(ShippedFixture, "what the services of skysim send shows no order of a table") {
  RunOptions usual, any_order;
  usual.keeps_events = any_order.keeps_events = true;
  any_order.any_order = true;
  for (const char* name : {"crash_restart", "partition_heal", "zoo/P03_relay_unresolved",
                           "harbor_calls", "harbor_multicast", "harbor_names",
                           "harbor_slave_crash"}) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      INFO(name << " seed " << seed);
      const bool is_same = EventsOf(RunSeed(name, seed, usual)) ==
                           EventsOf(RunSeed(name, seed, any_order));
      CHECK(is_same);
    }
  }
}

TEST_CASE_METHOD(ShippedFixture, "a reply and a push come in both orders") {
  ExpectPasses("zoo/P05_reply_and_push", 50);
  ExpectBothSeen("the push comes before the reply");
}

TEST_CASE_METHOD(ShippedFixture, "a large message and a small one come in both orders") {
  ExpectPasses("zoo/P06_large_overtaken", 20);
  ExpectBothSeen("a small message overtakes a large one");
}

TEST_CASE_METHOD(ShippedFixture, "issue 587 with two replies is seen with any order only") {
  RunOptions two;
  two.legacy = {"wakeup-unordered"};
  two.settings = {{"replies", "2"}, {"order", "reversed"}, {"schedule", "scripted"}};
  RunOptions two_in_any_order = two;
  two_in_any_order.any_order = true;
  RunOptions mended = two_in_any_order;
  mended.legacy.clear();

  CHECK(CountFailures("zoo/P01_wake_order", 30, two) == 0);
  CHECK(CountFailures("zoo/P01_wake_order", 30, two_in_any_order) > 5);
  CHECK(CountFailures("zoo/P01_wake_order", 30, mended) == 0);
}

TEST_CASE_METHOD(ShippedFixture, "the canary fails on a seed in about a hundred") {
  int failures = CountFailures("canary", 400);
  CHECK(failures > 0);
  CHECK(failures < 15);
}

}  // namespace
}  // namespace skysim
