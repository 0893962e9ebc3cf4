#include "simnet/world/world.h"

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"
#include "engine/lua/chunk_cache.h"
#include "simnet/choice/choice_source.h"
#include "simnet/memory/arena.h"
#include "simnet/storage/tree_storage.h"
#include "simnet/time/event_queue.h"
#include "simnet/trace/recorder.h"

namespace skysim {
namespace {

// One world whose nodes run the services that a test writes.
class WorldFixture {
 public:
  explicit WorldFixture(uint64_t seed = 1, ChunkCache* chunks = nullptr,
                        const std::function<void(World::Options&)>& change = nullptr)
      : choices_(seed, false), recorder_(events_, {}) {
    auto arena = Arena::Create();
    REQUIRE(arena.ok());
    arena_ = *std::move(arena);
    World::Options options;
    const char* workspace = std::getenv("TEST_SRCDIR");
    options.home = std::string(workspace == nullptr ? "." : workspace) + "/skysim";
    options.project = "/nowhere";
    options.virtual_ns_max = 60 * int64_t{1'000'000'000};
    options.dispatches_max = 10'000'000;
    options.chunks = chunks;
    options.log = [this](int64_t, absl::string_view node, absl::string_view line) {
      log_ += std::string(node) + " " + std::string(line) + "\n";
    };
    if (change) change(options);
    world_ = std::make_unique<World>(choices_, events_, *arena_, files_, recorder_, options);
  }

  void AddNode(const std::string& name, const std::string& ip, const std::string& main_lua,
               std::map<std::string, std::string> more = {}) {
    NodeSpec spec;
    spec.name = name;
    spec.ip = ip;
    spec.config["start"] = "main";
    for (auto& [key, value] : more) {
      if (key.find('/') != std::string::npos) {
        spec.files[key] = value;
      } else {
        spec.config[key] = value;
      }
    }
    spec.files["service/main.lua"] = main_lua;
    REQUIRE(world_->AddNode(spec).ok());
    REQUIRE(world_->StartNode(name).ok());
  }

  // Runs until nothing is left to happen.
  void RunOut() {
    World::Progress progress;
    while ((progress = world_->Step()) == World::Progress::kEvent) {
    }
    INFO(log_);
    CHECK(progress == World::Progress::kIdle);
  }

  // Steps until something else than an event; a run that never stops fails.
  World::Progress StepToStop() {
    for (int i = 0; i < 1'000'000; ++i) {
      World::Progress progress = world_->Step();
      if (progress != World::Progress::kEvent) return progress;
    }
    FAIL("no end");
    return World::Progress::kEvent;
  }

  // Runs until `virtual_ms`, at an entry of the test's own.
  void RunFor(int64_t virtual_ms) {
    struct : Happening {
      bool is_reached = false;
      void Happen(uint64_t) override { is_reached = true; }
    } mark;
    events_.Schedule(events_.NowNs() + virtual_ms * 1'000'000, &mark, 0);
    while (!mark.is_reached) REQUIRE(world_->Step() == World::Progress::kEvent);
  }

  // The reply to a call with no arguments, or the error's text; "..." until there is one.
  std::shared_ptr<std::string> Call(const std::string& node, const std::string& address) {
    auto result = std::make_shared<std::string>("...");
    absl::Status status =
        world_->Call(node, address, "", [result](absl::StatusOr<std::string> reply) {
          *result = reply.ok() ? *reply : std::string(reply.status().message());
        });
    if (!status.ok()) *result = std::string(status.message());
    return result;
  }

  const std::string& log() const { return log_; }
  World& world() { return *world_; }
  Recorder& recorder() { return recorder_; }

 private:
  EventQueue events_;
  SeededChoices choices_;
  Recorder recorder_;
  HostFiles files_;
  std::unique_ptr<Arena> arena_;
  std::string log_;
  std::unique_ptr<World> world_;
};

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a node boots its services in skynet's order and runs the start service") {
  WorldFixture fixture;

  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    skynet.start(function()
      print("self", skynet.address(skynet.self()))
      for address, what in pairs(skynet.call(".launcher", "lua", "LIST")) do
        print(address, what)
      end
    end)
  )");
  fixture.RunOut();

