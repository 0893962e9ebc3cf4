// A service that reports facts must run unchanged where nothing is simulated.
#include <cstdlib>
#include <string>

#include "catch2/catch_test_macros.hpp"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {
namespace {

TEST_CASE("require \"sim\" does nothing outside of a simulation") {
  lua_State* L = luaL_newstate();
  luaL_openlibs(L);
  const char* sources = std::getenv("TEST_SRCDIR");
  std::string home = std::string(sources == nullptr ? "." : sources) + "/skysim";
  std::string path = "package.path = '" + home + "/lualib/?.lua'";
  REQUIRE(luaL_dostring(L, path.c_str()) == LUA_OK);

  int status = luaL_dostring(L, R"(
    local sim = require "sim"
    sim.probe("sale", "sword", 3)
    sim.guarantee("never judged", false)
    sim.allowed("never judged", false)
    sim.reachable "a corner"
    sim.sometimes "seldom"(true)
    sim.usual("never judged", false)
    sim.sent("notices", 1, "send", 100)
    sim.handled("notices", 1)
    assert(sim.history("bank"):call("client", "add", 1, function() return 5 end) == 5)
    assert(not pcall(sim.history("bank").call, sim.history "bank", "client", "add", 1, error))
    assert(sim.liveness("never waited for", function() return false end, "1s"))
    assert(sim.setting("size", 5) == 5)
    assert(sim.legacy "relay-race" == false)
    local declared = sim.scenario "c" { network = { delay = sim.uniform("1ms", "2ms") } }
    assert(sim.declared == declared)
  )");
  INFO(lua_tostring(L, -1));
  CHECK(status == LUA_OK);
  lua_close(L);
}

}  // namespace
}  // namespace skysim
