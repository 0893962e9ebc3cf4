#include "simnet/scenario/legacy.h"

#include <filesystem>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

using Place = LegacySwitch::Place;

class LegacyFixture : public ScenarioFixture {
 public:
  Verdict VerdictOf(const std::string& text, const std::string& legacy) {
    RunOptions options;
    if (!legacy.empty()) options.legacy = {legacy};
    absl::StatusOr<RunResult> result = RunText(text, options);
    INFO(result.status());
    REQUIRE(result.ok());
    return result->verdict;
  }
};

TEST_CASE("every legacy switch has a name of its own and one place") {
  std::set<std::string> names;
  for (const LegacySwitch& known : AllLegacySwitches()) {
    INFO(known.name);
    CHECK(names.insert(known.name).second);
    CHECK((known.field != nullptr) == (known.place == Place::kEngine));
    CHECK(!absl::EndsWith(known.what, "."));
  }
  CHECK(names.size() > 3);
}

TEST_CASE_METHOD(LegacyFixture, "every legacy switch of the library has its file") {
  std::set<std::string> files, expected;
  for (const auto& entry : std::filesystem::directory_iterator(home() + "/lualib/sim/legacy")) {
    files.insert(entry.path().stem().string());
  }
  for (const LegacySwitch& known : AllLegacySwitches()) {
    if (known.place != Place::kLibrary) continue;
    expected.insert(absl::StrReplaceAll(known.name, {{"-", "_"}}));
  }
  CHECK(files == expected);
}

TEST_CASE("the nodes are given the fields of the engine and the names of the library") {
  Legacy legacy = MakeLegacy({"relay-race", "fork-unordered", "connect-per-request"});

  CHECK(legacy.forks_unordered);
  CHECK(!legacy.wakes_unordered);
  CHECK(legacy.patches == "relay-race,connect-per-request");
}

TEST_CASE_METHOD(LegacyFixture, "the story and its services can ask for a switch") {
  const std::string story = Story(R"(
    world:call("a", ".echo", "judge", "off in the service",
      not world:call("a", ".echo", "legacy", "relay-race"))
    sim.guarantee("off in the story", not sim.legacy "relay-race")
  )");
  const std::string asking =
      absl::StrReplaceAll(story, {{"skynet.retpack(verb, ...)",
                                   "if verb == 'legacy' then verb = sim.legacy(...) end "
                                   "skynet.retpack(verb, ...)"}});

  CHECK(VerdictOf(asking, "") == Verdict::kPassed);
  CHECK(VerdictOf(asking, "relay-race") == Verdict::kFailed);
  CHECK(VerdictOf(asking, "fork-unordered") == Verdict::kPassed);
}

TEST_CASE_METHOD(LegacyFixture, "a switch that there is not is named where it is asked for") {
  CHECK(absl::StartsWith(ErrorOf(Story("sim.legacy 'race'")),
                         "x.lua:22: legacy race: there is no such switch; there are: wakeup-"));
  CHECK(absl::StartsWith(ErrorOf(Story("", "legacy = 'race',")),
                         "x.lua:2: legacy race: there is no such switch; there are: wakeup-"));
}

TEST_CASE_METHOD(LegacyFixture, "a config cannot put a bug of the past back") {
  const std::string story = absl::StrReplaceAll(
      Story("sim.guarantee('none', world:call('a', '.echo', 'env', 'sim_legacy') == nil)"),
      {{"cluster = \"10.0.0.1:7001\"",
        "cluster = \"10.0.0.1:7001\", config = { sim_legacy = 'relay-race' }"},
       {"skynet.retpack(verb, ...)",
        "if verb == 'env' then return skynet.retpack(skynet.getenv(...)) end "
        "skynet.retpack(verb, ...)"}});

  CHECK(VerdictOf(story, "") == Verdict::kPassed);
}

}  // namespace
}  // namespace skysim
