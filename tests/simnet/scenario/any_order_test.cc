// Scenarios under RunOptions::any_order.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

// One service that reports in which order its tables come, and when the collector came by.
constexpr char kScenario[] = R"(
  local sim = require "sim"

  local function orders()
    local skynet = require "skynet"

    local function walk(t)
      local values = {}
      for _, value in pairs(t) do values[#values + 1] = value end
      return table.concat(values, " ")
    end

    skynet.start(function()
      sim.probe("coroutines", walk {
        [coroutine.create(print)] = "first", [coroutine.create(print)] = "second" })
      sim.probe("numbers", walk { [1000] = "thousand", [2000] = "two thousand" })
      sim.probe("array", walk { 1, 2, 3, 4 })
      local keys = {}
      for letter in skynet.packstring { a = true, b = true }:gmatch "[ab]" do
        keys[#keys + 1] = letter
      end
      sim.probe("packed", table.concat(keys))
      local made, collected
      for _ = 1, 2 do  -- from one collection to the next
        made, collected = 0, nil
        repeat
          made = made + 1
          setmetatable({}, { __gc = function() collected = collected or made end })
        until collected
      end
      sim.probe("collected", collected)
    end)
  end

  sim.scenario "orders" {
    nodes = { a = { start = "orders" } },
    services = { orders = orders },
    --fields
    story = function(world)
      for _, name in ipairs { "coroutines", "numbers", "array", "packed", "collected" } do
        world:note("%s: %s", name, tostring(world:probes(name)[1][1]))
      end
      local order = {}
      for key in pairs { here = true, there = true } do order[#order + 1] = key end
      world:note("story: %s", table.concat(order, " "))
    end,
  }
)";

class AnyOrderFixture : public ScenarioFixture {
 public:
  RunResult RunSeed(const std::string& text, uint64_t seed, bool any_order) {
    RunOptions options;
    options.seed = seed;
    options.any_order = any_order;
    options.keeps_events = true;
    absl::StatusOr<RunResult> result = RunText(text, options);
    INFO(result.status());
    REQUIRE(result.ok());
    INFO(result->reason);
    REQUIRE(result->verdict == Verdict::kPassed);
    return *std::move(result);
  }

  // What is noted of -> what is said, over 30 seeds.
  std::map<std::string, std::set<std::string>> Notes(const std::string& text, bool any_order) {
    std::map<std::string, std::set<std::string>> notes;
    for (uint64_t seed = 1; seed <= 30; ++seed) {
      RunResult result = RunSeed(text, seed, any_order);
      for (const RecordedEvent& event : result.trace.events) {
        if (event.kind != EventKind::kStory) continue;
        const size_t colon = event.text.find(": ");
        if (colon == std::string::npos) continue;
        notes[std::string(event.text.substr(0, colon))].emplace(event.text.substr(colon + 2));
      }
    }
    return notes;
  }
};

TEST_CASE_METHOD(AnyOrderFixture, "without the option, addresses and numbers have one order") {
  auto notes = Notes(kScenario, false);

  CHECK(notes["coroutines"].size() == 1);
  CHECK(notes["numbers"].size() == 1);
  CHECK(notes["collected"].size() == 1);
  CHECK(notes["packed"].size() == 2);  // the hash of a string has a seed of its own
}

TEST_CASE_METHOD(AnyOrderFixture,
                 "with the option, the seed chooses every order that Lua leaves open") {
  auto notes = Notes(kScenario, true);

  CHECK(notes["coroutines"] == std::set<std::string>{"first second", "second first"});
  CHECK(notes["numbers"].size() == 2);
  CHECK(notes["packed"] == std::set<std::string>{"ab", "ba"});
  CHECK(notes["story"] == std::set<std::string>{"here there", "there here"});
  CHECK(notes["collected"].size() >= 4);
  CHECK(notes["array"] == std::set<std::string>{"1 2 3 4"});
}

TEST_CASE_METHOD(AnyOrderFixture, "a declaration can ask for any order") {
  const std::string declared =
      absl::StrReplaceAll(kScenario, {{"--fields", "any_order = true,"}});

  CHECK(Notes(declared, false)["coroutines"].size() == 2);
}

TEST_CASE_METHOD(AnyOrderFixture, "a seed has one order, and its trace replays it") {
  RunResult first = RunSeed(kScenario, 5, true);
  RunResult second = RunSeed(kScenario, 5, true);
  CHECK(first.digest == second.digest);
  CHECK(first.trace.any_order);

  RunOptions replay;
  replay.seed = 99;  // the recorded choices count
  replay.any_order = first.trace.any_order;
  replay.replay = &first.trace;
  absl::StatusOr<RunResult> replayed = RunText(kScenario, replay);

  REQUIRE(replayed.ok());
  CHECK_FALSE(replayed->divergence.has_value());
  CHECK(replayed->digest == first.digest);
}

// Uses the modules that walk tables of theirs and then ask somebody.
constexpr char kModules[] = R"(
  local sim = require "sim"

  local function user()
    local skynet = require "skynet"
    local socket = require "skynet.socket"
    local sharedata = require "skynet.sharedata"
    local sharetable = require "skynet.sharetable"

    skynet.start(function()
      collectgarbage "stop"  -- data that nobody holds is asked for until it is collected
      local names = { "a", "bb", "ccc", "dddd" }  -- messages with them differ in length
      for _, name in ipairs(names) do
        sharedata.new(name, { 1 })
        sharedata.query(name)
        sharetable.loadtable(name, { 1 })
      end
      sharedata.flush()
      sharetable.queryall()
      socket.start(socket.listen("10.0.0.1", 9000), function() end)
      for _ = 1, 4 do socket.open("10.0.0.1", 9000) end
      skynet.fork(skynet.exit)  -- with its sockets
    end)
  end

  sim.scenario "modules" {
    nodes = { a = { start = "user", ip = "10.0.0.1" } },
    services = { user = user },
    story = function(world) world:sleep "1s" end,
  }
)";

TEST_CASE_METHOD(AnyOrderFixture, "what modules send shows no order of a table") {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    std::vector<RecordedEvent> events[2];
    for (bool any_order : {false, true}) {
      RunResult result = RunSeed(kModules, seed, any_order);
      for (RecordedEvent event : result.trace.events) {
        event.bytes_hash = 0;  // a packed table shows the order of its keys
        events[any_order ? 1 : 0].push_back(event);
      }
    }
    INFO("seed " << seed);
    const bool is_same = events[0] == events[1];
    CHECK(is_same);
  }
}

TEST_CASE_METHOD(AnyOrderFixture, "choices of 0 are the orders of a run without the option") {
  Trace recorded = RunSeed(kScenario, 5, false).trace;

  // Nothing was drawn for orders: under these choices each such draw is 0.
  RunOptions options;
  options.any_order = true;
  options.replay = &recorded;
  absl::StatusOr<RunResult> result = RunText(kScenario, options);

  REQUIRE(result.ok());
  CHECK_FALSE(result->divergence.has_value());
  CHECK(result->digest == recorded.digest);
}

}  // namespace
}  // namespace skysim
