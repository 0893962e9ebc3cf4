// Nodes from skynet config files: which layer of their config wins, and what a restart changes.
#include <string>

#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

// A node whose service `.env` answers with entries of its config, and whose files are given.
std::string Scenario(const std::string& nodes, const std::string& story,
                     const std::string& more = "") {
  return R"(local sim = require "sim"
local function env()
  local skynet = require "skynet"
  require "skynet.manager"
  skynet.start(function()
    skynet.dispatch("lua", function(_, _, key)
      skynet.retpack(skynet.getenv(key))
    end)
    skynet.register ".env"
  end)
end
sim.scenario "test" {
  services = { env = env, main = env },
  nodes = {)" + nodes + R"(},
)" + more + R"(
  story = function(world)
    local function expect(node, key, expected)
      local value = world:call(node, ".env", key)
      sim.guarantee(node .. " " .. key, sim.equal(expected, value))
    end
    )" + story + R"(
  end,
}
)";
}

class ConfigFixture : public ScenarioFixture {
 public:
  void ExpectPasses(const std::string& text) {
    RunOptions options;
    auto result = RunText(text, options);
    INFO(result.status());
    REQUIRE(result.ok());
    INFO(result->reason);
    CHECK(result->verdict == Verdict::kPassed);
    CHECK(!result->properties.empty());
  }
};

TEST_CASE_METHOD(ConfigFixture, "node config: what the scenario says wins over the file") {
  ExpectPasses(Scenario(
      R"(a = { start = "env", thread = 3, config = { "etc/config", colour = "red", size = 8 },
                env = { SHAPE = "round", N = 5 },
                files = { ["etc/config"] = [[
                  start = "main" thread = 2 colour = "blue" shape = "$SHAPE" n = $N ]] } })",
      R"(expect("a", "start", "env") expect("a", "thread", "3") expect("a", "colour", "red")
         expect("a", "size", "8") expect("a", "shape", "round") expect("a", "n", "5"))"));
}

TEST_CASE_METHOD(ConfigFixture, "node config: what a file does not say has a default") {
  ExpectPasses(Scenario(R"(a = { config = "config", files = { config = "x = 1" } })",
                        R"(expect("a", "start", "main") expect("a", "harbor", "0")
                           expect("a", "thread", "8") expect("a", "cluster", nil)
                           expect("a", "luaservice",
                                  "./service/?.lua;./?.lua;/skysim/service/?.lua")
                           expect("a", "lualoader", "/skysim/lualib/loader.lua"))"));
}

TEST_CASE_METHOD(ConfigFixture, "node config: a file that names its folders gets no others") {
  ExpectPasses(Scenario(
      R"(a = { config = "config", path = "extra",
                files = { config = [[luaservice = "./only/?.lua" lua_path = "./mine/?.lua"]] } },
         b = { start = "main", config = { luaservice = "./first/?.lua" } })",
      R"(expect("a", "luaservice",
                "./only/?.lua;./extra/service/?.lua;./extra/?.lua;/skysim/service/?.lua")
         expect("a", "lua_path", "./mine/?.lua;./extra/lualib/?.lua;./extra/?.lua;"
                .. "/skysim/lualib/?.lua;/skysim/lualib/?/init.lua")
         expect("b", "luaservice",
                "./first/?.lua;./service/?.lua;./?.lua;/skysim/service/?.lua"))"));
}

