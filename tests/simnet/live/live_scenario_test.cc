// Scenarios on worker threads and loopback sockets (--transport tcp).
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

class LiveFixture : public ScenarioFixture {
 public:
  static RunOptions Tcp() {
    RunOptions options;
    options.transport = RunTransport::kTcp;
    options.virtual_ns_max = 60 * kSecondNs;
    return options;
  }

  RunResult Played(const std::string& text, RunOptions options = Tcp()) {
    absl::StatusOr<RunResult> result = RunText(text, options);
    INFO(result.status());
    REQUIRE(result.ok());
    return *std::move(result);
  }

  void ExpectPasses(const std::string& text) {
    RunResult result = Played(text);
    INFO(result.reason);
    CHECK(result.verdict == Verdict::kPassed);
  }

  // The error of a story that does `verb` in its second line.
  std::string VerbError(const std::string& verb) {
    return ErrorOf(Story(verb), Tcp());
  }

  Verdict VerdictOf(const std::string& shipped, RunTransport transport) {
    RunOptions options = Tcp();
    options.transport = transport;
    options.scenario_path = ShippedScenario(shipped);
    absl::StatusOr<RunResult> result = Run(options);
    INFO(shipped << ": " << result.status());
    REQUIRE(result.ok());
    INFO(result->reason);
    CHECK(result->verdict == Verdict::kPassed);
    return result->verdict;
  }
};

TEST_CASE_METHOD(LiveFixture, "shipped scenarios without faults of the network judge the same") {
  for (const char* name :
       {"crash_restart", "zoo/P06_large_overtaken", "zoo/P03_relay_unresolved", "zoo/P05_reply_and_push"}) {
    CHECK(VerdictOf(name, RunTransport::kTcp) == VerdictOf(name, RunTransport::kSimulated));
  }
}

