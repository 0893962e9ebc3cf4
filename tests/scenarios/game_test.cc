// scenarios/game and the order contract, over many seeds: what is careful passes, what is careless
// is found.
#include <cstdint>
#include <map>
#include <string>

#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

constexpr uint64_t kSeeds = 40;        // of each example; a thousand pass
constexpr uint64_t kSeedsNaive = 200;  // among which the careless variant fails

class GameFixture : public ScenarioFixture {
 public:
  RunResult RunSeed(const std::string& name, uint64_t seed, bool is_naive = false, int workers = 0,
                    const std::string& legacy = "") {
    RunOptions options;
    options.scenario_path = ShippedScenario(name);
    options.seed = seed;
    options.workers = workers;
    if (is_naive) options.settings = {{"naive", "true"}};
    if (!legacy.empty()) options.legacy = {legacy};
    absl::StatusOr<RunResult> result = Run(options);
    INFO(name << " seed " << seed << ": " << result.status());
    REQUIRE(result.ok());
    return *std::move(result);
  }

  void ExpectPasses(const std::string& name) {
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      RunResult result = RunSeed(name, seed, /*is_naive=*/false, seed % 4 == 0 ? 4 : 0);
      INFO(name << " seed " << seed << ": " << result.reason);
      CHECK(result.verdict == Verdict::kPassed);
      for (const PropertyResult& property : result.properties) {
        passed_[property.name] += property.passed;
        broken_[property.name] += property.failed;
      }
    }
  }

  // Each story gets to what it claims.
  void ExpectAllJudged() {
    for (const auto& [property, count] : passed_) {
      INFO(property);
      CHECK(count + broken_[property] > 0);
    }
  }

  // The naive variant fails, and with the property of `claim`.
  void ExpectFindsNaive(const std::string& name, const std::string& claim) {
    for (uint64_t seed = 1; seed <= kSeedsNaive; ++seed) {
      RunResult result = RunSeed(name, seed, /*is_naive=*/true);
      if (result.verdict != Verdict::kFailed) continue;
      INFO(name << " seed " << seed << ": " << result.reason);
      CHECK(result.reason.find("guarantee \"" + claim + "\" failed") == 0);
      return;
    }
    FAIL(name << " with naive=true passes for all seeds");
  }

  uint64_t broken(const std::string& property) { return broken_[property]; }

 private:
  std::map<std::string, uint64_t> passed_, broken_;
};

TEST_CASE_METHOD(GameFixture, "a player has one session, and not if a gate opens what is void") {
  ExpectPasses("game/one_session");
  ExpectAllJudged();
  ExpectFindsNaive("game/one_session", "one session per player");
}

TEST_CASE_METHOD(GameFixture, "an order is granted once, and not if the bag keeps no book") {
  ExpectPasses("game/granted_once");
  ExpectAllJudged();
  ExpectFindsNaive("game/granted_once", "what is owed is granted once");
}

TEST_CASE_METHOD(GameFixture, "gold is conserved, and not if a failed call gives it back") {
  ExpectPasses("game/conserved");
  ExpectAllJudged();
  ExpectFindsNaive("game/conserved", "no currency is made");
}

TEST_CASE_METHOD(GameFixture, "a hand-off keeps order, and not if a room takes what comes") {
  ExpectPasses("game/hand_off");
  ExpectAllJudged();
  ExpectFindsNaive("game/hand_off", "commands are carried out in order, each once");
}

TEST_CASE_METHOD(GameFixture, "a store is linearizable, and not if the copy is read") {
  ExpectPasses("linearizable");
  ExpectAllJudged();
  ExpectFindsNaive("linearizable", "history prices is linearizable");
}

TEST_CASE_METHOD(GameFixture, "promised order is kept where usual order is broken") {
  ExpectPasses("order_contract");

  CHECK(broken("order of notices: large request, then small request") > 0);
  CHECK(broken("order of notices: reply, then request") > 0);
  CHECK(broken("order of notices: small request, then request") == 0);
}

TEST_CASE_METHOD(GameFixture, "promised order is broken if each request has its own connection") {
  int failures = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    RunResult result = RunSeed("order_contract", seed, false, 0, "connect-per-request");
    if (result.verdict != Verdict::kFailed) continue;
    CHECK(result.reason.find("guarantee \"order of notices: small request, then request\"") == 0);
    ++failures;
  }
  CHECK(failures > 0);
}

}  // namespace
}  // namespace skysim
