// What a scenario can claim beyond single properties: orders, histories, and what every game needs.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

// Two nodes whose service `echo` does what the story asks: marks, probes, and operations that give
// a result or raise. The first line of the story is kStoryLine.
constexpr int kStoryLine = 32;

std::string Scenario(const std::string& story, const std::string& more = "") {
  return R"(local sim = require "sim"
local game = require "sim.game"
local models = require "sim.models"
local function echo()
  local skynet = require "skynet"
  require "skynet.manager"
  local history = sim.history "bank"
  local command = {}
  command.sent, command.handled, command.probe = sim.sent, sim.handled, sim.probe
  function command.add(client, amount, result)
    return history:call(client, "add", amount, function()
      if result == nil then error("nobody knows", 0) end
      return result
    end)
  end
  skynet.start(function()
    skynet.dispatch("lua", function(session, _, verb, ...)
      local result = command[verb](...)
      if session > 0 then skynet.retpack(result) end
    end)
    skynet.register ".echo"
  end)
end
sim.scenario "test" {
  nodes = { a = { start = "echo", cluster = "10.0.0.1:7001" },
            b = { start = "echo", cluster = "10.0.0.2:7001" } },
  services = { echo = echo },
)" + more + R"(
  story = function(world)
    local function a(...) return world:call("a", ".echo", ...) end
    local function b(...) return world:call("b", ".echo", ...) end
)" + story + R"(
  end,
}
)";
}

RunResult Finished(absl::StatusOr<RunResult> result) {
  INFO(result.status());
  REQUIRE(result.ok());
  return *std::move(result);
}

const PropertyResult& Find(const RunResult& result, const std::string& name) {
  for (const PropertyResult& property : result.properties) {
    if (property.name == name) return property;
  }
  std::string names;
  for (const PropertyResult& property : result.properties) names += property.name + "\n";
  FAIL("no property is called " << name << "; there are\n" << names);
  return result.properties[0];
}

constexpr char kCluster[] = "  order = { notices = sim.order.cluster },";

// -- Order ---------------------------------------------------------------------------------------

