// Verbs that disturb nodes and their machines (lualib/sim/node_faults.lua).
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

struct Mistake {
  std::string text, sentence;
};

class NodeFaultsFixture : public ScenarioFixture {
 public:
  // `text` is a whole scenario.
  RunResult Played(const std::string& text, RunOptions options = {}) {
    absl::StatusOr<RunResult> result = RunText(text, options);
    INFO(result.status());
    REQUIRE(result.ok());
    return *std::move(result);
  }

  void ExpectPasses(const std::string& text) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      RunOptions options;
      options.seed = seed;
      RunResult result = Played(text, options);
      INFO(result.reason);
      CHECK(result.verdict == Verdict::kPassed);
    }
  }

  // In both worlds.
  void ExpectPassesEverywhere(const std::string& text) {
    ExpectPasses(text);
    RunOptions options;
    options.transport = RunTransport::kTcp;
    options.virtual_ns_max = 60 * int64_t{1'000'000'000};
    RunResult result = Played(text, options);
    INFO("tcp: " << result.reason);
    CHECK(result.verdict == Verdict::kPassed);
  }

  // A scenario of the nodes a and b, both with this service, which calls itself .main.
  static std::string With(const std::string& service, const std::string& story,
                          const std::string& fields_of_a = "") {
    return absl::StrCat(R"(local sim = require "sim"
sim.scenario "faults" {
  nodes = { a = { start = "main", cluster = "10.0.0.1:7001", )", fields_of_a, R"( },
            b = { start = "main", cluster = "10.0.0.2:7001", config = { me = "b" } } },
  services = { main = function()
    local skynet = require "skynet"
    require "skynet.manager"
    local socket = require "skynet.socket"
    local cluster = require "skynet.cluster"
    local command = {}
    )", service, R"(
    skynet.start(function()
      skynet.dispatch("lua", function(_, _, name, ...)
        skynet.retpack(command[name](...))
      end)
      skynet.register ".main"
      if command.begin then command.begin() end
    end)
  end },
  story = function(world)
    )", story, R"(
  end,
}
)");
  }
};

// -- Clocks -------------------------------------------------------------------------------------

constexpr char kTimes[] = R"(
    function command.times()
      return { now = skynet.now(), time = skynet.time(), start = skynet.starttime(),
        hpc = skynet.hpc(), os = os.time(), date = os.date("!%H:%M:%S") }
    end
    function command.sleep(ticks)
      local began = skynet.now()
      skynet.sleep(ticks)
      return skynet.now() - began
    end
)";

