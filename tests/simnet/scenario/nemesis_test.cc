// The nemesis and what configures it. A story's first line is line 22.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "simnet/scenario/configuration.h"
#include "simnet/trace/recorder.h"
#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

constexpr char kJoin[] = "world:nemesis():join()";

class NemesisFixture : public ScenarioFixture {
 public:
  RunResult Passed(const std::string& text, RunOptions options = {}) {
    options.keeps_events = true;
    absl::StatusOr<RunResult> result = RunText(text, options);
    INFO(result.status());
    REQUIRE(result.ok());
    INFO(result->reason);
    REQUIRE(result->verdict == Verdict::kPassed);
    return *std::move(result);
  }
};

std::string Nemesis(const std::string& fields) { return "nemesis = { " + fields + " },\n"; }

// How many faults have a text that begins so.
int CountFaults(const RunResult& result, const std::string& prefix) {
  int count = 0;
  for (const RecordedEvent& event : result.trace.events) {
    bool is_one = event.kind == EventKind::kFault && absl::StartsWith(event.text, prefix);
    count += is_one ? 1 : 0;
  }
  return count;
}

TEST_CASE_METHOD(NemesisFixture, "each family strikes, and what it did is undone when it is over") {
  const std::vector<std::string> lasting = {
      "partition", "one_way",    "hold",        "delay",         "jitter",    "loss",
      "bursts",    "split",      "throttle",    "queue",         "datagrams", "refuse",
      "crash",     "power_off",  "black_hole",  "slow_accept",   "limit_fds", "stall_sockets",
      "pause",     "slow",       "clock_drift", "forget_idle"};
  for (const std::string& family : lasting) {
    INFO(family);
    std::string lasts = "lasts = sim.uniform('100ms', '1s'), ";
    RunResult result = Passed(Story(
        std::string(kJoin) + R"(
        for _, name in ipairs { "a", "b" } do
          sim.guarantee("the nodes run", world:is_running(name))
          sim.guarantee("they answer", world:call(name, ".echo", "hi") == "hi")
        end)",
        Nemesis("time = '5s', " + family + " = { " + lasts + "rate = '4/s' }")));

    std::string text = family == "power_off" ? "crash" : family;
    int begun = CountFaults(result, "nemesis: " + text);
    int ended = CountFaults(result, "nemesis: end of " + text);
    CHECK(begun > 2);
    CHECK(ended == begun);
  }
}

TEST_CASE_METHOD(NemesisFixture, "families that undo nothing strike") {
  RunResult result = Passed(Story(R"(
    world:nemesis():join()
  )", Nemesis("time = '5s', slow_connect = { rate = '4/s' }")));
  CHECK(CountFaults(result, "nemesis: slow_connect ") > 2);

  result = Passed(Story(kJoin, Nemesis("time = '5s', clock_step = { rate = '4/s' }")));
  CHECK(CountFaults(result, "nemesis: clock_step ") > 2);

  // Without connections there is nothing to reset.
  result = Passed(Story(kJoin, Nemesis("time = '5s', reset = { rate = '4/s' }")));
  CHECK(CountFaults(result, "nemesis: reset ") == 0);
}

TEST_CASE_METHOD(NemesisFixture, "services that are named are killed, where they are") {
  RunResult result = Passed(Story(R"(
    world:nemesis():join()
    world:sleep "1s"
    sim.guarantee("the echo of b is gone", not pcall(world.call, world, "b", ".echo", "hi"))
    sim.guarantee("that of a is not", world:call("a", ".echo", "hi") == "hi")
  )", Nemesis("time = '5s', kill = { rate = '4/s', nodes = { 'b' },"
              "services = { '.echo', '.nobody' } }")));

  CHECK(CountFaults(result, "nemesis: kill .echo of b") == 1);
  CHECK(CountFaults(result, "nemesis: kill ") == 1);
}