  INFO(fixture.log());
  CHECK(Has(fixture.log(), "self\t:00000008"));
  CHECK(Has(fixture.log(), ":00000004\tsnlua cdummy"));
  CHECK(Has(fixture.log(), ":00000007\tsnlua service_mgr"));
}

TEST_CASE("a service calls another one and gets the reply") {
  WorldFixture fixture;

  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    skynet.start(function()
      local echo = skynet.newservice("echo")
      print("reply", skynet.call(echo, "lua", "hello", 42, { x = 1.5 }))
      local ok, err = pcall(skynet.call, echo, "lua", "fail")
      print("failed", ok, err)
    end)
  )", {{"service/echo.lua", R"(
    local skynet = require "skynet"
    skynet.start(function()
      skynet.dispatch("lua", function(_, _, what, ...)
        if what == "fail" then error "on purpose" end
        skynet.retpack(what, ...)
      end)
    end)
  )"}});
  fixture.RunOut();

  INFO(fixture.log());
  CHECK(Has(fixture.log(), "reply\thello\t42\ttable"));
  CHECK(Has(fixture.log(), "failed\tfalse\tcall failed"));
  CHECK(Has(fixture.log(), "on purpose"));
}

TEST_CASE("a timeout has a coroutine for whoever takes or looks for it") {
  WorldFixture fixture;

  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    skynet.start(function()
      local order = {}
      local function note(what) return function() order[#order + 1] = what end end
      skynet.timeout(10, note "unseen")
      local taken = skynet.timeout(20, note "taken")
      local killed = skynet.timeout(30, note "killed")
      print("types", type(taken), select("#", skynet.timeout(40, note "last")))
      print("tasks", skynet.task())
      local listed = {}
      skynet.task(listed)
      local count = 0
      for name, stack in pairs(listed) do
        if name:find "^thread: 0x" and stack == "stack traceback:" then count = count + 1 end
      end
      print("listed", count)
      print("killed", skynet.killthread(killed) == killed, coroutine.status(killed))
      for i = 1, 3 do skynet.timeout(50, function() order[#order + 1] = i; skynet.sleep(1) end) end
      skynet.sleep(100)
      print("order", table.concat(order, " "))
    end)
  )");
  fixture.RunOut();

  INFO(fixture.log());
  CHECK(Has(fixture.log(), "types\tthread\t1"));
  CHECK(Has(fixture.log(), "tasks\t4"));
  CHECK(Has(fixture.log(), "listed\t4"));
  CHECK(Has(fixture.log(), "killed\ttrue\tdead"));
  CHECK(Has(fixture.log(), "order\tunseen taken last 1 2 3"));
}

TEST_CASE("cluster.call reaches a named service of another node") {
  WorldFixture fixture;

  fixture.AddNode("db", "10.0.0.1", R"(
    local skynet = require "skynet"
    local cluster = require "skynet.cluster"
    skynet.start(function()
      cluster.reload { db = "10.0.0.1:2528" }
      skynet.dispatch("lua", function(_, _, ...) skynet.retpack("echo", ...) end)
      cluster.register("echo")
      cluster.open "db"
    end)
  )");
  fixture.AddNode("web", "10.0.0.2", R"(
    local skynet = require "skynet"
    local cluster = require "skynet.cluster"
    skynet.start(function()
      cluster.reload { db = "10.0.0.1:2528" }
      skynet.sleep(100)
      print("got", cluster.call("db", "@echo", "ping", 1))
      print("long", #select(2, cluster.call("db", "@echo", string.rep("x", 100000))))
    end)
  )");
  for (int i = 0; i < 200'000 && !Has(fixture.log(), "long"); ++i) fixture.world().Step();

  INFO(fixture.log());
  CHECK(Has(fixture.log(), "got\techo\tping\t1"));
  CHECK(Has(fixture.log(), "long\t100000"));
}

TEST_CASE("skynet.exit closes every task, also when the closing begins new ones") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    skynet.start(function()
      for i = 1, 20 do
        skynet.fork(function()
          local guard <close> = setmetatable({}, { __close = function()
            print("closed", i)
            for _ = 1, 50 do
              skynet.fork(print, "must not run")
              skynet.timeout(100, function() print "must not run" end)
            end
          end })
          skynet.sleep(6000)
        end)
      end
      skynet.sleep(10)
      skynet.exit()
    end)
  )");

  fixture.RunOut();

  INFO(fixture.log());
  for (int i = 1; i <= 20; ++i) CHECK(Has(fixture.log(), "closed\t" + std::to_string(i)));
  CHECK_FALSE(Has(fixture.log(), "must not run"));
}

TEST_CASE("the same seed gives the same digest, another seed another one") {
  auto digest = [](uint64_t seed) {
    WorldFixture fixture(seed);
    fixture.AddNode("a", "10.0.0.1", R"(
      local skynet = require "skynet"
      skynet.start(function()
        for i = 1, 10 do
          skynet.fork(function() print({}, i, math.random(1000), os.time(), os.clock()) end)
        end
      end)
    )");
    fixture.RunOut();
    return fixture.recorder().digest();
  };

  uint64_t first = digest(7);

  CHECK(digest(7) == first);
  CHECK(digest(8) != first);
}

// Answers the packed number 1 (0a 01); "exit" and the like are done in the name of the sender.
constexpr char kAnswering[] = R"(
  local skynet = require "skynet"
  require "skynet.manager"
  skynet.start(function()
    skynet.register ".answering"
    skynet.dispatch("lua", function() skynet.retpack(1) end)
  end)
)";

// Its requests are never answered.
constexpr char kSilent[] = R"(
  local skynet = require "skynet"
  require "skynet.manager"
  skynet.start(function()
    skynet.register ".silent"
    skynet.dispatch("lua", function() skynet.wait {} end)
  end)
)";

