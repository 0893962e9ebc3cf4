// What the project relies on in its own build of Lua: see lua_api.h and lua_hooks.h.
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "catch2/catch_test_macros.hpp"
#include "tools/third_party/lua/lua_api.h"
#include "tools/third_party/lua/lua_hooks.h"

namespace {

struct CloseState {
  void operator()(lua_State* state) const { lua_close(state); }
};
using State = std::unique_ptr<lua_State, CloseState>;

void* PlainAllocate(void*, void* block, size_t, size_t size) {
  if (size == 0) {
    std::free(block);
    return nullptr;
  }
  return std::realloc(block, size);
}

// Knows the seed request; `user_data` is a uint32_t, the seed.
void* SeededAllocate(void* user_data, void* block, size_t old_size, size_t size) {
  if (block == nullptr && old_size == kSkysimLuaSeedRequest && size == 0) {
    return reinterpret_cast<void*>(uintptr_t{*static_cast<uint32_t*>(user_data)});
  }
  return PlainAllocate(nullptr, block, old_size, size);
}

State OpenedState(lua_Alloc allocate, void* user_data) {
  State state(lua_newstate(allocate, user_data));
  REQUIRE(state != nullptr);
  luaL_openlibs(state.get());
  return state;
}

// Runs `script` in `state` and returns the string that it returns, or its error.
std::string Run(const State& state, const char* script) {
  lua_State* lua = state.get();
  if (luaL_loadstring(lua, script) == LUA_OK) lua_pcall(lua, 0, 1, 0);
  const char* text = lua_tostring(lua, -1);
  std::string result = text != nullptr ? text : "(no string)";
  lua_pop(lua, 1);
  return result;
}

// The order in which pairs() walks 26 string keys: equal by chance for two seeds only rarely.
std::string PairsOrder(lua_Alloc allocate, void* user_data) {
  return Run(OpenedState(allocate, user_data), R"(
    local set, order = {}, {}
    for byte = 97, 122 do set[string.char(byte)] = true end
    for key in pairs(set) do order[#order + 1] = key end
    return table.concat(order))");
}

struct CountsDestructions {
  ~CountsDestructions() { ++*count; }
  int* count;
};

int FailWithAnObjectAlive(lua_State* lua) {
  CountsDestructions object{static_cast<int*>(lua_touserdata(lua, lua_upvalueindex(1)))};
  return luaL_error(lua, "no more %s", "mail");
}

int YieldTwice(lua_State* lua) {
  return lua_yieldk(lua, 0, 0, [](lua_State* again, int, lua_KContext) -> int {
    return lua_yieldk(again, 0, 0, [](lua_State* last, int, lua_KContext) -> int {
      lua_pushliteral(last, "done");
      return 1;
    });
  });
}

}  // namespace

TEST_CASE("a Lua error runs the destructors of the C++ frames that it leaves") {
  State state = OpenedState(PlainAllocate, nullptr);
  int destructions = 0;
  lua_pushlightuserdata(state.get(), &destructions);
  lua_pushcclosure(state.get(), FailWithAnObjectAlive, 1);

  const int status = lua_pcall(state.get(), 0, 0, 0);

  CHECK(status == LUA_ERRRUN);
  CHECK(std::string(lua_tostring(state.get(), -1)) == "no more mail");
  CHECK(destructions == 1);
}

TEST_CASE("a C function yields and is continued where it stopped") {
  State state = OpenedState(PlainAllocate, nullptr);
  lua_register(state.get(), "yield_twice", YieldTwice);

  const std::string result = Run(state, R"(
    local task = coroutine.wrap(function() return yield_twice() end)
    local yields = 0
    local answer
    repeat
      answer = task()
      if not answer then yields = yields + 1 end
    until answer
    return yields .. " yields, then " .. answer)");

  CHECK(result == "2 yields, then done");
}

TEST_CASE("an error inside a coroutine ends that coroutine only, also after a yield across pcall") {
  State state = OpenedState(PlainAllocate, nullptr);

  const std::string result = Run(state, R"(
    local task = coroutine.create(function()
      local ok, problem = pcall(function() coroutine.yield() error("inner", 0) end)
      coroutine.yield(problem)
      error("outer", 0)
    end)
    coroutine.resume(task)
    local _, inner = coroutine.resume(task)
    local ok, outer = coroutine.resume(task)
    return table.concat({inner, tostring(ok), outer, coroutine.status(task)}, " "))");

  CHECK(result == "inner false outer dead");
}

TEST_CASE("states with the same seed walk a table in the same order, with another seed not") {
  uint32_t seed = 7;
  const std::string first = PairsOrder(SeededAllocate, &seed);
  const std::string again = PairsOrder(SeededAllocate, &seed);
  seed = 8;
  const std::string other = PairsOrder(SeededAllocate, &seed);

  CHECK(first.size() == 26);
  CHECK(first == again);
  CHECK(first != other);
}

TEST_CASE("an allocator that does not know the seed request gets the default seed") {
  uint32_t seed = kSkysimLuaDefaultSeed;
  uint32_t zero = 0;

  const std::string order = PairsOrder(PlainAllocate, nullptr);

  CHECK(order == PairsOrder(SeededAllocate, &seed));
  CHECK(order == PairsOrder(SeededAllocate, &zero));
}

TEST_CASE("the API has C names, which a module finds in the program") {
  void* program = dlopen(nullptr, RTLD_NOW);
  REQUIRE(program != nullptr);

  CHECK(dlsym(program, "lua_newstate") == reinterpret_cast<void*>(&lua_newstate));
  CHECK(dlsym(program, "luaL_checkinteger") == reinterpret_cast<void*>(&luaL_checkinteger));
  CHECK(dlsym(program, "luaopen_string") == reinterpret_cast<void*>(&luaopen_string));
  dlclose(program);
}

TEST_CASE("a module compiled as C loads, answers, and raises errors through its C frames") {
  State state = OpenedState(PlainAllocate, nullptr);

  const std::string result = Run(state, R"(
    package.cpath = "./tests/tools/third_party/lua/?.so"
    local halves = require "halves"
    local ok, problem = pcall(halves.halve, 7)
    return halves.halve(42) .. " " .. problem)");

  CHECK(result == "21 7 is odd");
}