TEST_CASE_METHOD(LiveFixture, "calls, probes and handlers go between the story and threads") {
  ExpectPasses(Story(R"(
    local heard = {}
    world:on("sale", function(probe) heard[#heard + 1] = probe[1] end)
    for i = 1, 50 do
      sim.guarantee("echo", sim.equal({ "hi", i }, { world:call(i % 2 == 0 and "a" or "b", ".echo", "hi", i) }))
      world:call("a", ".echo", "probe", "sale", i)
    end
    world:wait_until(function() return #heard == 50 end, "10s")
    sim.guarantee("all heard in order", heard[1] == 1 and heard[50] == 50)
    sim.guarantee("where", sim.equal("a", world:probes "sale"[7].node))
    sim.guarantee("times grow", world:probes "sale"[1].time <= world:probes "sale"[50].time)
  )"));
}

TEST_CASE_METHOD(LiveFixture, "a probe is of the life in which it was made, however late it is told") {
  ExpectPasses(Story(R"(
    local lives = {}
    world:on("life", function(probe) lives[probe[1]] = probe.start end)
    local spins = 10000
    for round = 1, 6 do
      world:send("a", ".echo", "probe", "life", round)
      for _ = 1, spins do end  -- the story is not told meanwhile
      spins = 4 * spins
      world:restart "a"
      sim.guarantee("that life", lives[round] == nil or lives[round] == round, "%s", lives[round])
    end
    sim.guarantee("somebody lived", next(lives) ~= nil)
  )"));
}

TEST_CASE_METHOD(LiveFixture, "a property that a service judges counts") {
  RunResult result = Played(
      Story(R"(world:call("b", ".echo", "judge", "stock", false, "left %d", -1))"));
  CHECK(result.verdict == Verdict::kFailed);
  REQUIRE(result.properties.size() == 1);
  CHECK(result.properties[0].detail == "left -1");
}

TEST_CASE_METHOD(LiveFixture, "a call that raises fails the run, unless somebody catches it") {
  RunResult result = Played(Story(R"(world:call("a", ".echo", "raise", "no"))"));
  CHECK(result.verdict == Verdict::kFailed);
  CHECK(absl::EndsWith(result.reason, "call a .echo: call failed"));
  ExpectPasses(Story(R"(
    sim.guarantee("raised", not pcall(world.call, world, "a", ".echo", "raise", "no"))
  )"));
}

TEST_CASE_METHOD(LiveFixture, "the time limit ends a run and lists what still waits") {
  RunOptions options = Tcp();
  options.virtual_ns_max = kSecondNs / 4;
  RunResult result;
  do {  // on a slow machine time is up before the story has begun
    options.virtual_ns_max *= 2;
    result = Played(Story(R"(world:call("a", ".echo", "wait"))"), options);
    REQUIRE(result.verdict == Verdict::kLimit);
  } while (result.waiting.size() < 2 && options.virtual_ns_max < 60 * kSecondNs);

  CHECK(absl::StrContains(result.reason, absl::StrFormat("more than %.3f s",
                                                         1e-9 * options.virtual_ns_max)));
  REQUIRE(result.waiting.size() == 2);
  CHECK(result.waiting[0].node == "story");
  CHECK(result.waiting[1].node == "a");
  CHECK(absl::StrContains(result.waiting[1].stack, "x.lua:"));
}

TEST_CASE_METHOD(LiveFixture, "an endless loop ends with the run") {
  RunOptions options = Tcp();
  options.virtual_ns_max = kSecondNs / 5;
  RunResult result = Played(Story(R"(world:call("a", ".echo", "loop"))"), options);
  CHECK(result.verdict == Verdict::kLimit);
}

TEST_CASE_METHOD(LiveFixture, "a start service that fails fails the run with its reason") {
  RunResult result = Played(R"(
    local sim = require "sim"
    sim.scenario "never told" {
      nodes = { a = { start = "broken" } },
      services = { broken = function()
        require("skynet").start(function() error "no database" end)
      end },
      story = function() error "must not begin" end,
    })");
  CHECK(result.verdict == Verdict::kFailed);
  CHECK(absl::StartsWith(result.reason, "node a: its start service broken failed: "));
}

TEST_CASE_METHOD(LiveFixture, "settings reach the story and the services") {
  RunOptions options = Tcp();
  options.settings = {{"level", "7"}};
  RunResult result = Played(R"(
    local sim = require "sim"
    sim.scenario "settings" {
      nodes = { a = { start = "main" } },
      services = { main = function()
        require("skynet").start(function() sim.probe("level", sim.setting("level", 1)) end)
      end },
      story = function(world)
        sim.guarantee("seven", sim.equal(7, world:probes "level"[1][1]))
      end,
    })", options);
  CHECK(result.verdict == Verdict::kPassed);

  options.settings = {{"lavel", "7"}};
  CHECK(absl::StrContains(ErrorOf(Story(""), options), "no setting is called lavel"));
}

// -- The network -----------------------------------------------------------------------------------

// Two nodes that listen on the same port; `a` connects to `to` and tells what it sees.
std::string Connecting(const std::string& to) {
  return absl::StrCat(R"(
    local sim = require "sim"
    sim.scenario "connect" {
      nodes = { a = { start = "main", ip = "10.0.0.1" }, b = { start = "main", ip = "10.0.0.2" } },
      services = { main = function()
        local skynet = require "skynet"
        local socket = require "skynet.socket"
        require "skynet.manager"
        skynet.start(function()
          local listener = socket.listen("0.0.0.0", 7000)
          socket.start(listener, function(id, address)
            sim.probe("accepted", (address:match "^(.*):%d+$"))
            socket.start(id)
            socket.write(id, "hello\n")
            socket.close(id)
          end)
          skynet.dispatch("lua", function(_, _, host)
            local id = socket.open(host, 7000)
            skynet.retpack(id and socket.readline(id))
          end)
          skynet.register ".main"
        end)
      end },
      story = function(world)
        local said = world:call("a", ".main", ")", to, R"(")
        local from = world:probes "accepted"[1] or {}
        sim.guarantee(tostring(said) .. " " .. tostring(from.node) .. " " .. tostring(from[1]), true)
      end,
    })");
}

TEST_CASE_METHOD(LiveFixture, "each node has its ports to itself and sees its peer's address") {
  CHECK(Played(Connecting("10.0.0.2")).properties[0].name == "hello b 10.0.0.1");
  CHECK(Played(Connecting("b")).properties[0].name == "hello b 10.0.0.1");
  CHECK(Played(Connecting("127.0.0.1")).properties[0].name == "hello a 10.0.0.1");
}

TEST_CASE_METHOD(LiveFixture, "a host that the scenario does not declare cannot be reached") {
  CHECK(Played(Connecting("10.0.0.3")).properties[0].name == "nil nil nil");
}

TEST_CASE_METHOD(LiveFixture, "a node that crashed starts again, on its port, with its files") {
  ExpectPasses(R"(
    local sim = require "sim"
    sim.scenario "lives" {
      nodes = {
        a = { start = "main", cluster = "10.0.0.1:7001", config = { me = "a" } },
        b = { start = "main", cluster = "10.0.0.2:7001", config = { me = "b" } },
      },
      services = { main = function()
        local skynet = require "skynet"
        local cluster = require "skynet.cluster"
        require "skynet.manager"
        skynet.start(function()
          local file = io.open("/tmp/lives", "a")
          file:write "."
          file:close()
          skynet.dispatch("lua", function(_, _, verb)
            if verb == "ask" then
              skynet.retpack(pcall(cluster.call, "b", ".main", "lives"))
            else
              local read = io.open "/tmp/lives"
              skynet.retpack(#read:read "a")
              read:close()
            end
          end)
          skynet.register ".main"
          cluster.open(skynet.getenv "me")
        end)
      end },
      story = function(world)
        local function ask() return world:call("a", ".main", "ask") end
        sim.guarantee("first", sim.equal({ true, 1 }, { ask() }))
        world:crash "b"
        sim.guarantee("is down", not world:is_running "b")
        sim.guarantee("raises", not ask())
        world:start "b"
        local ok, lives
        repeat ok, lives = ask() until ok
        sim.guarantee("second", sim.equal(2, lives))
        world:crash("b", { lose_files = true })
        world:start "b"
        repeat ok, lives = ask() until ok
        sim.guarantee("a new disk", sim.equal(1, lives))
      end,
    })");
}

// -- What only a simulated world has ---------------------------------------------------------------

TEST_CASE_METHOD(LiveFixture, "a verb of the simulated network ends the run by its name") {
  const std::vector<std::pair<std::string, std::string>> verbs = {
      {R"(world:link("a", "b"))", "world:link"},
      {R"(world:partition { { "a" }, { "b" } })", "world:partition"},
      {"world:heal()", "world:heal"},
      {R"(world:reset("a", "b"))", "world:reset"},
      {R"(world:refuse("a", "b"))", "world:refuse"},
      {R"(world:black_hole("a", "b"))", "world:black_hole"},
      {R"(world:allow("a", "b"))", "world:allow"},
      {R"(world:delay_connects("a", "b", "1s"))", "world:delay_connects"},
      {R"(world:accepted("a", "b"))", "world:accepted"},
      {"world:connections()", "world:connections"},
      {R"(world:crash("a", { power_off = true }))", "world:crash with power_off"},
  };
  for (const auto& [verb, name] : verbs) {
    std::string error = VerbError(verb);
    INFO(error);
    CHECK(absl::StartsWith(error, "x.lua:"));
    CHECK(absl::EndsWith(error, absl::StrCat(": ", name, " needs a simulated network; --transport "
                                             "tcp has a real one")));
  }
}

TEST_CASE_METHOD(LiveFixture, "a verb of simulated machines ends the run by its name") {
  const std::vector<std::pair<std::string, std::string>> verbs = {
      {R"(world:clock("a"))", "world:clock"},
      {R"(world:pause("a"))", "world:pause"},
      {R"(world:resume("a"))", "world:resume"},
      {R"(world:slow("a", 2))", "world:slow"},
      {R"(world:restart("a", { clock = { offset = "1s" } }))", "node a: its clock"},
  };
  for (const auto& [verb, name] : verbs) {
    std::string error = VerbError(verb);
    INFO(error);
    CHECK(absl::StartsWith(error, "x.lua:"));
    CHECK(absl::EndsWith(error, absl::StrCat(": ", name, " needs a simulated machine; --transport "
                                             "tcp has a real one")));
  }
}

TEST_CASE_METHOD(LiveFixture, "two kinds of property by one name are wrong input") {
  const std::string text = R"(
    local sim = require "sim"
    sim.scenario "names" {
      nodes = { a = { start = "main" } },
      services = { main = function()
        require("skynet").start(function()
          sim.guarantee("fair", true)
          sim.sometimes("fair", true)
        end)
      end },
      story = function(world) world:sleep "100ms" end,
    })";
  for (RunTransport transport : {RunTransport::kSimulated, RunTransport::kTcp}) {
    RunOptions options = Tcp();
    options.transport = transport;
    std::string error = ErrorOf(text, options);
    INFO(error);
    CHECK(absl::StrContains(error, "x.lua:8: "));
    CHECK(absl::StrContains(error, "fair"));
  }
}

}  // namespace
}  // namespace skysim
