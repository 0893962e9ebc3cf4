#include "simnet/scenario/configuration.h"

#include <string>

#include "absl/strings/match.h"
#include "catch2/catch_test_macros.hpp"
#include "nlohmann/json.hpp"

namespace skysim {
namespace {

using Json = nlohmann::json;

Json Declared() {
  return Json::parse(R"({
    "cpu": "as declared", "workers": "as declared", "network": {"loss": "1%"},
    "nemesis": {"crash": {"rate": "1/s"}, "hold": {"rate": "1/s"}, "time": "30s"}
  })");
}

TEST_CASE("swarm whose choices are all 0 leaves the configuration as it was declared") {
  RecordedChoices choices({});
  Json drawn = Declared();

  DrawSwarm(choices, drawn);

  CHECK(drawn == Declared());
}

TEST_CASE("swarm turns each family off for about half of the seeds, and varies the rest") {
  int crashes = 0, holds = 0, both = 0, delays = 0, workers = 0, costs = 0;
  constexpr int kSeeds = 400;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SeededChoices choices(seed, false);
    Json drawn = Declared();
    DrawSwarm(choices, drawn);

    bool has_crash = drawn["nemesis"].contains("crash");
    bool has_hold = drawn["nemesis"].contains("hold");
    crashes += has_crash ? 1 : 0;
    holds += has_hold ? 1 : 0;
    both += has_crash && has_hold ? 1 : 0;
    delays += drawn["network"].contains("delay") ? 1 : 0;
    workers += drawn["workers"] != "as declared" ? 1 : 0;
    costs += drawn["cpu"] != "as declared" ? 1 : 0;
    CHECK(drawn["nemesis"]["time"] == "30s");
    CHECK(drawn["network"]["loss"] == "1%");
  }

  // Within four standard deviations (10 of 400 halves) of what is expected.
  for (int count : {crashes, holds}) {
    CHECK(count > 160);
    CHECK(count < 240);
  }
  CHECK(both > 65);
  CHECK(both < 135);
  CHECK(delays > 250);   // 3 in 4
  CHECK(workers > 270);  // 4 in 5
  CHECK(costs > 250);    // 3 in 4
}

TEST_CASE("what is given takes the place of what is declared, entry by entry") {
  Json configuration = Declared();

  REQUIRE(GiveConfiguration(R"({"workers": 2, "nemesis": {}})", configuration).ok());

  CHECK(configuration["workers"] == 2);
  CHECK(configuration["nemesis"].empty());
  CHECK(configuration["network"]["loss"] == "1%");
}

TEST_CASE("a configuration that makes no sense is refused with one sentence") {
  struct Mistake {
    std::string given, sentence;
  };
  const Mistake mistakes[] = {
      {"{\"workers\": }", "this is no JSON"},
      {"[1]", "a configuration is an object, {...}"},
      {"{\"worker\": 1}",
       "a configuration has no worker; there are: cpu, nemesis, network, workers"},
      {"{\"nemesis\": []}", "nemesis is an object, {...}"},
      {"{\"network\": \"slow\"}", "network is an object, {...}"},
  };
  for (const Mistake& mistake : mistakes) {
    Json configuration = Declared();
    CHECK(GiveConfiguration(mistake.given, configuration).message() == mistake.sentence);
  }
}

TEST_CASE("a configuration is printed with a line for each family, and read back as it was") {
  std::string text = FormatConfiguration(Declared());

  CHECK(text ==
        "{\n"
        "  \"cpu\": \"as declared\",\n"
        "  \"nemesis\": {\n"
        "    \"crash\": {\"rate\":\"1/s\"},\n"
        "    \"hold\": {\"rate\":\"1/s\"},\n"
        "    \"time\": \"30s\"\n"
        "  },\n"
        "  \"network\": {\"loss\":\"1%\"},\n"
        "  \"workers\": \"as declared\"\n"
        "}\n");
  CHECK(Json::parse(text) == Declared());
}

TEST_CASE("the configuration is found in what a trace says") {
  std::string text = FormatConfiguration(Declared());

  CHECK(ConfigurationIn(JoinConfiguration(text, "node a ip 10.0.0.1\n  x = {\n}\n")) == text);
  CHECK(ConfigurationIn("node a ip 10.0.0.1 cpu 10000 ns\n").empty());
  CHECK(ConfigurationIn("").empty());
}

}  // namespace
}  // namespace skysim