TEST_CASE("an unknown node is named, with those that there are") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", kAnswering);
  fixture.AddNode("b", "10.0.0.2", kAnswering);
  const std::string expected = "no node is called x; there are: a, b";

  CHECK(fixture.world().StartNode("x").message() == expected);
  CHECK(fixture.world().CrashNode("x", false, false).message() == expected);
  CHECK(fixture.world().IsRunning("x").status().message() == expected);
  CHECK(fixture.world().GetNode("x").status().message() == expected);
  CHECK(fixture.world().Send("x", ".a", "").message() == expected);
  CHECK(*fixture.Call("x", ".a") == expected);
  NodeSpec spec;
  spec.name = "x";
  CHECK(fixture.world().ChangeNode(spec).message() == expected);
}

TEST_CASE("a node is declared once, with an ip of its own and a sound config") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", kAnswering);
  NodeSpec spec;
  spec.name = "a";
  spec.ip = "10.0.0.2";
  CHECK(fixture.world().AddNode(spec).message() == "two nodes are called a");
  spec.name = "b";
  spec.config["thread"] = "0";
  CHECK(fixture.world().AddNode(spec).message() ==
        "node b: config: thread is \"0\", but must be a number in [1,1024]");
  spec.config.clear();
  spec.ip = "10.0.0.1";
  CHECK(!fixture.world().AddNode(spec).ok());
  spec.name = "a";
  spec.ip = "10.0.0.9";
  CHECK(fixture.world().ChangeNode(spec).message() == "node a: the ip of a node cannot change");
}

TEST_CASE("a node runs once at a time") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", kAnswering);

  CHECK(fixture.world().StartNode("a").message() == "node a is running already");
  REQUIRE(fixture.world().CrashNode("a", false, false).ok());
  CHECK(!*fixture.world().IsRunning("a"));
  CHECK(fixture.world().CrashNode("a", false, false).message() == "node a is not running");
  CHECK(*fixture.Call("a", ".answering") == "node a is not running");
}