TEST_CASE_METHOD(NemesisFixture, "a node has its declared descriptors back when the fault is over") {
  RunResult result = Passed(
      "local sim = require 'sim'\n"
      "sim.scenario 'test' { nodes = { a = { start = 'main', fds = 9 } },"
      "nemesis = { time = '2s', limit_fds = { rate = '4/s', lasts = '100ms' } },"
      "services = { main = function() local skynet = require 'skynet'"
      " skynet.start(function() end) end },"
      "story = function(world) world:nemesis():join() end }");

  CHECK(CountFaults(result, "limit a to 4 descriptors") > 2);
  CHECK(CountFaults(result, "limit a to 9 descriptors") ==
        CountFaults(result, "limit a to 4 descriptors"));
}

TEST_CASE_METHOD(NemesisFixture, "links are as they were when the faults on them are over") {
  RunResult result = Passed(Story(R"(
    world:link("a", "b"):delay("3ms")
    world:nemesis():join()
  )", Nemesis("time = '10s', rate = '8/s', delay = true, loss = true, throttle = true")));

  // The last word about each link that was touched is that it is as before.
  std::map<std::string, std::string> last;
  for (const RecordedEvent& event : result.trace.events) {
    if (event.kind != EventKind::kFault || !absl::StartsWith(event.text, "link ")) continue;
    std::string text(event.text);
    last[text.substr(0, 8)] = text.substr(9);
  }
  CHECK(last.size() == 2);
  for (const auto& [link, text] : last) CHECK(text == "as before");
}

TEST_CASE_METHOD(NemesisFixture, "stop undoes everything at once, and nothing more happens") {
  RunResult result = Passed(Story(R"(
    local nemesis = world:nemesis()
    world:wait_until(function() return not world:is_running("b") end)
    world:sleep "300ms"
    nemesis:stop()
    sim.guarantee("b runs", world:is_running("b"))
    sim.guarantee("at once", world:now() < sim.duration "100s")
    world:note "stopped"
    world:sleep "100s"
    nemesis:join()
  )", Nemesis("time = '90s', rate = '8/s', crash = { lasts = '1h', nodes = { 'b' } },"
              "partition = { lasts = '1h' }")));

  bool is_stopped = false;
  for (const RecordedEvent& event : result.trace.events) {
    is_stopped = is_stopped || event.text == "stopped";
    CHECK_FALSE((is_stopped && absl::StartsWith(event.text, "nemesis: ")));
  }
  CHECK(is_stopped);
  CHECK(CountFaults(result, "nemesis: partition") ==
        CountFaults(result, "nemesis: end of partition"));
}

TEST_CASE_METHOD(NemesisFixture, "a slow node that dies meanwhile is fast again when it is back") {
  RunResult result = Passed(Story(R"(
    world:nemesis()
    world:sleep "15s"
    world:restart("a")
    local before = world:now()
    world:call("a", ".echo", "hi")
    sim.guarantee("fast", world:now() - before < sim.duration "50ms")
  )", Nemesis("time = '10s',"
              "slow = { rate = '2/s', lasts = '1s', factor = 100000, nodes = { 'a' } },"
              "crash = { rate = '2/s', lasts = '2s', nodes = { 'a' } }")));

  CHECK(CountFaults(result, "nemesis: slow a") > 0);
  CHECK(CountFaults(result, "slow a 1 times") > 0);
}

TEST_CASE_METHOD(NemesisFixture, "only named families strike, only at the nodes that they name") {
  RunResult result = Passed(Story(kJoin, Nemesis("time = '20s', rate = '2/s',"
                                                 "crash = { nodes = { 'b' } }")));

  CHECK(CountFaults(result, "nemesis: crash b") > 2);
  CHECK(CountFaults(result, "nemesis: crash a") == 0);
  CHECK(CountFaults(result, "nemesis: hold") == 0);
}

TEST_CASE_METHOD(NemesisFixture, "without a named family all strike but those that are false") {
  absl::StatusOr<RunResult> result =
      RunText(Story(kJoin, Nemesis("time = '1s', hold = false")));
  REQUIRE(result.ok());

  nlohmann::json nemesis = nlohmann::json::parse(result->configuration)["nemesis"];
  CHECK(nemesis.contains("partition"));
  CHECK(nemesis.contains("power_off"));
  CHECK_FALSE(nemesis.contains("hold"));
  CHECK_FALSE(nemesis.contains("kill"));  // nobody has said what to kill
  // 1/s of all families together.
  CHECK(nemesis["reset"]["rate"] == absl::StrCat("1/", nemesis.size() - 1, "s"));
}