// One sentence for each of the four cases, as lualib/sim.lua has them.
TEST_CASE_METHOD(ConfigFixture, "node config: the cluster table is the scenario's or the file's") {
  const std::string file =
      R"(files = { config = [[cluster = "./table.lua"]], ["table.lua"] = "" })";
  ExpectPasses(Scenario(
      R"(field = { config = "config", cluster = "10.0.0.1:7001", )" + file + R"( },
         file = { config = "config", )" + file + R"( },
         none = { config = "config", files = { config = "x = 1" } },
         entry = { config = { "config", cluster = "./table.lua" }, cluster = "10.0.0.2:7001", )" +
          file + R"( })",
      R"(expect("field", "cluster", "/sim/cluster.lua")
         expect("file", "cluster", "./table.lua")
         expect("none", "cluster", "/sim/cluster.lua")
         expect("entry", "cluster", "./table.lua"))"));
}

TEST_CASE_METHOD(ConfigFixture, "node config: a restart may change file, variables and entries") {
  ExpectPasses(Scenario(
      R"(a = { config = "one", env = { NAME = "first", KEPT = "kept" },
                files = { one = [[name = "$NAME" kept = "$KEPT"]], two = [[other = "$NAME"]] } })",
      R"(expect("a", "name", "first")
         world:restart("a", { env = { NAME = "second" } })
         expect("a", "name", "second") expect("a", "kept", "kept")
         world:restart("a", { config = { "two", kept = "mine" } })
         expect("a", "name", nil) expect("a", "other", "first") expect("a", "kept", "mine")
         world:restart("a", { files = { one = [[name = "third"]] } })
         expect("a", "name", "third"))"));
}

TEST_CASE_METHOD(ConfigFixture, "node config: a bootstrap of the file's is waited for") {
  ExpectPasses(Scenario(
      R"(a = { config = "config", files = {
           config = [[bootstrap = "snlua mine"]],
           ["service/mine.lua"] = [[
             local skynet = require "skynet"
             require "skynet.manager"
             skynet.start(function()
               skynet.name(".launcher", skynet.launch("snlua", "launcher"))
               skynet.sleep(100)
               skynet.newservice "env"
               skynet.exit()
             end)]] } })",
      R"(sim.guarantee("it was waited for", world:now() >= sim.duration "1s")
         expect("a", "bootstrap", "snlua mine"))"));
}

// A cluster connection leaves tasks that wait in clusteragent and clustersender.
TEST_CASE_METHOD(ConfigFixture, "node config: services of a copy of skynet are not the user's") {
  RunOptions options;
  options.virtual_ns_max = 1'000'000'000;
  auto result = RunText(
      R"(local sim = require "sim"
local files = { config = [[luaservice = "./service/?.lua;./skynet/?.lua"]] }
for _, name in ipairs { "launcher", "clusterd", "clusteragent", "clustersender", "gate" } do
  files["skynet/" .. name .. ".lua"] = "error 'not ours'"
end
sim.scenario "test" {
  nodes = { a = { config = { "config", me = "a" }, files = files, cluster = "10.0.0.1:7001" },
            b = { config = { "config", me = "b" }, files = files, cluster = "10.0.0.2:7001" } },
  services = { main = function()
    local skynet = require "skynet"
    require "skynet.manager"
    local cluster = require "skynet.cluster"
    skynet.start(function()
      skynet.dispatch("lua", function(_, _, to)
        skynet.retpack(to and cluster.call(to, ".main"))
      end)
      skynet.register ".main"
      cluster.open(assert(skynet.getenv "me"))
    end)
  end },
  story = function(world)
    world:call("a", ".main", "b")
    world:sleep "2s"
  end,
}
)",
      options);

  INFO(result.status());
  REQUIRE(result.ok());
  INFO(result->reason);
  CHECK(result->verdict == Verdict::kLimit);
  REQUIRE(result->waiting.size() == 1);
  CHECK(result->waiting[0].node == "story");
}

TEST_CASE_METHOD(ConfigFixture, "node config: the environment of this process is not seen") {
  setenv("SKYSIM_TEST_VARIABLE", "leaked", 1);

  const std::string node =
      R"(a = { config = "config", files = { config = "\n-- $SKYSIM_TEST_VARIABLE" } })";
  CHECK(ErrorOf(Scenario(node, "")) ==
        "x.lua:12: node a: config:2: os.getenv() failed: SKYSIM_TEST_VARIABLE (a simulated node "
        "has the variables of its field env)");
}

}  // namespace
}  // namespace skysim
