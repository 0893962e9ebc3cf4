#include "simnet/world/world.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
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
  explicit WorldFixture(uint64_t seed = 1, ChunkCache* chunks = nullptr)
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
    options.dispatch_cpu_s_max = 1;
    options.chunks = chunks;
    options.log = [this](int64_t, absl::string_view node, absl::string_view line) {
      log_ += std::string(node) + " " + std::string(line) + "\n";
    };
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

  // Runs until it stops by itself.
  World::Progress Run() {
    World::Progress progress;
    while ((progress = world_->Step()) == World::Progress::kEvent) {
    }
    return progress;
  }

  // Runs until nothing is left to happen.
  void RunOut() {
    World::Progress progress = Run();
    INFO(log_);
    CHECK(progress == World::Progress::kIdle);
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

TEST_CASE("an endless loop in Lua stops the run, which says where it is") {
  const char* loops[] = {
      // line 4 of main.lua is the loop
      R"(local skynet = require "skynet"
         skynet.start(function()
           skynet.fork(function()
             while true do end
           end)
         end))",
      // nobody can catch it
      R"(local skynet = require "skynet"
         skynet.start(function()
           while true do pcall(function()
             while true do end
           end) end
         end))",
      // in a coroutine of the service's own
      R"(local skynet = require "skynet"
         skynet.start(function()
           coroutine.wrap(function() assert(coroutine.resume(coroutine.create(function()
             while true do end
           end))) end)()
         end))",
      // without tasks
      R"(local core = require "skynet.core"
         core.callback(function()
           local i = 0
             while true do i = i + 1 end
         end)
         core.send(core.addresscommand "REG", 0, 0, ""))",
  };
  for (const char* loop : loops) {
    WorldFixture fixture;
    fixture.AddNode("a", "10.0.0.1", loop);

    World::Progress progress = fixture.Run();

    INFO(fixture.log());
    CHECK(progress == World::Progress::kEndlessLoop);
    CHECK(fixture.world().stop_reason() ==
          "an endless loop in Lua: node a, service :00000008 main, at ./service/main.lua:4");
  }
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
