#include "engine/lua/home_paths.h"

#include <string>

#include "catch2/catch_test_macros.hpp"
#include "simnet/storage/tree_storage.h"

namespace skysim {
namespace {

// A project at /project with the files that a test puts there; skysim's home is /skysim.
class HomePathsFixture {
 public:
  HomePathsFixture() : storage_(host_, Tree()) {
    for (const char* path : {"lualib/skynet.lua", "lualib/loader.lua", "service/launcher.lua"}) {
      storage_.Put(std::string("/skysim/") + path, "");
    }
  }

  void Put(const std::string& path) { storage_.Put(path, ""); }

  // What becomes of `key` = `value`.
  std::string Of(const std::string& key, const std::string& value) {
    Config config;
    config.entries[key] = value;
    AddHomePaths(storage_, "/skysim", config);
    std::string once = config.Get(key);
    AddHomePaths(storage_, "/skysim", config);
    CHECK(config.Get(key) == once);
    return once;
  }

  Storage& storage() { return storage_; }

 private:
  static TreeStorageOptions Tree() {
    TreeStorageOptions options;
    options.working_folder = "/project";
    return options;
  }

  HostFiles host_;
  TreeStorage storage_;
};

TEST_CASE_METHOD(HomePathsFixture, "home paths: a config without folders gets defaults and ours") {
  Config config;
  AddHomePaths(storage(), "/skysim", config);

  CHECK(config.Get("lua_path") ==
        "./lualib/?.lua;./lualib/?/init.lua;./?.lua;"
        "/skysim/lualib/?.lua;/skysim/lualib/?/init.lua");
  CHECK(config.Get("luaservice") == "./service/?.lua;./?.lua;/skysim/service/?.lua");
  CHECK(config.Get("lualoader") == "/skysim/lualib/loader.lua");
}

TEST_CASE_METHOD(HomePathsFixture, "home paths: ours stand where skynet's own stand") {
  Put("skynet/lualib/skynet.lua");
  Put("skynet/service/launcher.lua");

  CHECK(Of("lua_path",
           "./lualib/?.lua;./skynet/lualib/?.lua;./skynet/lualib/?/init.lua;./last/?.lua") ==
        "./lualib/?.lua;/skysim/lualib/?.lua;/skysim/lualib/?/init.lua;./skynet/lualib/?.lua;"
        "./skynet/lualib/?/init.lua;./last/?.lua");
  CHECK(Of("luaservice", "./service/?.lua;/project/skynet/service/?.lua;./last/?.lua") ==
        "./service/?.lua;/skysim/service/?.lua;/project/skynet/service/?.lua;./last/?.lua");
}

TEST_CASE_METHOD(HomePathsFixture, "home paths: the first of skynet's folders counts") {
  Put("new/service/launcher.lua");
  Put("old/service/launcher.lua");

  CHECK(Of("luaservice", "./old/service/?.lua;./new/service/?.lua") ==
        "/skysim/service/?.lua;./old/service/?.lua;./new/service/?.lua");
}

TEST_CASE_METHOD(HomePathsFixture, "home paths: without skynet's files ours come last") {
  Put("skynet/lualib/loader.lua");

  CHECK(Of("lua_path", "./mine/?.lua;./?") ==
        "./mine/?.lua;./?;/skysim/lualib/?.lua;/skysim/lualib/?/init.lua");
  CHECK(Of("luaservice", "./mine/?.lua;") == "./mine/?.lua;/skysim/service/?.lua");
}

TEST_CASE_METHOD(HomePathsFixture, "home paths: ours stay where a config has them already") {
  Put("skynet/service/launcher.lua");

  CHECK(Of("luaservice", "./mine/?.lua;/skysim/service/?.lua;./skynet/service/?.lua") ==
        "./mine/?.lua;/skysim/service/?.lua;./skynet/service/?.lua");
}

TEST_CASE_METHOD(HomePathsFixture, "home paths: a loader with skynet.lua beside it is replaced") {
  Put("skynet/lualib/skynet.lua");
  Put("skynet/lualib/loader.lua");
  Put("mine/loader.lua");

  CHECK(Of("lualoader", "./skynet/lualib/loader.lua") == "/skysim/lualib/loader.lua");
  CHECK(Of("lualoader", "./mine/loader.lua") == "./mine/loader.lua");
  CHECK(Of("lualoader", "loader.lua") == "loader.lua");
}

}  // namespace
}  // namespace skysim