TEST_CASE_METHOD(NemesisFixture, "a run without a nemesis is configured as it is declared") {
  RunResult result = Passed(Story("", "network = { delay = sim.uniform('1ms', '2500us') },\n"));

  CHECK_FALSE(result.is_configured);
  CHECK(result.configuration ==
        "{\n"
        "  \"cpu\": \"as declared\",\n"
        "  \"nemesis\": {},\n"
        "  \"network\": {\"delay\":{\"uniform\":[\"1ms\",\"2500us\"]}},\n"
        "  \"workers\": \"as declared\"\n"
        "}\n");
}

TEST_CASE_METHOD(NemesisFixture, "the configuration that a seed draws gives the same run back") {
  const std::string text = Story(kJoin, "swarm = true,\n" + Nemesis("time = '5s', rate = '5/s'"));
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    RunOptions options;
    options.seed = seed;
    std::string printed;
    options.configured = [&](absl::string_view configuration) {
      printed = std::string(configuration);
    };
    RunResult drawn = Passed(text, options);
    CHECK(drawn.is_configured);
    CHECK(drawn.configuration == printed);
    CHECK(ConfigurationIn(drawn.trace.configuration) == printed);

    options.configuration = printed;
    RunResult given = Passed(text, options);
    CHECK(given.digest == drawn.digest);

    options.replay = &drawn.trace;
    CHECK_FALSE(Passed(text, options).divergence.has_value());
  }
}

TEST_CASE_METHOD(NemesisFixture, "swarm can be asked for from outside") {
  const std::string text = Story("");
  RunOptions options;
  options.is_swarm = true;
  int varied = 0;
  for (options.seed = 1; options.seed <= 10; ++options.seed) {
    varied += Passed(text, options).configuration != Passed(text).configuration ? 1 : 0;
  }
  CHECK(varied >= 8);
}

