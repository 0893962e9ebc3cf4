#include "simnet/world/watchdog.h"

#include <string>

#include "catch2/catch_test_macros.hpp"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {
namespace {

// Runs a chunk in a VM that the watchdog knows; its error, or "".
class WatchdogFixture {
 public:
  WatchdogFixture() { luaL_openlibs(L_); }
  ~WatchdogFixture() { lua_close(L_); }

  std::string Run(const char* chunk) {
    watchdog.running().Set(L_);
    std::string error;
    if (luaL_dostring(L_, chunk) != LUA_OK) error = lua_tostring(L_, -1);
    lua_settop(L_, 0);
    watchdog.running().Set(nullptr);
    return error;
  }

  Watchdog watchdog{2, 50'000'000};  // 2 x 50 ms of CPU

 private:
  lua_State* L_ = luaL_newstate();
};

TEST_CASE("an endless loop is stopped with an error that names its line") {
  WatchdogFixture fixture;

  std::string error = fixture.Run("local x = 0\nwhile true do\n  x = x + 1\nend");

  CHECK(fixture.watchdog.has_fired());
  CHECK((error.find(":2:") != std::string::npos || error.find(":3:") != std::string::npos));
  CHECK(error.find("endless loop") != std::string::npos);
}

TEST_CASE("an endless loop cannot save itself with pcall") {
  WatchdogFixture fixture;

  fixture.Run("while true do pcall(function() while true do end end) end");

  CHECK(fixture.watchdog.has_fired());
}

TEST_CASE("a run that is not endless is left alone") {
  WatchdogFixture fixture;

  CHECK(fixture.Run("for i = 1, 1000 do end").empty());
  CHECK(!fixture.watchdog.has_fired());
}

}  // namespace
}  // namespace skysim
