#include "engine/lua/config_file.h"

#include <map>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "simnet/storage/tree_storage.h"
#include "tests/engine/lua/counting_memory.h"

namespace skysim {
namespace {

using Entries = std::map<std::string, std::string>;

// A file tree whose working folder is /project, and an environment.
class ConfigFixture {
 public:
  ConfigFixture() : storage_(host_, Tree()) {}
  ~ConfigFixture() { CHECK(memory_.live() == 0); }

  void Put(const std::string& path, const std::string& text) { storage_.Put(path, text); }
  void Set(const std::string& name, const std::string& value) { environment_[name] = value; }

  absl::StatusOr<Config> Read(const std::string& path = "config") {
    return ReadConfigFile(storage_, memory_, path,
                          [this](const std::string& name) -> std::optional<std::string> {
                            auto found = environment_.find(name);
                            if (found == environment_.end()) return std::nullopt;
                            return found->second;
                          });
  }

  Entries EntriesOf(const std::string& text) {
    Put("config", text);
    auto config = Read();
    INFO(config.status());
    REQUIRE(config.ok());
    return config->entries;
  }

  std::string ErrorOf(const std::string& text) {
    Put("config", text);
    absl::Status status = Read().status();
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

 private:
  static TreeStorageOptions Tree() {
    TreeStorageOptions options;
    options.working_folder = "/project";
    return options;
  }

  HostFiles host_;
  TreeStorage storage_;
  CountingMemory memory_;
  Entries environment_;
};

TEST_CASE_METHOD(ConfigFixture, "config file: entries are kept as Lua's tostring writes them") {
  Entries entries = EntriesOf(R"(
    thread = 8
    ratio = 2.0
    profile = true
    daemon = false
    root = "./skynet/"
    lua_path = root .. "lualib/?.lua;" .. root .. "lualib/?/init.lua"
    gone = "x"
    gone = nil
    local helper = { "not", "an", "entry" }
    _ENV["start"] = helper[1] and ("MAIN"):lower()
  )");

  CHECK(entries == Entries{{"thread", "8"},
                           {"ratio", "2.0"},
                           {"profile", "true"},
                           {"daemon", "false"},
                           {"root", "./skynet/"},
                           {"lua_path", "./skynet/lualib/?.lua;./skynet/lualib/?/init.lua"},
                           {"start", "main"}});
}

TEST_CASE_METHOD(ConfigFixture, "config file: it sees include and what it has set, nothing else") {
  CHECK(EntriesOf("is_empty = os == nil and require == nil and _G == nil and print == nil\n"
                  "has_include = include ~= nil") ==
        Entries{{"is_empty", "true"}, {"has_include", "true"}});
}

TEST_CASE_METHOD(ConfigFixture, "config file: $NAME stands for a variable anywhere in the text") {
  Set("HOME", "/home/me");
  Set("PORT_2", "7002");
  Set("KEY", "start");

  CHECK(EntriesOf("-- of $HOME\n"
                  "address = \"10.0.0.1:$PORT_2\"\n"
                  "$KEY = '$HOME/main'\n"
                  "price = '5$ or $-1'") ==
        Entries{{"address", "10.0.0.1:7002"}, {"start", "/home/me/main"}, {"price", "5$ or $-1"}});
}

TEST_CASE_METHOD(ConfigFixture, "config file: an unset $NAME is the error, also in a comment") {
  Put("path/more", "\n\nx = '$GONE'");

  CHECK(ErrorOf("a = 1\n-- $NOWHERE") == "config:2: os.getenv() failed: NOWHERE");
  CHECK(ErrorOf("include 'path/more'") == "path/more:3: os.getenv() failed: GONE");
}

TEST_CASE_METHOD(ConfigFixture, "config file: include starts at the folder of its own file") {
  Put("etc/config", "a = 1 b = 1 include '../common/path' b = b + 1 include '/opt/last'");
  Put("common/path", "b = 2 c = a include 'more'");
  Put("common/more", "more = true");
  Put("/opt/last", "last = 1.5");

  for (const char* path : {"etc/config", "/project/etc/config", "./etc/config"}) {
    auto config = Read(path);
    INFO(path << " " << config.status());
    REQUIRE(config.ok());
    CHECK(config->entries ==
          Entries{{"a", "1"}, {"b", "3"}, {"c", "1"}, {"more", "true"}, {"last", "1.5"}});
  }
}

TEST_CASE_METHOD(ConfigFixture, "config file: a file may be included twice, but not in itself") {
  Put("a", "n = (n or 0) + 1");
  CHECK(EntriesOf("include 'a' include './a'") == Entries{{"n", "2"}});

  Put("b", "\ninclude 'x/../c'");
  Put("c", "include 'b'");
  CHECK(ErrorOf("include 'b'") ==
        "x/../c:1: the includes never end: b includes x/../c includes x/../b");
  CHECK(ErrorOf("include '/project/config'") ==
        "/project/config:1: the includes never end: /project/config includes /project/config");
}

TEST_CASE_METHOD(ConfigFixture, "config file: only strings, numbers, booleans under string keys") {
  CHECK(ErrorOf("a = 1\nk = {}") == "config:2: Invalid config table key = k");
  CHECK(ErrorOf("z = {}\nfunction k() end") == "config:2: Invalid config table key = k");
  CHECK(ErrorOf("\n\n_ENV[1] = 'x'") == "config:3: Invalid config table key = 1");
  Put("more", "\nbad = include");
  CHECK(ErrorOf("include 'more'") == "more:2: Invalid config table key = bad");
}

TEST_CASE_METHOD(ConfigFixture, "config file: a mistake is named with its place") {
  CHECK(ErrorOf("a = = 1") == "config:1: unexpected symbol near '='");
  CHECK(ErrorOf("\na = b.c") == "config:2: attempt to index a nil value (global 'b')");
  CHECK(ErrorOf("\nos.exit(1)") == "config:2: attempt to index a nil value (global 'os')");
  CHECK(ErrorOf("include(5)") == "config:1: include takes the name of a file, not a number");
  CHECK(ErrorOf("\x1bLua") == "config is compiled Lua, and a config is text");
  Put("more", "a = 'x");
  CHECK(ErrorOf("include 'more'") == "more:1: unfinished string near <eof>");
}

TEST_CASE_METHOD(ConfigFixture, "config file: what cannot be read is named with the reason") {
  CHECK(Read("etc/gone").status().message() ==
        "cannot read etc/gone: No such file or directory");
  CHECK(ErrorOf("\ninclude 'etc/gone'") ==
        "config:2: cannot read etc/gone: No such file or directory");
  CHECK(ErrorOf("include '/project'") == "config:1: cannot read /project: Is a directory");
}

TEST_CASE_METHOD(ConfigFixture, "config file: what never ends is stopped") {
  CHECK(ErrorOf("\nwhile true do end") ==
        "config:2: the config has run 10000000 instructions and has not ended; is this an endless "
        "loop?");
  CHECK(ErrorOf("\nx = ('x'):rep(1 << 30)") == "config: the config needs more than 64 MiB");
  CHECK(ErrorOf("local function f() return 1 + f() end\nf()") ==
        "config: the config needs more than 64 MiB");
}

}  // namespace
}  // namespace skysim
