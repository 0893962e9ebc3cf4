// The phase of calm behind the faults: what it heals, and what it says of those that still wait.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "simnet/trace/recorder.h"
#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

// Node a calls node b over the cluster, and locally; b answers, or never does.
std::string Cluster(const std::string& story) {
  return R"(local sim = require "sim"
sim.scenario "test" {
  nodes = { a = { start = "client", cluster = "10.0.0.1:7001" },
            b = { start = "server", cluster = "10.0.0.2:7001" } },
  services = {
    client = function()
      local skynet = require "skynet"
      require "skynet.manager"
      local cluster = require "skynet.cluster"
      local command = {}
      function command.ask(...) return cluster.call("b", ".server", ...) end
      function command.fork(...)
        local arguments = { ... }
        skynet.fork(function()
          local ok = pcall(command.ask, table.unpack(arguments))
          sim.probe("ended", ok)
        end)
      end
      function command.again(...)
        local arguments = { ... }
        skynet.fork(function()
          pcall(command.ask, table.unpack(arguments))
          command.ask("hang")
        end)
      end
      function command.idle() skynet.fork(function() skynet.wait() end) end
      function command.data()
        skynet.fork(function() require("skynet.datacenter").wait("nothing") end)
      end
      skynet.start(function()
        skynet.dispatch("lua", function(_, _, name, ...) skynet.retpack(command[name](...)) end)
        skynet.register ".client"
      end)
    end,
    server = function()
      local skynet = require "skynet"
      require "skynet.manager"
      skynet.start(function()
        skynet.dispatch("lua", function(_, _, verb, cs)
          sim.probe("heard", verb)
          if verb == "hang" then skynet.wait() end
          if verb == "sleep" then skynet.sleep(cs) end
          skynet.retpack(verb)
        end)
        skynet.register ".server"
        require("skynet.cluster").open "b"
      end)
    end,
  },
  story = function(world)
    local function ask(...) world:call("a", ".client", "fork", ...) end
    local function heard(count)
      world:wait_until(function() return #world:probes "heard" == (count or 1) end)
    end
    local function ended() return #world:probes "ended" end
)" + story + "\n  end,\n}\n";
}

class CalmFixture : public ScenarioFixture {
 public:
  RunResult RunStory(const std::string& story) {
    RunOptions options;
    options.keeps_events = true;
    absl::StatusOr<RunResult> result = RunText(Cluster(story), options);
    INFO(result.status());
    REQUIRE(result.ok());
    return *std::move(result);
  }
  void ExpectPasses(const std::string& story) {
    RunResult result = RunStory(story);
    INFO(result.reason);
    CHECK(result.verdict == Verdict::kPassed);
  }
};

TEST_CASE_METHOD(CalmFixture, "calm waits until the calls that are open have ended") {
  ExpectPasses(R"(
    ask("sleep", 3000)
    heard()
    sim.guarantee("all", world:calm_down() == true)
    sim.guarantee("ended", sim.equal(1, ended()))
  )");
}

TEST_CASE_METHOD(CalmFixture, "a call that does not end is a failure that says who, on whom, since "
                              "when and where") {
  RunResult result = RunStory(R"(
    ask("hang")
    heard()
    world:sleep "2s"
    sim.guarantee("not all", world:calm_down { within = "60s", name = "all end" } == false)
  )");

  CHECK(result.verdict == Verdict::kFailed);
  CHECK(absl::StartsWith(result.reason, "liveness \"all end\" failed at 62."));
  CHECK(absl::EndsWith(result.reason, ": 1 still waits after 60s"));
  const PropertyResult& property = result.properties[0];
  CHECK(property.claim == ClaimKind::kLiveness);
  INFO(property.detail);
  CHECK(absl::StrContains(property.detail, "\n  a :00000008 client: waits for reply of :0000000"));
  CHECK(absl::StrContains(property.detail, " (clustersender b "));
  CHECK(absl::StrContains(property.detail, "), since "));
  CHECK(absl::StrContains(property.detail, "x.lua:15"));  // where command.fork asks
}

TEST_CASE_METHOD(CalmFixture, "a call that hangs after one that ended is found, too") {
  RunResult result = RunStory(R"(
    world:call("a", ".client", "again", "sleep", 100)
    heard()
    world:calm_down { within = "60s" }
  )");

  CHECK(result.verdict == Verdict::kFailed);
}

TEST_CASE_METHOD(CalmFixture, "calm heals partitions, holds and rules, and starts what is down") {
  ExpectPasses(R"(
    ask("sleep", 1)
    heard()
    world:wait_until(function() return ended() == 1 end)
    world:partition { { "a" }, { "b" } }
    world:link("b", "a"):hold()
    world:refuse("a", "b")
    ask("hi")
    world:sleep "5s"
    world:crash("b")
    world:calm_down()
    sim.guarantee("ended", sim.equal(2, ended()))
    sim.guarantee("runs", world:is_running("b"))
    sim.guarantee("answers", world:call("a", ".client", "ask", "hi") == "hi")
  )");
}