TEST_CASE_METHOD(NodeFaultsFixture, "a stepped wall clock moves os.time and nothing else") {
  ExpectPasses(With(kTimes, R"(
    local function times() return world:call("a", ".main", "times") end
    local before = times()
    local slept
    local began = world:now()
    local sleeper = world:spawn(function() slept = world:call("a", ".main", "sleep", 100) end)
    world:sleep "500ms"
    world:clock("a"):step "-1h"
    local after = times()
    sleeper:join()
    local late = world:now() - began - sim.duration "1s"
    sim.guarantee("a sleep is as long", math.abs(late) < sim.duration "10ms", "late by %d", late)
    sim.guarantee("in ticks, too", slept == 100, "%d", slept)
    sim.guarantee("os.time went back", after.os == before.os - 3600 or after.os == before.os - 3599)
    sim.guarantee("now did not", after.now >= before.now + 50 and after.now <= before.now + 51)
    sim.guarantee("time is start and elapsed", after.time == after.start + after.now / 100)
    sim.guarantee("hpc did not", after.hpc - before.hpc >= sim.duration "500ms")
    world:clock("a"):step "+2h"
    sim.guarantee("and forth", world:call("a", ".main", "times").os - before.os >= 3600)
    local other = world:call("b", ".main", "times")
    sim.guarantee("the other machine has its own", other.os - before.os <= 2)
  )"));
}

TEST_CASE_METHOD(NodeFaultsFixture, "clocks belong to the machine, and a restart finds them so") {
  ExpectPasses(With(kTimes, R"(
    local function start() return world:call("a", ".main", "times").start end
    sim.guarantee("set at first", sim.equal("23:59:58", world:call("a", ".main", "times").date))
    local first = start()
    world:clock("a"):step "-10s"
    world:restart "a"
    sim.guarantee("the next life begins ten seconds earlier", sim.equal(first - 10, start()))
    world:restart("a", { clock = { offset = "24h" } })
    sim.guarantee("set anew", sim.equal(first + 2 + 24 * 3600, start()))
    world:restart("a", { thread = 2 })
    sim.guarantee("and left alone", sim.equal(first + 2 + 24 * 3600, start()))
  )", R"(clock = { offset = "-2s" })"));
}

TEST_CASE_METHOD(NodeFaultsFixture, "timers of a machine whose clock drifts come early or late") {
  ExpectPasses(With(kTimes, R"(
    local function took(node)
      local began = world:now()
      sim.guarantee("it sees nothing of it", world:call(node, ".main", "sleep", 1000) == 1000)
      return world:now() - began
    end
    local a = took "a"
    sim.guarantee("early", a > sim.duration "9.09s" and a < sim.duration "9.11s", "%d", a)
    world:clock("a"):drift "-100000ppm"
    a = took "a"
    sim.guarantee("late", a > sim.duration "11.1s" and a < sim.duration "11.13s", "%d", a)
    world:clock("a"):drift(0)
    for _, node in ipairs { "a", "b" } do
      local exact = took(node)
      local is_exact = exact > sim.duration "9.99s" and exact < sim.duration "10.02s"
      sim.guarantee("exact", is_exact, "%d", exact)
    end
  )", R"(clock = { drift = "100000ppm" })"));
}

// -- Processes ----------------------------------------------------------------------------------

TEST_CASE_METHOD(NodeFaultsFixture, "a paused node answers nobody, and everybody when it goes on") {
  ExpectPasses(With(absl::StrCat(kTimes, R"(
    function command.begin() cluster.open(skynet.getenv "me") end
    function command.ask() return cluster.call("b", ".main", "times").now end
  )"), R"(
    local asked, slept, told = {}, nil, nil
    local sleeper = world:spawn(function() slept = world:call("b", ".main", "sleep", 100) end)
    world:call("a", ".main", "ask")  -- connected
    world:sleep "500ms"
    world:pause "b"
    for i = 1, 3 do
      world:spawn(function() asked[i] = world:call("a", ".main", "ask") end)
    end
    world:spawn(function() told = world:call("b", ".main", "times").now end)
    world:sleep "50min"
    sim.guarantee("nothing of it runs", #asked == 0 and not slept and not told)
    world:resume "b"
    world:sleep "100ms"
    sim.guarantee("all were answered", #asked == 3)
    sim.guarantee("the timer was late", slept >= 300000 and slept < 300200, "%s", slept)
    sim.guarantee("time had gone on", told >= 300000 and told < 300200, "%s", told)
    sim.guarantee("and the connection had not broken", #world:connections() == 1)
  )", R"(config = { me = "a" })"));
}

TEST_CASE_METHOD(NodeFaultsFixture, "a paused node can be killed, and what waited for it fails") {
  ExpectPasses(With(kTimes, R"(
    local ok, reason
    world:pause "b"
    local caller = world:spawn(function()
      ok, reason = pcall(world.call, world, "b", ".main", "times")
    end)
    world:send("b", ".main", "times")
    world:sleep "1s"
    world:crash "b"
    caller:join()
    sim.guarantee("the call failed", not ok and reason:find "node b is gone", "%s", reason)
    world:start "b"
    sim.guarantee("it is not paused any more", world:call("b", ".main", "times").now < 100)
  )"));
}

TEST_CASE_METHOD(NodeFaultsFixture, "a slow machine makes the same work take longer") {
  ExpectPasses(With(R"(
    function command.work()
      for _ = 1, 1000 do skynet.yield() end
    end
  )", R"(
    local function took()
      local began = world:now()
      world:call("a", ".main", "work")
      return world:now() - began
    end
    local before = took()
    world:slow("a", 100)
    local slow = took()
    sim.guarantee("much longer", slow > 20 * before, "%d and %d", before, slow)
    world:restart "a"
    sim.guarantee("it is the machine", took() > 20 * before)
    world:slow("a", 1)
    sim.guarantee("as before", took() < 2 * before)
  )"));
}

// -- Services and files -------------------------------------------------------------------------

// .main of both nodes: launches, calls and tells of services.
constexpr char kOwner[] = R"(
    local worker
    function command.begin()
      cluster.open(skynet.getenv "me")
    end
    function command.launch(name, ...)
      worker = skynet.newservice(name, ...)
      return skynet.address(worker)
    end
    function command.ask(...) return pcall(skynet.call, worker, "lua", ...) end
    function command.remote(...) return pcall(cluster.call, ...) end
    function command.reload() cluster.reload() end
)";

// A service that adds, and is said to be called .adder.
std::string Adder(const std::string& result) {
  return absl::StrCat(R"(
    local skynet = require "skynet"
    require "skynet.manager"
    local command = {}
    function command.add(a, b) return )", result, R"( end
    function command.wait() skynet.wait() end
    skynet.start(function()
      skynet.dispatch("lua", function(_, _, name, ...) skynet.retpack(command[name](...)) end)
      skynet.register ".adder"
    end)
  )");
}

std::string FieldsWithAdder() {
  return absl::StrCat(R"(config = { me = "a" }, files = { ["service/adder.lua"] = [==[)",
                      Adder("a + b"), "]==] }");
}

TEST_CASE_METHOD(NodeFaultsFixture, "a killed service is gone, what it began is never answered") {
  ExpectPassesEverywhere(With(kOwner, R"(
    for _, by_name in ipairs { true, false } do
      local address = world:call("a", ".main", "launch", "adder")
      local sum = { world:call("a", ".main", "ask", "add", 1, 2) }
      sim.guarantee("it lives", sim.equal({ true, 3 }, sum))
      local is_answered = false
      world:spawn(function() is_answered = world:call("a", ".main", "ask", "wait") ~= nil end)
      repeat world:sleep "1ms" until world:console("a", "task " .. address) ~= ""
      world:kill("a", by_name and ".adder" or address)
      sim.guarantee("a new call fails", not world:call("a", ".main", "ask", "add", 1, 2))
      local list = world:console("a", "list")
      sim.guarantee("the launcher knows", not list:find "adder", "%s", list)
      world:sleep "1s"
      sim.guarantee("nobody answers, as in skynet", not is_answered)
    end
  )", FieldsWithAdder()));
}

TEST_CASE_METHOD(NodeFaultsFixture, "the launcher can be killed as anybody can") {
  ExpectPassesEverywhere(With(kOwner, R"(
    world:kill("a", ".launcher")
    local ok = pcall(world.call, world, "a", ".main", "launch", "adder")
    sim.guarantee("nothing can be launched", not ok)
    sim.guarantee("the rest goes on", not world:call("a", ".main", "ask", 1))
  )", FieldsWithAdder()));
}

TEST_CASE_METHOD(NodeFaultsFixture, "a patch goes into a running service, and keeps its state") {
  ExpectPassesEverywhere(With(kOwner, R"(
    local function sum() return { world:call("a", ".main", "ask", "add", 1, 2) } end
    world:call("a", ".main", "launch", "adder")
    local output, problem = world:inject("a", ".adder", [[
      local by = ...
      function _U.command.add(a, b) return (a + b) * by end
      print("patched", by)
    ]], 10)
    sim.guarantee("it printed", sim.equal("patched	10", output))
    sim.guarantee("it works", sim.equal({ true, 30 }, sum()))
    output, problem = world:inject("a", ".adder", "error 'no good'")
    local is_told = output == nil and problem:find("inject:1: no good", 1, true)
    sim.guarantee("an error is told", is_told, "%s", problem)
    world:put_files("a", { ["fix/adder.lua"] = "function _U.command.add(a, b) return a - b end" })
    output = world:inject("a", ".adder", { file = "fix/adder.lua" })
    sim.guarantee("from a file", sim.equal("", output))
    sim.guarantee("it works, too", sim.equal({ true, -1 }, sum()))
    output, problem = world:inject("a", ".adder", { file = "fix/gone.lua" })
    sim.guarantee("no file", output == nil)
    sim.guarantee("is told", sim.equal("fix/gone.lua: No such file or directory", problem))
  )", FieldsWithAdder()));
}

TEST_CASE_METHOD(NodeFaultsFixture, "new files count for services that start from now on") {
  ExpectPassesEverywhere(With(kOwner, absl::StrCat(R"(
    local function sum() return { world:call("a", ".main", "ask", "add", 1, 2) } end
    world:call("a", ".main", "launch", "adder")
    world:put_files("a", { ["service/adder.lua"] = [==[)", Adder("a + b + 0.5"), R"(]==] })
    world:console("a", "clearcache")
    sim.guarantee("the old one runs on", sim.equal({ true, 3 }, sum()))
    world:kill("a", ".adder")
    world:call("a", ".main", "launch", "adder")
    sim.guarantee("the new one is new", sim.equal({ true, 3.5 }, sum()))
    world:restart "a"
    world:call("a", ".main", "launch", "adder")
    sim.guarantee("the node's own files are put again", sim.equal({ true, 3 }, sum()))
  )"), FieldsWithAdder()));
}

TEST_CASE_METHOD(NodeFaultsFixture, "a new table of addresses counts after cluster.reload") {
  ExpectPassesEverywhere(With(kOwner, R"(
    local function b_is_known()
      return (world:call("a", ".main", "remote", "moved", ".main", "ask", "x"))
    end
    world:put_files("a", { ["/sim/cluster.lua"] = "moved = '10.0.0.2:7001'" })
    world:call("a", ".main", "reload")
    sim.guarantee("by its new name", b_is_known())
  )", R"(config = { me = "a" })"));
}

// -- Crashes and power-offs ---------------------------------------------------------------------

// Writes and reads a file.
constexpr char kFiles[] = R"(
    local kept
    function command.write(text, how)
      kept = kept or assert(io.open("/tmp/log", "a"))
      kept:write(text)
      if how then kept:flush() end
    end
    function command.read()
      local file = io.open "/tmp/log"
      local text = file and file:read "a"
      if file then file:close() end
      return text or "none"
    end
)";

TEST_CASE_METHOD(NodeFaultsFixture, "a crash loses what a process had not given to its kernel") {
  ExpectPassesEverywhere(With(kFiles, R"(
    world:call("a", ".main", "write", "flushed", true)
    world:call("a", ".main", "write", " and not")
    world:crash "a"
    world:start "a"
    local left = world:call("a", ".main", "read")
    sim.guarantee("what was flushed is there", sim.equal("flushed", left))
    world:crash("a", { lose_files = true })
    world:start "a"
    sim.guarantee("a new disk", sim.equal("none", world:call("a", ".main", "read")))
  )"));
}

TEST_CASE_METHOD(NodeFaultsFixture, "a power-off loses, cuts or leaves what was not written back") {
  std::set<std::string> outcomes;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RunOptions options;
    options.seed = seed;
    RunResult result = Played(With(kFiles, R"(
      world:call("a", ".main", "write", "old", true)
      world:sleep "35s"
      world:call("a", ".main", "write", ("x"):rep(5000), true)
      world:sleep "29s"
      world:crash("a", { power_off = true })
      world:start "a"
      sim.guarantee(tostring(#world:call("a", ".main", "read")), true)
    )"), options);
    REQUIRE(result.properties.size() == 1);
    outcomes.insert(result.properties[0].name);
  }
  CHECK(outcomes == std::set<std::string>{"3", "4096", "5003"});
}

TEST_CASE_METHOD(NodeFaultsFixture, "an exact clock is no clock at all: the same run") {
  const std::string story = R"(world:call("a", ".main", "sleep", 10))";
  CHECK(Played(With(kTimes, story)).digest ==
        Played(With(kTimes, story, "clock = { offset = 0, drift = 0 }")).digest);
}

// -- Wrong use ----------------------------------------------------------------------------------

TEST_CASE_METHOD(NodeFaultsFixture, "wrong use of a verb is one sentence with file and line") {
  const std::vector<Mistake> mistakes = {
      {"world:clock('c')", "no node is called c; there are: a, b"},
      {"world:clock(7)", "the name of a node is a string, not a number"},
      {"world:clock('a'):step('soon')",
       "a duration looks like \"50ms\", \"2.5s\" or \"10us\", not \"soon\""},
      {"world:clock('a'):step(5)",
       "a duration needs a unit, like \"5ms\" or \"5s\", not the number 5"},
      {"world:clock('a'):step('-500000h')",
       "node a: the wall clock would leave the years 1970 to 2232, in which Linux can be set"},
      {"world:clock('a'):step('999999999h')",
       "a duration looks like \"50ms\", \"2.5s\" or \"10us\", not \"999999999h\""},
      {"world:clock('a'):drift('fast')",
       "a drift looks like \"50ppm\", \"-50ppm\" or \"10ppb\", not \"fast\""},
      {"world:clock('a'):drift('11%')",
       "a drift looks like \"50ppm\", \"-50ppm\" or \"10ppb\", not \"11%\""},
      {"world:clock('a'):drift('100001ppm')",
       "a clock drifts by 100000ppm (10 %) at most, not \"100001ppm\""},
      {"world:crash('a') world:clock('a'):step('1s')", "node a is not running"},
      {"world:crash('a') world:clock('a'):drift('1ppm')", "node a is not running"},
      {"world:pause('c')", "no node is called c; there are: a, b"},
      {"world:resume('c')", "no node is called c; there are: a, b"},
      {"world:slow('c', 2)", "no node is called c; there are: a, b"},
      {"world:pause('a') world:pause('a')", "node a is paused already"},
      {"world:resume('a')", "node a is not paused"},
      {"world:pause('a') world:restart('a') world:resume('a')", "node a is not paused"},
      {"world:crash('a') world:pause('a')", "node a is not running"},
      {"world:crash('a') world:resume('a')", "node a is not running"},
      {"world:crash('a') world:slow('a', 2)", "node a is not running"},
      {"world:slow('a', 0)", "node a: a dispatch takes 1 times as long or more, not 0"},
      {"world:slow('a', -3)", "node a: a dispatch takes 1 times as long or more, not -3"},
      {"world:slow('a', 1.5)",
       "world:slow: the factor is a whole number, 1 or more, not 1.5"},
      {"world:slow('a', 1000000000)", "node a: one dispatch would take more than an hour"},
      {"world:slow('a')", "world:slow: the factor is a whole number, 1 or more, not nil"},
      {"world:kill('c', '.echo')", "no node is called c; there are: a, b"},
      {"world:kill('a', '.gone')", "node a has no service .gone"},
      {"world:kill('a', ':000000ff')", "node a has no service :000000ff"},
      {"world:kill('a', 'echo')", "node a has no service echo"},
      {"world:kill('a', 8)", "the address of a service is a string, not a number"},
      {"world:crash('a') world:kill('a', '.echo')", "node a is not running"},
      {"world:kill('a', '.launcher') world:kill('a', '.echo')",
       "node a has no launcher any more, which kills services"},
      {"world:inject('c', '.echo', '')", "no node is called c; there are: a, b"},
      {"world:inject('a', '.gone', '')", "node a has no service .gone"},
      {"world:inject('a', '.echo')",
       "world:inject needs Lua code, or { file = \"name\" }, not a nil"},
      {"world:crash('a') world:inject('a', '.echo', '')", "node a is not running"},
      {"world:put_files('c', {})", "no node is called c; there are: a, b"},
      {"world:put_files('a', 'x')", "world:put_files needs a table of path = text, not a string"},
      {"world:put_files('a', { x = 5 })", "world:put_files needs a table of path = text"},
      {"world:restart('a', { clock = { skew = '1s' } })",
       "node a: clock has no field skew; there are: drift, offset"},
  };
  for (const Mistake& mistake : mistakes) {
    CHECK(ErrorOf(Story(mistake.text)) == "x.lua:22: " + mistake.sentence);
  }
}

}  // namespace
}  // namespace skysim
