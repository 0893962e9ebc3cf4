// What the scenario language does when it is used well.
#include <filesystem>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

namespace fs = std::filesystem;

// Fails with the error of wrong input, or with what did not hold.
RunResult Passed(absl::StatusOr<RunResult> result) {
  INFO(result.status());
  REQUIRE(result.ok());
  INFO(result->reason);
  CHECK(result->verdict == Verdict::kPassed);
  return *std::move(result);
}

TEST_CASE_METHOD(ScenarioFixture,
                 "story begins when its nodes have booted, and calls their services") {
  Passed(RunText(Story(R"(
    sim.guarantee("echo", sim.equal({ "hi", 1, { x = true } }, { world:call("a", ".echo", "hi", 1, { x = true }) }))
  )")));
}

TEST_CASE_METHOD(ScenarioFixture, "run fails with the reason when a start service fails") {
  absl::StatusOr<RunResult> result = RunText(R"(
    local sim = require "sim"
    sim.scenario "never told" {
      nodes = { a = { start = "broken" } },
      services = { broken = function()
        require("skynet").start(function() error "no database" end)
      end },
      story = function() error "must not begin" end,
    })");

  REQUIRE(result.ok());
  CHECK(result->verdict == Verdict::kFailed);
  CHECK(absl::StartsWith(result->reason, "node a: its start service broken failed: "));
  CHECK(absl::EndsWith(result->reason, ": no database"));
}

TEST_CASE_METHOD(ScenarioFixture, "sleep takes virtual time") {
  RunResult result = Passed(RunText(Story(R"(
    local before = world:now()
    world:sleep "90s"
    sim.guarantee("90 s", sim.equal(sim.duration "1.5min", world:now() - before))
  )")));
  CHECK(result.virtual_ns >= 90'000'000'000);
}

TEST_CASE_METHOD(ScenarioFixture,
                 "tasks run beside each other and join gives their results and errors") {
  Passed(RunText(Story(R"(
    local log = {}
    local slow = world:spawn(function(x) world:sleep "2s" log[#log + 1] = "slow" return x, "b" end, "a")
    local quick = world:spawn(function() log[#log + 1] = "quick" end)
    local broken = world:spawn(function() error("broken", 0) end)
    sim.guarantee("results", sim.equal({ "a", "b" }, { slow:join() }))
    quick:join()
    sim.guarantee("order", sim.equal({ "quick", "slow" }, log))
    sim.guarantee("errors", sim.equal({ false, "broken" }, { pcall(broken.join, broken) }))
  )")));
}

TEST_CASE_METHOD(ScenarioFixture,
                 "wait_until ends when its condition is true or its time is over") {
  Passed(RunText(Story(R"(
    local flag = false
    world:spawn(function() world:sleep "1s" flag = true end)
    sim.guarantee("true", world:wait_until(function() return flag end, "5s"))
    sim.guarantee("at once", world:now() < sim.duration "1100ms")
    sim.guarantee("false", not world:wait_until(function() return false end, "5s"))
  )")));
}

TEST_CASE_METHOD(ScenarioFixture, "probes of services reach the story, and handlers run for each") {
  Passed(RunText(Story(R"(
    local heard = {}
    world:on("sale", function(probe) heard[#heard + 1] = probe[2] end)
    world:call("a", ".echo", "probe", "sale", "sword", 3)
    world:call("b", ".echo", "probe", "sale", "bow", nil)
    world:sleep "1ms"
    local sales = world:probes "sale"
    sim.guarantee("two", sim.equal(2, #sales))
    sim.guarantee("what", sim.equal({ "sword", "bow", 3 }, { sales[1][1], sales[2][1], sales[1][2] }))
    sim.guarantee("where", sim.equal({ "a", "b" }, { sales[1].node, sales[2].node }))
    sim.guarantee("heard", sim.equal({ 3 }, heard))
  )")));
}

TEST_CASE_METHOD(ScenarioFixture, "a false guarantee fails the run and says what was expected") {
  auto result = RunText(Story(R"(
    for round = 1, 3 do
      sim.guarantee("in order", sim.equal({ 1, 2 }, round == 2 and { 2, 1 } or { 1, 2 }, "round " .. round))
    end
  )"));
  REQUIRE(result.ok());

  CHECK(result->verdict == Verdict::kFailed);
  CHECK(result->reason.find("guarantee \"in order\" failed at 0.0") == 0);
  REQUIRE(result->properties.size() == 1);
  CHECK(result->properties[0].passed == 2);
  CHECK(result->properties[0].failed == 1);
  CHECK(result->properties[0].detail == "round 2: expected 1 2, seen 2 1");
}

TEST_CASE_METHOD(ScenarioFixture, "a property that a service judges counts") {
  auto result = RunText(Story(R"(world:call("b", ".echo", "judge", "stock", false, "left %d", -1))"));
  REQUIRE(result.ok());

  CHECK(result->verdict == Verdict::kFailed);
  CHECK(result->properties[0].detail == "left -1");
}

TEST_CASE_METHOD(ScenarioFixture, "both outcomes of an allowed property pass") {
  RunResult result = Passed(RunText(Story(R"(
    sim.allowed("swap", true) sim.allowed("swap", false) sim.sometimes("seen", false)
  )", "reachable = { \"a corner\" },\n")));

  REQUIRE(result.properties.size() == 3);
  CHECK(result.properties[0].name == "a corner");
  CHECK(result.properties[0].passed == 0);
  CHECK(result.properties[1].claim == ClaimKind::kAllowed);
  CHECK(result.properties[1].passed == 1);
  CHECK(result.properties[1].failed == 1);
  CHECK(result.properties[2].kind == PropertyKind::kSometimes);
}

// A scenario that has `head` before its declaration.
std::string WithHead(const std::string& head, const std::string& story) {
  return head + "\n" + ScenarioFixture::Story(story);
}

TEST_CASE_METHOD(ScenarioFixture, "a property that the file names is in the catalogue of each run") {
  RunResult result = Passed(RunText(WithHead(R"(
    local sim = require "sim"
    local full, empty = sim.sometimes "full", sim.sometimes "empty"
    local sane = sim.guarantee "sane"
    local settles = sim.liveness "settles"
    local swapped = sim.allowed "swapped")", R"(
    full(true)
    sane(true, "of %d", 5)
    settles(function() return true end, "1s")
  )")));

  REQUIRE(result.properties.size() == 5);
  CHECK(result.properties[0].name == "full");
  CHECK(result.properties[0].passed == 1);
  CHECK(result.properties[1].name == "empty");
  CHECK(result.properties[1].kind == PropertyKind::kSometimes);
  CHECK(result.properties[1].passed + result.properties[1].failed == 0);
  CHECK(result.properties[3].passed == 1);
  CHECK(result.properties[4].claim == ClaimKind::kAllowed);
}

TEST_CASE_METHOD(ScenarioFixture, "a property object judges as the verb does, and nil is false") {
  auto result = RunText(WithHead(R"(local sane = require("sim").guarantee "sane")",
                                 R"(sane(nil, "left %d", -1))"));
  REQUIRE(result.ok());

  CHECK(result->verdict == Verdict::kFailed);
  CHECK(result->properties[0].detail == "left -1");
}

TEST_CASE_METHOD(ScenarioFixture, "a service of the file judges a property that the file names") {
  RunResult result = Passed(RunText(R"(
    local sim = require "sim"
    local asked, idle = sim.sometimes "asked", sim.sometimes "idle"
    sim.scenario "c" {
      nodes = { a = { start = "echo" } },
      services = { echo = function()
        local skynet = require "skynet"
        require "skynet.manager"
        skynet.start(function()
          skynet.dispatch("lua", function() asked(true) skynet.retpack() end)
          skynet.register ".echo"
        end)
      end },
      story = function(world) world:call("a", ".echo") end,
    })"));

  REQUIRE(result.properties.size() == 2);
  CHECK(result.properties[0].passed == 1);
  CHECK(result.properties[1].name == "idle");
}

TEST_CASE_METHOD(ScenarioFixture, "what is merely usual is counted and fails nothing") {
  RunResult result = Passed(RunText(Story(R"(sim.usual("in order", false, "seen %s", "2 1"))")));

  CHECK(result.properties[0].claim == ClaimKind::kUsual);
  CHECK(result.properties[0].failed == 1);
  CHECK(result.properties[0].detail == "seen 2 1");
}

TEST_CASE_METHOD(ScenarioFixture,
                 "liveness that is late fails, and an open one is judged at the end") {
  auto late = RunText(Story(R"(sim.liveness("never", function() return false end, "3s"))"));
  REQUIRE(late.ok());
  CHECK(late->verdict == Verdict::kFailed);
  CHECK(late->properties[0].claim == ClaimKind::kLiveness);
  CHECK(late->properties[0].detail == "not true within 3s");

  auto open = RunText(Story(R"(
    world:spawn(function() sim.liveness("open", function() return false end, "1h") end)
    world:sleep "1s"
  )"));
  REQUIRE(open.ok());
  CHECK(open->verdict == Verdict::kFailed);
  CHECK(open->properties[0].detail == "not yet true when the run ended");
}

TEST_CASE_METHOD(ScenarioFixture,
                 "a call that fails raises in the story, and fails the run if nobody catches it") {
  Passed(RunText(Story(R"(
    local ok, reason = pcall(world.call, world, "a", ".echo", "raise", "on purpose")
    local expected = "/sim/scenario/x.lua:23: call a .echo: call failed"
    sim.guarantee("raises", sim.equal({ false, expected }, { ok, reason }))
  )")));

  auto uncaught = RunText(Story(R"(world:call("a", ".nobody"))"));
  REQUIRE(uncaught.ok());
  CHECK(uncaught->verdict == Verdict::kFailed);
  CHECK(uncaught->reason == "x.lua:22: call a .nobody: call to invalid address .nobody");
}

TEST_CASE_METHOD(ScenarioFixture,
                 "what still waits is listed with its stack, idle system services are not") {
  RunResult result = Passed(RunText(Story(R"(
    world:spawn(function() world:call("a", ".echo", "wait") end)
    world:sleep "1s"
  )")));

  REQUIRE(result.waiting.size() == 2);
  CHECK(result.waiting[0].node == "story");
  CHECK(result.waiting[0].waits_for == "reply of a .echo");
  CHECK(result.waiting[0].stack.find("x.lua:23") != std::string::npos);
  CHECK(result.waiting[1].node == "a");
  CHECK(result.waiting[1].script == "echo");
  CHECK(result.waiting[1].stack.find("\tx.lua:10: ") != std::string::npos);
}

TEST_CASE_METHOD(ScenarioFixture,
                 "a story that waits for nothing that could come stops without progress") {
  auto result = RunText(Story(R"(world:wait_until(function() return false end))"));
  REQUIRE(result.ok());

  CHECK(result->verdict == Verdict::kLimit);
  CHECK(result->reason ==
        "nothing is left that could happen, and the story still waits: a condition, at x.lua:22");
}

TEST_CASE_METHOD(ScenarioFixture,
                 "an endless story stops at the limits of time and of dispatches") {
  RunOptions options;
  options.virtual_ns_max = 20'000'000'000;
  auto time = RunText(Story(R"(while true do world:sleep "1s" end)"), options);
  REQUIRE(time.ok());
  CHECK(time->verdict == Verdict::kLimit);
  CHECK(time->reason == "more than 20.000 s of virtual time; --max-time allows more");

  options = RunOptions();
  options.dispatches_max = 500;
  auto dispatches = RunText(Story(R"(while true do world:call("a", ".echo", "x") end)"), options);
  REQUIRE(dispatches.ok());
  CHECK(dispatches->verdict == Verdict::kLimit);
  CHECK(dispatches->reason == "more than 500 dispatches; --max-dispatches allows more");
}

TEST_CASE_METHOD(ScenarioFixture,
                 "an endless loop is caught and located, in the story and in a service",
                 "[watchdog]") {
  auto story = RunText(Story(R"(
    while true do pcall(function() while true do end end) end
  )"));
  REQUIRE(story.ok());
  CHECK(story->verdict == Verdict::kLimit);
  CHECK(story->reason == "endless loop in the story, at x.lua:23");

  RunOptions options;
  options.dispatch_cpu_s_max = 1;
  auto service = RunText(Story(R"(world:call("a", ".echo", "loop"))"), options);
  REQUIRE(service.ok());
  CHECK(service->verdict == Verdict::kLimit);
  CHECK(service->reason == "endless loop on node a, at x.lua:11");
}

TEST_CASE_METHOD(ScenarioFixture, "independent steps begin in an order that the seed chooses") {
  const std::string story = Story(R"(
    local order = {}
    local function step(name) return function() order[#order + 1] = name end end
    world:together(step "a", step "b", step "c")
    sim.allowed("as written", table.concat(order) == "abc")
    sim.guarantee("all", #order == 3)
    sim.guarantee("shuffle keeps all", sim.equal(6, load("return " .. table.concat(world:shuffle { 1, 2, 3 }, "+"))()))
  )");
  int as_written = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RunOptions options;
    options.seed = seed;
    as_written += static_cast<int>(Passed(RunText(story, options)).properties[0].passed);
  }
  CHECK(as_written > 0);
  CHECK(as_written < 20);
}

TEST_CASE_METHOD(ScenarioFixture,
                 "settings reach the story and services in the type of their default") {
  RunOptions options;
  options.settings = {{"size", "7"}, {"fast", "true"}};
  Passed(RunText(Story(R"(
    sim.guarantee("number", sim.equal(8, sim.setting("size", 1) + 1))
    sim.guarantee("boolean", sim.setting("fast", false) == true)
    sim.guarantee("default", sim.setting("other", "x") == "x")
  )"), options));
}

TEST_CASE_METHOD(ScenarioFixture,
                 "same seed, same digest; a replay under its trace does not differ") {
  RunOptions options;
  options.seed = 7;
  options.keeps_events = true;
  const std::string story = Story(R"(
    world:link("a", "b"):delay(sim.uniform("1ms", "9ms"))
    world:together(function() world:call("a", ".echo", math.random(100)) end, function() world:call("b", ".echo") end)
  )");
  RunResult first = Passed(RunText(story, options));
  RunResult second = Passed(RunText(story, options));
  CHECK(first.digest == second.digest);
  CHECK(first.trace.scenario_text == story);
  CHECK(first.trace.nodes == std::vector<std::string>{"world", "a", "b"});
  CHECK(first.trace.verdict == "passed");

  options.replay = &first.trace;
  RunResult replayed = Passed(RunText(story, options));
  CHECK(replayed.digest == first.digest);

  auto changed = RunText(Story(R"(world:call("a", ".echo"))"), options);
  REQUIRE(changed.ok());
  CHECK(changed->verdict == Verdict::kDiverged);
  CHECK(changed->divergence.has_value());
}

TEST_CASE_METHOD(ScenarioFixture,
                 "how the scenario's path is spelled is in errors but not in the digest") {
  const std::string story = Story(R"(
    local ok, reason = pcall(world.call, world, "a", ".echo", "raise")
    local tables = { [{}] = 1, [{}] = 2, [{}] = 3 }
    world:call("b", ".echo", reason, tostring(next(tables)))
    error("the end", 1)
  )");
  RunOptions options;
  auto error_of = [&](const std::string& path) {
    options.scenario_path = path;
    return std::string(Run(options).status().message());
  };
  REQUIRE(ErrorOf(story) == "x.lua:26: the end");
  CHECK(error_of("./x.lua") == "./x.lua:26: the end");

  const std::string passing = absl::StrReplaceAll(story, {{"error(\"the end\", 1)", ""}});
  const uint64_t digest = Passed(RunText(passing)).digest;
  for (const std::string& path :
       {std::string("./x.lua"), std::string("././/x.lua"), fs::absolute("x.lua").string()}) {
    options.scenario_path = path;
    INFO(path);
    CHECK(Passed(Run(options)).digest == digest);
  }
}

TEST_CASE_METHOD(ScenarioFixture, "nodes start in an order that the seed chooses") {
  const std::string story = Story("");
  std::set<std::string> orders;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.keeps_events = true;
    RunResult result = Passed(RunText(story, options));
    std::string order;
    for (const RecordedEvent& event : result.trace.events) {
      if (event.kind == EventKind::kNodeStart) order += result.trace.nodes[event.node];
    }
    orders.insert(order);
  }
  CHECK(orders == std::set<std::string>{"ab", "ba"});
}

TEST_CASE_METHOD(ScenarioFixture,
                 "a restarted node boots again with its changes, a crash raises calls under way") {
  Passed(RunText(Story(R"(
    local call = world:spawn(function() return pcall(world.call, world, "a", ".echo", "wait") end)
    world:sleep "1ms"
    world:crash("a", { power_off = true, lose_files = true })
    sim.guarantee("down", not world:is_running "a")
    sim.guarantee("raises", (call:join()) == false)
    world:restart("a", { thread = 2, config = { colour = "red" } })
    sim.guarantee("up", world:call("a", ".echo", "hi") == "hi")
  )")));
}

}  // namespace
}  // namespace skysim