TEST_CASE_METHOD(NemesisFixture, "a configuration changes workers and the cost of a dispatch") {
  RunOptions options;
  options.configuration = R"({"workers": 3, "cpu": "10ms"})";
  RunResult result = Passed(Story(R"(
    local before = world:now()
    world:call("a", ".echo", "hi")
    sim.guarantee("a dispatch takes 10 ms", world:now() - before >= sim.duration "10ms")
  )"), options);

  CHECK(absl::StrContains(result.trace.configuration, "thread = 3"));
}

TEST_CASE_METHOD(NemesisFixture, "workers that the command asks for win, and are printed") {
  RunOptions options;
  options.workers = 3;
  options.is_swarm = true;
  for (options.seed = 1; options.seed <= 3; ++options.seed) {
    CHECK(absl::StrContains(Passed(Story(""), options).configuration, "\"workers\": 3\n"));
  }
}

TEST_CASE_METHOD(NemesisFixture, "only configured, a scenario does not run") {
  RunOptions options;
  options.only_configures = true;
  options.settings = {{"depth", "3"}};  // which only the story would ask for
  RunResult result = Passed(Story("error 'must not run'"), options);

  CHECK(result.dispatches == 0);
  CHECK(absl::StrContains(result.configuration, "\"workers\""));
}

// -- Mistakes ------------------------------------------------------------------------------------

TEST_CASE_METHOD(NemesisFixture, "a mistake in the declared nemesis is named with its line") {
  struct Mistake {
    std::string fields, sentence;
  };
  const Mistake mistakes[] = {
      {"earthquake = true",
       "the nemesis has no earthquake; there are: black_hole, bursts, clock_drift, clock_step, "
       "crash, datagrams, delay, forget_idle, hold, jitter, kill, limit_fds, loss, one_way, "
       "partition, pause, power_off, queue, rate, refuse, reset, slow, slow_accept, "
       "slow_connect, split, stall_sockets, throttle, time"},
      {"kill = true", "nemesis: kill: services are a list like {\".worker\"}, not nil"},
      {"kill = { services = { 7 } }", "nemesis: kill: services are a list of names, and have 7"},
      {"limit_fds = { count = 0 }", "nemesis: limit_fds: count is a number, 1 or more, not 0"},
      {"forget_idle = { resets = 2 }", "a probability looks like \"1%\" or \"1/200\", not 2"},
      {"crash = 3", "nemesis: crash is a table of its fields, true or false, not 3"},
      {"rate = 2", "nemesis: rate is like \"2/s\", \"1/10s\" or \"6/min\", not 2"},
      {"rate = '1/0s'", "nemesis: rate is like \"2/s\", \"1/10s\" or \"6/min\", not \"1/0s\""},
      {"crash = { rate = '11/s' }", "nemesis: crash: rate is at most 10/s, not \"11/s\""},
      {"time = 30", "a duration needs a unit, like \"30ms\" or \"30s\", not the number 30"},
      {"crash = { colour = 1 }",
       "nemesis: crash has no colour; it has down_max, lasts, lose_files, nodes, rate"},
      {"crash = { lasts = sim.exponential('1s', '2s') }",
       "nemesis: crash: lasts is a duration or sim.uniform(least, most)"},
      {"crash = { nodes = { 'z' } }",
       "nemesis: crash: nodes: no node is called z; there are: a, b"},
      {"crash = { nodes = {} }",
       "nemesis: crash: nodes are a list like {\"a\", \"b\"}, not an empty table"},
      {"crash = { down_max = 0 }", "nemesis: crash: down_max is a number, 1 or more, not 0"},
      {"loss = { loss = '200%' }", "a probability looks like \"1%\" or \"1/200\", not \"200%\""},
  };
  for (const Mistake& mistake : mistakes) {
    std::string error = ErrorOf(Story("", Nemesis(mistake.fields)));
    INFO(error);
    CHECK(absl::StartsWith(error, "x.lua:2: " + mistake.sentence));
  }
}

TEST_CASE_METHOD(NemesisFixture, "a mistake in a given configuration is named with its file") {
  struct Mistake {
    std::string given, sentence;
  };
  const Mistake mistakes[] = {
      {"{", "this is no JSON"},
      {R"({"threads": 2})",
       "a configuration has no threads; there are: cpu, nemesis, network, workers"},
      {R"({"workers": 2.5})",
       "workers are \"as declared\", or a number from 1 to 1024, not \"2.5\""},
      {R"({"cpu": 10})", "a duration needs a unit, like \"10ms\" or \"10s\", not the number 10"},
      {R"({"network": {"delay": "soon"}})",
       "a duration looks like \"50ms\", \"2.5s\" or \"10us\", not \"soon\""},
      {R"({"nemesis": {"crash": true}})",
       "nemesis: crash is an object of its fields, not true"},
      {R"({"nemesis": {"crash": {}}})", "nemesis: crash has no rate"},
  };
  for (const Mistake& mistake : mistakes) {
    RunOptions options;
    options.configuration = mistake.given;
    options.configuration_path = "c.json";
    CHECK(ErrorOf(Story("", Nemesis("rate = '1/s'")), options) == "c.json: " + mistake.sentence);
  }
}

TEST_CASE_METHOD(NemesisFixture, "world:nemesis without a declared one is a mistake of its line") {
  CHECK(ErrorOf(Story("world:nemesis()")) ==
        "x.lua:22: world:nemesis: the scenario declares none; its field nemesis = { ... } says "
        "what it does");
}

TEST_CASE_METHOD(NemesisFixture, "a given configuration may take the nemesis away") {
  RunOptions options;
  options.configuration = R"({"nemesis": {}})";
  RunResult result = Passed(Story(kJoin, Nemesis("rate = '5/s'")), options);

  CHECK(CountFaults(result, "nemesis") == 0);
}

TEST_CASE_METHOD(NemesisFixture, "over real sockets there is neither nemesis nor calm") {
  RunOptions options;
  options.transport = RunTransport::kTcp;
  const std::string nemesis = Nemesis("rate = '5/s'");
  CHECK(ErrorOf(Story("world:nemesis()", nemesis), options) ==
        "x.lua:23: world:nemesis needs a simulated network; --transport tcp has a real one");
  CHECK(ErrorOf(Story("world:calm_down()", nemesis), options) ==
        "x.lua:23: world:calm_down needs a simulated network; --transport tcp has a real one");
}

}  // namespace
}  // namespace skysim