TEST_CASE("the story calls by name, by :hex and by number") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", kAnswering);
  fixture.RunFor(100);

  auto by_name = fixture.Call("a", ".answering");
  auto by_hex = fixture.Call("a", ":8");
  auto by_number = fixture.Call("a", "8");
  auto to_nobody = fixture.Call("a", ".nobody");
  auto to_no_number = fixture.Call("a", "99");
  auto to_nothing = fixture.Call("a", "");
  fixture.RunFor(100);

  const std::string one = "\x0a\x01";
  CHECK(*by_name == one);
  CHECK(*by_hex == one);
  CHECK(*by_number == one);
  CHECK(*to_nobody == "call to invalid address .nobody");
  CHECK(*to_no_number == "call to invalid address 99");
  CHECK(*to_nothing == "an address must not be empty");
}

TEST_CASE("calls under way fail when the node crashes, once each") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", kSilent);
  fixture.RunFor(100);
  auto first = fixture.Call("a", ".silent");
  fixture.RunFor(10);
  CHECK(*first == "...");
  auto second = fixture.Call("a", ".silent");

  REQUIRE(fixture.world().CrashNode("a", false, false).ok());
  fixture.RunFor(1);

  CHECK(*first == "node a is gone");
  CHECK(*second == "node a is gone");
}

TEST_CASE("a reply may crash and restart the node that sent it") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", kAnswering);
  fixture.RunFor(100);
  bool is_done = false;

  REQUIRE(fixture.world()
              .Call("a", ".answering", "", [&](absl::StatusOr<std::string> reply) {
                CHECK(reply.ok());
                CHECK(fixture.world().CrashNode("a", false, false).ok());
                CHECK(fixture.world().StartNode("a").ok());
                is_done = true;
              }).ok());
  fixture.RunFor(100);

  CHECK(is_done);
  CHECK(*fixture.world().IsRunning("a"));
  auto reply = fixture.Call("a", ".answering");
  fixture.RunFor(1);
  CHECK(*reply == "\x0a\x01");
}

TEST_CASE("a failed call may restart its node") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", kSilent);
  fixture.RunFor(100);
  bool is_done = false;
  REQUIRE(fixture.world()
              .Call("a", ".silent", "", [&](absl::StatusOr<std::string> reply) {
                CHECK(reply.status().message() == "node a is gone");
                CHECK(fixture.world().StartNode("a").ok());
                is_done = true;
              }).ok());

  REQUIRE(fixture.world().CrashNode("a", false, false).ok());
  fixture.RunFor(100);

  CHECK(is_done);
  CHECK(*fixture.world().IsRunning("a"));
}

TEST_CASE("a service cannot kill the story's foot in its node") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    require "skynet.manager"
    skynet.start(function()
      skynet.register ".answering"
      skynet.dispatch("lua", function(_, source)
        skynet.kill(source)
        skynet.retpack(1)
      end)
    end)
  )");
  fixture.RunFor(100);

  auto reply = fixture.Call("a", ".answering");
  fixture.RunFor(10);

  CHECK(*reply == "\x0a\x01");
}

TEST_CASE("a restarted node runs what its spec says now, with the files that it had") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    skynet.start(function()
      local file = assert(io.open("notes", "a+"))
      file:write("x")
      file:close()
      print("length", #io.open("notes"):read("a"))
    end)
  )");
  fixture.RunFor(100);
  NodeSpec spec = *fixture.world().GetNode("a");

  REQUIRE(fixture.world().CrashNode("a", false, false).ok());
  REQUIRE(fixture.world().StartNode("a").ok());
  fixture.RunFor(100);
  CHECK(Has(fixture.log(), "length\t2"));

  REQUIRE(fixture.world().CrashNode("a", false, /*loses_files=*/true).ok());
  spec.files["service/main.lua"] += " print 'new code'";
  REQUIRE(fixture.world().ChangeNode(spec).ok());
  REQUIRE(fixture.world().StartNode("a").ok());
  fixture.RunFor(100);

  CHECK(Has(fixture.log(), "new code"));
  CHECK(!Has(fixture.log(), "length\t3"));
}

TEST_CASE("a node whose services all end stops by itself, its log written") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    require "skynet.manager"
    skynet.start(function()
      skynet.error "the reason"
      skynet.abort()
    end)
  )");

  CHECK(fixture.StepToStop() == World::Progress::kIdle);

  CHECK(!*fixture.world().IsRunning("a"));
  CHECK(Has(fixture.log(), "the reason"));
}