TEST_CASE_METHOD(ScenarioFixture, "an order that is promised fails the run when it is broken") {
  RunResult result = Finished(RunText(Scenario(R"(
    a("sent", "notices", 1)
    a("sent", "notices", 2, "call", 40000)
    b("handled", "notices", 2)
    b("handled", "notices", 1)
  )", kCluster)));

  CHECK(result.verdict == Verdict::kFailed);
  const PropertyResult& property = Find(result, "order of notices: small request, then request");
  CHECK(property.failed == 1);
  CHECK(absl::StartsWith(property.detail,
                         "2 (large call) was handled before 1 (small send), which a :"));
  CHECK(absl::EndsWith(property.detail, "; expected 1 2, seen 2 1"));
}

TEST_CASE_METHOD(ScenarioFixture, "an order that is merely usual is counted when it is broken") {
  RunResult result = Finished(RunText(Scenario(R"(
    a("sent", "notices", "big", "send", 32768)
    a("sent", "notices", "small", "send", 32767)
    b("handled", "notices", "small")
    b("handled", "notices", "big")
  )", kCluster)));

  CHECK(result.verdict == Verdict::kPassed);
  CHECK(Find(result, "order of notices: large request, then small request").failed == 1);
  CHECK(Find(result, "order of notices: large request, then small request").claim ==
        ClaimKind::kUsual);
}

TEST_CASE_METHOD(ScenarioFixture, "a contract is in the catalogue, and counts what is kept") {
  RunResult result = Finished(RunText(Scenario(R"(
    a("sent", "notices", 1) b("handled", "notices", 1)
    a("sent", "notices", 2) b("handled", "notices", 2)
    a("sent", "others", 1) b("handled", "others", 1)
  )", R"(  order = { notices = { promised = { { "send", "send" }, { "reply", "call" } } } },)")));

  REQUIRE(result.properties.size() == 2);
  CHECK(Find(result, "order of notices: send, then send").passed == 1);
  CHECK(Find(result, "order of notices: reply, then call").passed == 0);
}

// -- Histories -----------------------------------------------------------------------------------

TEST_CASE_METHOD(ScenarioFixture, "a history that could have happened one by one passes") {
  RunResult result = Finished(RunText(Scenario(R"(
    local bank = sim.history "bank"
    bank:call("c1", "add", 5, function() return 5 end)
    a("add", "c2", 1, 6)
    b("add", "c3", 2, 8)
    local verdict, report = bank:check(models.counter)
    sim.guarantee("verdict", sim.equal("linearizable", verdict))
    sim.guarantee("operations", sim.equal(3, #bank:operations()))
  )")));

  CHECK(result.reason.empty());
  CHECK(Find(result, "history bank is linearizable").passed == 1);
}

TEST_CASE_METHOD(ScenarioFixture, "an illegal history fails and says which operation, after what") {
  RunResult result = Finished(RunText(Scenario(R"(
    local bank = sim.history "bank"
    a("add", "c1", 5, 5)
    b("add", "c2", 1, 5)
    a("add", "c1", 1, 7)
    local verdict, report = bank:check(models.counter)
    sim.guarantee("as data", sim.equal(
      { "illegal", 2, "c2", 1, 5 }, { verdict, #report.prefix, report.culprit.client, #report.order, report.state }))
  )")));

  CHECK(result.verdict == Verdict::kFailed);
  CHECK(Find(result, "as data").failed == 0);
  CHECK(Find(result, "history bank is linearizable").detail ==
        "no order explains c2: add(1) gave 5\n"
        "what was answered before, in an order that explains it:\n"
        "  c1: add(5) gave 5\n"
        "then the state is 5, and add(1) gives 6");
}

TEST_CASE_METHOD(ScenarioFixture, "an operation that raised may have happened or not") {
  RunResult result = Finished(RunText(Scenario(R"(
    local bank = sim.history "bank"
    pcall(a, "add", "c1", 5)
    b("add", "c2", 1, 6)
    b("add", "c2", 1, 7)
    sim.guarantee("open", sim.equal("open", bank:operations()[1].outcome))
    bank:check(models.counter)
    local other = sim.history "other"
    pcall(other.call, other, "c1", "add", 5, function() error("nobody knows", 0) end)
    other:call("c2", "read", nil, function() return 0 end)
    other:check(models.counter)
  )")));

  CHECK(result.reason.empty());
  CHECK(Find(result, "history other is linearizable").passed == 1);
}

TEST_CASE_METHOD(ScenarioFixture, "an operation that failed did not happen") {
  RunResult result = Finished(RunText(Scenario(R"(
    local bank = sim.history "bank"
    bank:fail(bank:invoke("c1", "add", 5))
    bank:call("c2", "read", nil, function() return 5 end)
    bank:check(models.counter)
  )")));

  CHECK(absl::StrContains(result.reason, "no order explains c2: read() gave 5"));
}

TEST_CASE_METHOD(ScenarioFixture, "keys of a map are checked one by one, and tables by content") {
  RunResult result = Finished(RunText(Scenario(R"(
    local map = sim.history "map"
    map:call("c", "set", { "x", { hp = 1, mp = 2 } }, function() end)
    map:call("c", "get", { "x" }, function() return { mp = 2, hp = 1.0 } end)
    map:call("c", "get", { "y" }, function() return 3 end)
    local _, report = map:check(models.map)
    sim.guarantee("key", sim.equal("y", report.key))
  )")));

  CHECK(Find(result, "key").failed == 0);
  CHECK(absl::StrContains(result.reason,
                          "no order explains c: get({\"y\"}) gave 3, key \"y\""));
}

TEST_CASE_METHOD(ScenarioFixture, "a search that exceeds its steps is unknown, and no failure") {
  RunResult result = Finished(RunText(Scenario(R"(
    local bank = sim.history "bank"
    for i = 1, 12 do bank:invoke("c" .. i, "add", 1 << i) end  -- each set of them has a sum of its own
    bank:call("c", "read", nil, function() return 1 end)
    local verdict, report = bank:check(models.counter, { steps = 200 })
    sim.guarantee("unknown", sim.equal({ "unknown", 200 }, { verdict, report.steps }))
  )")));

  CHECK(result.reason.empty());
  CHECK(Find(result, "the search in history bank comes to an end").failed == 1);
  CHECK(Find(result, "the search in history bank comes to an end").detail ==
        "given up after 200 steps: unknown");
}

TEST_CASE_METHOD(ScenarioFixture, "each ready model gives what its operations give one by one") {
  RunResult result = Finished(RunText(Scenario(R"(
    local function play(name, model, ...)
      local history = sim.history(name)
      for _, operation in ipairs { ... } do
        history:call("c", operation[1], operation[2], function() return operation[3] end)
      end
      history:check(model)
    end
    play("register", models.register, { "read" }, { "write", 3 }, { "read", nil, 3 },
      { "cas", { 3, 4 }, true }, { "cas", { 3, 5 }, false }, { "read", nil, 4 })
    play("counter", models.from(models.counter, 10), { "add", 2, 12 }, { "read", nil, 12 })
    play("queue", models.queue, { "push", "x" }, { "push", "y" }, { "pop", nil, "x" }, { "pop", nil, "y" }, { "pop" })
    play("set", models.set, { "add", "x", true }, { "add", "x", false }, { "has", "x", true }, { "has", "y", false },
      { "remove", "x", true }, { "has", "x", false })
    play("lock", models.lock, { "acquire", "me" }, { "try", "you", false }, { "release", "you", false },
      { "release", "me", true }, { "try", "you", true })
    play("map", models.map, { "set", { "x", 1 } }, { "get", { "x" }, 1 }, { "remove", { "x" }, 1 }, { "get", { "x" } })
  )")));

  CHECK(result.reason.empty());
  for (const char* name : {"register", "counter", "queue", "set", "lock", "map"}) {
    CHECK(Find(result, absl::StrCat("history ", name, " is linearizable")).passed == 1);
  }
}

TEST_CASE_METHOD(ScenarioFixture, "a lock that two hold is illegal, and one that waits is not") {
  RunResult waits = Finished(RunText(Scenario(R"(
    local lock = sim.history "lock"
    lock:call("me", "acquire", "me", function() end)
    local yours = lock:invoke("you", "acquire", "you")
    lock:call("me", "release", "me", function() return true end)
    lock:ok(yours)
    lock:check(models.lock)
  )")));
  CHECK(waits.reason.empty());

  RunResult two = Finished(RunText(Scenario(R"(
    local lock = sim.history "lock"
    lock:call("me", "acquire", "me", function() end)
    lock:call("you", "acquire", "you", function() end)
    lock:check(models.lock)
  )")));
  CHECK(absl::EndsWith(Find(two, "history lock is linearizable").detail,
                       "then the state is {holder = \"me\"}, and acquire(\"you\") cannot happen"));
}

// -- Games ---------------------------------------------------------------------------------------

TEST_CASE_METHOD(ScenarioFixture, "a second session of a player is found, a crash ends the first") {
  RunResult result = Finished(RunText(Scenario(R"(
    local sessions = game.one_session_per_player(world)
    a("probe", "login", "ann", 1)
    world:sleep "1ms"
    sim.guarantee("of", sim.equal({ "a", 1 }, { sessions:of "ann" }))
    world:restart "a"
    sim.guarantee("gone", sim.equal({}, { sessions:of "ann" }))
    b("probe", "login", "ann", 2)
    b("probe", "logout", "ann", 1)
    b("probe", "logout", "ann", 2)
    a("probe", "login", "ann", 3)
    b("probe", "login", "bob", 4)
    b("probe", "login", "ann", 5)
  )")));

  CHECK(Find(result, "of").failed == 0);
  CHECK(Find(result, "gone").failed == 0);
  CHECK(Find(result, "one session per player").passed == 4);
  CHECK(Find(result, "one session per player").detail ==
        "ann: session 5 on b is opened, and session 3 on a is open");
}

TEST_CASE_METHOD(ScenarioFixture, "what is granted twice is found, also on another node") {
  RunResult result = Finished(RunText(Scenario(R"(
    local grants = game.granted_once(world)
    a("probe", "granted", "ann", "order 1")
    b("probe", "granted", "bob", "order 1")
    b("probe", "granted", "ann", "order 1")
    world:sleep "1ms"
    sim.guarantee("has", grants:has("ann", "order 1") and not grants:has("ann", "order 2"))
  )")));

  CHECK(Find(result, "has").failed == 0);
  CHECK(Find(result, "what is owed is granted once").passed == 2);
  CHECK(Find(result, "what is owed is granted once").detail ==
        "ann got order 1 on b, and had got it on a");
}

TEST_CASE_METHOD(ScenarioFixture, "currency that appears or disappears is found") {
  RunResult made = Finished(RunText(Scenario(R"(
    game.conserved(world, { total = 10 })
    a("probe", "balance", "ann", 10)
    b("probe", "balance", "bob", 1)
  )")));
  CHECK(Find(made, "no currency is made").detail == "bob has 1 on b: 11 in all, of 10");

  RunResult lost = Finished(RunText(Scenario(R"(
    local gold = game.conserved(world, { total = 10, balance = "gold" })
    a("probe", "gold", "ann", 10)
    a("probe", "gold", "ann", 7)
    world:sleep "1ms"
    gold:settled()
  )")));
  CHECK(Find(lost, "no currency is made").passed == 2);
  CHECK(Find(lost, "no currency is lost").detail == "7 is left of 10");
}

TEST_CASE_METHOD(ScenarioFixture, "commands out of order, twice or lost are found") {
  RunResult result = Finished(RunText(Scenario(R"(
    local commands = game.hand_off_keeps_order(world)
    a("probe", "command", "ann", 1)
    b("probe", "command", "ann", 2)
    b("probe", "command", "bob", 1)
    b("probe", "command", "ann", 4)
    world:sleep "1ms"
    commands:complete("ann", 5)
  )")));

  CHECK(Find(result, "commands are carried out in order, each once").passed == 3);
  CHECK(Find(result, "commands are carried out in order, each once").detail ==
        "ann: command 4 on b after command 2 on b");
  CHECK(Find(result, "no command is lost").detail == "ann: command 4 is the last of 5");
}

TEST_CASE_METHOD(ScenarioFixture, "what a service reports right before its last answer counts") {
  RunResult result = Finished(RunText(Scenario(R"(
    game.granted_once(world)
    a("probe", "granted", "ann", "order 1")
  )")));

  CHECK(Find(result, "what is owed is granted once").passed == 1);
}

// -- Mistakes ------------------------------------------------------------------------------------

struct Mistake {
  std::string story, sentence;
};

TEST_CASE_METHOD(ScenarioFixture, "a mistake in the story is named with its line") {
  const std::vector<Mistake> mistakes = {
      {"sim.sent('notices', 1)", "sim.sent is for services, which send and handle messages"},
      {"sim.history(5)", "a history needs a name, not number"},
      {"sim.history('h'):call('c', 'add', 5)",
       "history:call needs the function that does the operation, not a nil"},
      {"sim.history('h'):invoke('c', nil)",
       "history:invoke needs the name of an operation, not a nil"},
      {"sim.history('h'):check {}",
       "history:check needs a model, { init = state, step = function(state, op, args) ... end }"},
      {"sim.history('h'):check(models.counter, { steps = 0 })",
       "history:check: steps is a number of steps, 1 or more, not 0"},
      {"local h = sim.history 'h' local o = h:invoke('c', 'read') h:ok(o) h:ok(o) "
       "h:check(models.counter)",
       "history h: ok for an operation that is not under way"},
      {"game.conserved(world, {})",
       "game.conserved needs to know how much there is: { total = 200 }"},
      {"game.granted_once(world, { grant = 'x' })",
       "game.granted_once: the name of a probe is a string, and none is called grant"},
  };
  for (const Mistake& mistake : mistakes) {
    CHECK(ErrorOf(Scenario(mistake.story)) ==
          absl::StrCat("x.lua:", kStoryLine, ": ", mistake.sentence));
  }
}

TEST_CASE_METHOD(ScenarioFixture, "a mistake of a service or a model ends the run") {
  const std::string twice = "a('sent', 'notices', 1) a('sent', 'notices', 1)";
  CHECK(absl::EndsWith(ErrorOf(Scenario(twice, kCluster)),
                       ": flow \"notices\" has a message 1 already; each has an id of its own"));
  CHECK(absl::EndsWith(ErrorOf(Scenario("b('handled', 'notices', 'x') world:sleep '1s'", kCluster)),
                       ": flow \"notices\": nobody has sent a message x"));
  CHECK(absl::EndsWith(ErrorOf(Scenario("sim.history('h'):call('c', 'jump', 1, function() end) "
                                        "sim.history('h'):check(models.counter)")),
                       "the model counter has no operation jump"));
}

TEST_CASE_METHOD(ScenarioFixture, "a mistake in a contract is named with its line") {
  const std::vector<Mistake> mistakes = {
      {"'x'", "the scenario: order is a table, not a string"},
      {"{ notices = 5 }", "order is a table of flow = contract, like { notices = sim.order.cluster }"},
      {"{ n = { never = {} } }",
       "order of n: a contract has lists of pairs, promised and usual, and no never"},
      {"{ n = { usual = { { 'send' } } } }",
       "order of n: a pair is the class of the earlier message and that of the later one, "
       "{ \"small send\", \"send\" }"},
      {"{ n = { usual = { { 'send', 'huge send' } } } }",
       "order of n: a class of messages is send, call, reply, request or message, after small, "
       "large or nothing, not \"huge send\""},
      {"{ n = { usual = { { 'send', 'send' }, { 'send', 'send' } } } }",
       "order of n: send, then send is there twice"},
  };
  for (const Mistake& mistake : mistakes) {
    CHECK(ErrorOf("local sim = require 'sim'\nsim.scenario 'c' { nodes = { a = { start = 'launcher' } "
                  "}, story = function() end, order = " + mistake.story + " }") ==
          absl::StrCat("x.lua:2: ", mistake.sentence));
  }
}

}  // namespace
}  // namespace skysim
