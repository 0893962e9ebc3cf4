#ifndef TESTS_SIMNET_SCENARIO_SCENARIO_FIXTURE_H_
#define TESTS_SIMNET_SCENARIO_SCENARIO_FIXTURE_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "catch2/catch_test_macros.hpp"
#include "simnet/memory/arena.h"
#include "simnet/scenario/run.h"
#include "simnet/storage/tree_storage.h"

namespace skysim {

// Runs scenarios that a test writes, or that are shipped, one after another.
class ScenarioFixture {
 public:
  ScenarioFixture() {
    auto arena = Arena::Create();
    REQUIRE(arena.ok());
    arena_ = *std::move(arena);
    const char* sources = std::getenv("TEST_SRCDIR");
    home_ = std::string(sources == nullptr ? "." : sources) + "/skysim";
    // The text of an error names the file as it was given: a short, fixed name.
    std::filesystem::current_path(std::getenv("TEST_TMPDIR"));
  }

  absl::StatusOr<RunResult> Run(RunOptions options) {
    options.home = home_;
    files_ = std::make_unique<HostFiles>();  // a test may have written the file anew
    return RunScenario(options, RunShared{*arena_, *files_});
  }

  // Runs `text` as the scenario file x.lua.
  absl::StatusOr<RunResult> RunText(const std::string& text, RunOptions options = {}) {
    std::ofstream("x.lua") << text;
    options.scenario_path = "x.lua";
    return Run(options);
  }

  // The error of wrong input; "" if there was none.
  std::string ErrorOf(const std::string& text, RunOptions options = {}) {
    return std::string(RunText(text, options).status().message());
  }

  // A scenario of one node `a` whose start service does nothing but answer what it is asked.
  static std::string Story(const std::string& story, const std::string& more = "") {
    return R"(local sim = require "sim"
sim.scenario "test" {
  nodes = { a = { start = "echo", cluster = "10.0.0.1:7001" },
            b = { start = "echo", cluster = "10.0.0.2:7001" } },
  services = { echo = function()
    local skynet = require "skynet"
    require "skynet.manager"
    skynet.start(function()
      skynet.dispatch("lua", function(_, _, verb, ...)
        if verb == "wait" then skynet.wait() end
        if verb == "loop" then while true do os.time() end end
        if verb == "probe" then sim.probe(...) end
        if verb == "judge" then sim.guarantee(...) end
        if verb == "sleep" then skynet.sleep(...) end
        if verb == "raise" then error(...) end
        skynet.retpack(verb, ...)
      end)
      skynet.register ".echo"
    end)
  end },
)" + more + R"(  story = function(world)
)" + story + R"(
  end,
}
)";
  }

  const std::string& home() const { return home_; }

  std::string ShippedScenario(const std::string& name) const {
    return home_ + "/scenarios/" + name + ".lua";
  }

 private:
  std::unique_ptr<Arena> arena_;
  std::unique_ptr<HostFiles> files_;
  std::string home_;
};

}  // namespace skysim

#endif  // TESTS_SIMNET_SCENARIO_SCENARIO_FIXTURE_H_