TEST_CASE("a run stops at its virtual time") {
  WorldFixture fixture(1, nullptr, [](World::Options& options) {
    options.virtual_ns_max = 50'000'000;
  });
  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    skynet.start(function()
      while true do skynet.sleep(1) end
    end)
  )");

  CHECK(fixture.StepToStop() == World::Progress::kTimeLimit);
  CHECK(fixture.world().stop_reason() == "more than 0.050 s of virtual time");
}

TEST_CASE("a run stops at its dispatches") {
  WorldFixture fixture(1, nullptr, [](World::Options& options) { options.dispatches_max = 500; });
  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    skynet.start(function()
      while true do skynet.yield() end
    end)
  )");

  CHECK(fixture.StepToStop() == World::Progress::kDispatchLimit);
  CHECK(fixture.world().stop_reason() == "more than 500 dispatches");
  CHECK(fixture.world().dispatches() == 500);
}

TEST_CASE("an endless loop is stopped and located, wherever it is", "[watchdog]") {
  const char* loop = GENERATE(
      "while true do end",
      "pcall(function() while true do end end)",
      "require('skynet.coroutine').wrap(function() while true do end end)()",
      "coroutine.wrap(function() while true do end end)()",
      "coroutine.resume(coroutine.create(function() while true do end end))");
  WorldFixture fixture(1, nullptr, [](World::Options& options) {
    options.dispatch_cpu_s_max = 2;
    options.cpu_second_ns = 100'000'000;
  });
  fixture.AddNode("a", "10.0.0.1", std::string("local skynet = require 'skynet'\n") +
                                       "skynet.start(function()\n" + loop + "\nend)");

  INFO(loop);
  CHECK(fixture.StepToStop() == World::Progress::kEndlessLoop);
  CHECK(Has(fixture.world().stop_reason(), "an endless loop in Lua"));
}

TEST_CASE("the tasks that wait are listed with what they wait for") {
  WorldFixture fixture;
  fixture.AddNode("a", "10.0.0.1", R"(
    local skynet = require "skynet"
    skynet.start(function()
      skynet.dispatch("lua", function() skynet.wait {} end)
      skynet.fork(skynet.call, skynet.self(), "lua")
      skynet.fork(skynet.sleep, 100)
      skynet.timeout(200, function() end)
    end)
  )");
  fixture.RunFor(100);

  std::vector<std::string> waits;
  for (const WaitingTask& task : fixture.world().WaitingTasks()) {
    if (task.script == "main") waits.push_back(task.waits_for);
  }

  REQUIRE(waits.size() == 4);
  CHECK(Has(waits[0], "timeout at 2.0"));
  CHECK(Has(waits[1], "reply of :00000008, session "));
  CHECK(Has(waits[2], "sleep until 1.0"));
  CHECK(waits[3] == "wakeup");
}

TEST_CASE("a run gives the same digest whether its files were compiled before or not") {
  auto digest = [](ChunkCache* chunks) {
    WorldFixture fixture(7, chunks);
    fixture.AddNode("a", "10.0.0.1", R"(
      local skynet = require "skynet"
      skynet.start(function()
        for _ = 1, 3 do print(skynet.newservice("other"), {}, function() end) end
        print(pcall(skynet.newservice, "broken"))
        local order = {}
        for key in pairs { [{}] = 1, [print] = 2, [function() end] = 3, [{}] = 4 } do
          order[#order + 1] = tostring(key)
        end
        print(table.concat(order, " "))
      end)
    )", {{"service/other.lua", R"(
      local skynet = require "skynet"
      require "skynet.queue"
      skynet.start(function() print({}, coroutine.create(print)) end)
    )"}, {"service/broken.lua", "local x = = 1"}});
    fixture.RunOut();
    CHECK(Has(fixture.log(), "unexpected symbol near '='"));
    return fixture.recorder().digest();
  };
  ChunkCache chunks;

  uint64_t cold = digest(&chunks);

  CHECK(digest(&chunks) == cold);
  CHECK(digest(nullptr) == cold);
}

}  // namespace
}  // namespace skysim
