// The cases of the zoo under other numbers of workers than their nodes have; zoo_run_test runs the
// command on all of them.
#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

class ZooFixture : public ScenarioFixture {
 public:
  std::vector<std::string> Cases() const {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(home() + "/scenarios/zoo")) {
      paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }
};

TEST_CASE_METHOD(ZooFixture, "no case of the zoo fails with 1, 2, 4 and 8 workers") {
  const std::vector<std::string> cases = Cases();
  REQUIRE(cases.size() >= 10);
  for (const std::string& path : cases) {
    for (int workers : {1, 2, 4, 8}) {
      for (const char* schedule : {"random", "scripted"}) {
        RunOptions options;
        options.scenario_path = path;
        options.seed = static_cast<uint64_t>(workers);
        options.workers = workers;
        options.settings = {{"schedule", schedule}};
        absl::StatusOr<RunResult> result = Run(options);
        INFO(path << ", " << workers << " workers, " << schedule << ": " << result.status());
        REQUIRE(result.ok());
        INFO(result->reason);
        CHECK(result->verdict == Verdict::kPassed);
      }
    }
  }
}

}  // namespace
}  // namespace skysim
