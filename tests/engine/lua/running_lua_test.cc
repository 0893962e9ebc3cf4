#include "engine/lua/running_lua.h"

#include <atomic>
#include <string>
#include <thread>

#include "catch2/catch_test_macros.hpp"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {
namespace {

void Raise(lua_State* L, lua_Debug*) {
  lua_sethook(L, nullptr, 0, 0);
  lua_pushliteral(L, "stopped");
  lua_error(L);
}

// A VM whose chunks run on whatever thread calls Run().
class RunningLuaFixture {
 public:
  RunningLuaFixture() { luaL_openlibs(L_); }
  ~RunningLuaFixture() { lua_close(L_); }

  // The chunk's error, or "".
  std::string Run(const char* chunk) {
    running.Set(L_);
    std::string error;
    if (luaL_dostring(L_, chunk) != LUA_OK) error = lua_tostring(L_, -1);
    lua_settop(L_, 0);
    running.Set(nullptr);
    return error;
  }

  RunningLua running;

 private:
  lua_State* L_ = luaL_newstate();
};

// What needs no system call at all would not end under ThreadSanitizer, which keeps signals back.
constexpr char kEndless[] = "while true do os.time() end";

TEST_CASE("another thread stops a loop that does not end") {
  RunningLuaFixture fixture;
  std::string error;
  std::thread worker([&] { error = fixture.Run(kEndless); });

  while (!fixture.running.HookSoon(Raise, LUA_MASKCOUNT)) std::this_thread::yield();
  worker.join();

  CHECK(error == "stopped");
}

TEST_CASE("a hook for what does not run is put nowhere") {
  RunningLuaFixture fixture;

  CHECK(!fixture.running.HookSoon(Raise, LUA_MASKCOUNT));
  CHECK(!fixture.running.Hook(Raise, LUA_MASKCOUNT));

  CHECK(fixture.Run("for i = 1, 1000 do end").empty());
}

TEST_CASE("a coroutine is not left before the hook that it was given is put") {
  RunningLuaFixture fixture;
  std::atomic<bool> is_over{false};
  std::thread meddler([&] {
    while (!is_over) fixture.running.HookSoon(Raise, LUA_MASKCOUNT);
  });

  int stopped = 0, runs = 0;
  while (stopped < 20) {
    // Turns that are over at once: many a signal comes while the worker waits to leave.
    std::string error = fixture.Run(++runs % 100 == 0 ? kEndless : "");
    if (error == "stopped") ++stopped;
  }
  is_over = true;
  meddler.join();

  CHECK(!fixture.running.is_running());
  fixture.Run("");  // what was put last stops this one, or nothing
  CHECK(fixture.Run("for i = 1, 1000 do end").empty());
}

TEST_CASE("a thread stops what it runs itself, as a service that signals itself does") {
  RunningLua running;
  lua_State* L = luaL_newstate();
  lua_pushlightuserdata(L, &running);
  lua_setglobal(L, "running");
  lua_register(L, "stop", [](lua_State* state) {
    lua_getglobal(state, "running");
    auto* self = static_cast<RunningLua*>(lua_touserdata(state, -1));
    lua_pushboolean(state, self->HookSoon(Raise, LUA_MASKCOUNT));
    return 1;
  });

  running.Set(L);
  bool failed = luaL_dostring(L, "stop() while true do stop() end");
  running.Set(nullptr);

  CHECK(failed);
  lua_close(L);
}

}  // namespace
}  // namespace skysim
