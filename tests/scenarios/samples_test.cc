// Every scenario of scenarios/samples, over a few seeds and numbers of workers.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

constexpr uint64_t kSeeds = 12;
constexpr uint64_t kSeedsPerWorkers = 3;

class SamplesFixture : public ScenarioFixture {
 public:
  std::vector<std::string> Samples() {
    const std::filesystem::path folder =
        std::filesystem::path(ShippedScenario("samples/x")).parent_path();
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".lua") names.push_back(entry.path().stem());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  // Runs `name` and adds what it saw of its allowed properties to seen_.
  void ExpectPasses(const std::string& name, uint64_t seed, int workers = 0,
                    bool any_order = false) {
    RunOptions options;
    options.any_order = any_order;
    options.scenario_path = ShippedScenario("samples/" + name);
    options.seed = seed;
    options.workers = workers;
    absl::StatusOr<RunResult> result = Run(options);
    INFO(name << " seed " << seed << " workers " << workers << ": " << result.status());
    REQUIRE(result.ok());
    INFO(result->reason);
    CHECK(result->verdict == Verdict::kPassed);
    CHECK_FALSE(result->properties.empty());
    for (const PropertyResult& property : result->properties) {
      if (property.claim != ClaimKind::kAllowed) continue;
      auto& [passed, failed] = seen_[name + ": " + property.name];
      passed += property.passed;
      failed += property.failed;
    }
  }

  // Property that both may and may not be -> how often it was, and was not.
  const std::map<std::string, std::pair<uint64_t, uint64_t>>& seen() const { return seen_; }

 private:
  std::map<std::string, std::pair<uint64_t, uint64_t>> seen_;
};

TEST_CASE_METHOD(SamplesFixture, "there are samples") { CHECK(Samples().size() >= 28); }

TEST_CASE_METHOD(SamplesFixture, "every sample passes, and shows both outcomes that it allows") {
  for (const std::string& name : Samples()) {
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) ExpectPasses(name, seed);
  }
  CHECK(seen().size() == 2);  // broken_connection, game_cluster
  for (const auto& [property, times] : seen()) {
    INFO(property);
    CHECK(times.first > 0);
    CHECK(times.second > 0);
  }
}

TEST_CASE_METHOD(SamplesFixture, "every sample passes with any order") {
  for (const std::string& name : Samples()) {
    for (uint64_t seed = 1; seed <= kSeedsPerWorkers; ++seed) ExpectPasses(name, seed, 0, true);
  }
}

TEST_CASE_METHOD(SamplesFixture, "every sample passes with 1, 2 and 8 workers") {
  for (int workers : {1, 2, 8}) {
    for (const std::string& name : Samples()) {
      for (uint64_t seed = 1; seed <= kSeedsPerWorkers; ++seed) ExpectPasses(name, seed, workers);
    }
  }
}

}  // namespace
}  // namespace skysim