// The caller only waits: it sends nothing that the new life of b could refuse.
constexpr char kPowerOff[] = R"(
    ask("hang")
    heard()
    world:sleep "1s"
    world:crash("b", { power_off = true })
    world:sleep "1s"
)";

TEST_CASE_METHOD(CalmFixture, "a call to a node that lost its power ends as by a keepalive") {
  ExpectPasses(absl::StrCat(kPowerOff, R"(
    world:calm_down { within = "10s" }
    sim.guarantee("raised", sim.equal(false, world:probes "ended"[1][1]))
  )"));
}

TEST_CASE_METHOD(CalmFixture, "without the reset it waits for ever, and calm says so") {
  RunResult result = RunStory(absl::StrCat(kPowerOff, R"(
    world:calm_down { within = "1000s", reset = false }
  )"));

  CHECK(result.verdict == Verdict::kFailed);
  CHECK(absl::StrContains(result.properties[0].detail, "(clustersender b "));
}

TEST_CASE_METHOD(CalmFixture, "what waits by design is not asked about, unless it is named") {
  const std::string idle = R"(
    world:call("a", ".client", "idle")
    world:call("a", ".client", "data")
  )";
  ExpectPasses(idle + R"(world:calm_down { within = "1s" })");
  ExpectPasses(idle + R"(
    ask("hang")
    heard()
    world:calm_down { within = "1s", excuse = { "client" } }
  )");
  RunResult named = RunStory(idle + R"(world:calm_down { within = "1s", also = { "client" } })");
  CHECK(named.verdict == Verdict::kFailed);
  CHECK(absl::StrContains(named.properties[0].detail, "waits for wakeup"));
}

TEST_CASE_METHOD(CalmFixture, "a call of the story counts") {
  RunResult result = RunStory(R"(
    world:spawn(function() world:call("b", ".server", "hang") end)
    heard()
    world:calm_down { within = "1s" }
  )");

  CHECK(result.verdict == Verdict::kFailed);
  CHECK(absl::StrContains(result.properties[0].detail, "the story x.lua: waits for reply of b"));
}

TEST_CASE_METHOD(CalmFixture, "a random core keeps at least one node, and those that must stay") {
  bool has_seen_down = false, has_seen_both = false;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RunOptions options;
    options.seed = seed;
    absl::StatusOr<RunResult> result = RunText(Cluster(R"(
      world:calm_down { core = "random" }
      local a, b = world:is_running("a"), world:is_running("b")
      sim.guarantee("somebody", a or b)
      sim.sometimes("both", a and b)
      world:calm_down { core = "random", keep = { "a" } }
      sim.guarantee("a is kept", world:is_running("a"))
    )"), options);
    REQUIRE(result.ok());
    INFO(result->reason);
    CHECK(result->verdict == Verdict::kPassed);
    for (const PropertyResult& property : result->properties) {
      if (property.name != "both") continue;
      has_seen_both = has_seen_both || property.passed > 0;
      has_seen_down = has_seen_down || property.failed > 0;
    }
  }
  CHECK(has_seen_both);
  CHECK(has_seen_down);
}

TEST_CASE_METHOD(CalmFixture, "calm lets a stopped process go on, and a slow one be fast") {
  ExpectPasses(R"(
    world:slow("a", 1000)
    world:pause("b")
    ask("hi")
    world:calm_down()
    sim.guarantee("ended", sim.equal(1, ended()))
    local before = world:now()
    sim.guarantee("answers", world:call("a", ".client", "ask", "hi") == "hi")
    sim.guarantee("fast", world:now() - before < sim.duration "50ms")
  )");
}

TEST_CASE_METHOD(CalmFixture, "calm without restart leaves down what is down") {
  ExpectPasses(R"(
    world:crash("b")
    world:calm_down { restart = false }
    sim.guarantee("down", not world:is_running("b"))
  )");
}

TEST_CASE_METHOD(CalmFixture, "what calm cannot be told is named with its line") {
  struct Mistake {
    std::string how, sentence;
  };
  const Mistake mistakes[] = {
      {"5", "world:calm_down takes a table of fields, not a number"},
      {"{ soon = true }",
       "world:calm_down has no soon; it has also, core, excuse, keep, name, reset, restart, "
       "within"},
      {"{ within = 5 }", "world:calm_down: within is a string, not a number"},
      {"{ within = 'soon' }",
       "a duration looks like \"50ms\", \"2.5s\" or \"10us\", not \"soon\""},
      {"{ core = 'most' }", "world:calm_down: core is \"all\" or \"random\", not \"most\""},
      {"{ excuse = { 1 } }", "world:calm_down: excuse is a list of names, and has a number"},
      {"{ keep = { 'z' } }", "no node is called z; there are: a, b"},
  };
  for (const Mistake& mistake : mistakes) {
    CHECK(ErrorOf(Story("world:calm_down(" + mistake.how + ")")) ==
          "x.lua:22: " + mistake.sentence);
  }
}

}  // namespace
}  // namespace skysim
