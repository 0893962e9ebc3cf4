// What the project relies on in its own build of Lua: see lua_api.h and lua_hooks.h.
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

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

// Numbers 1, 2, 3 in the order in which `functions` became keys of a table, as pairs() meets them.
std::string KeyOrder(const State& state, const std::vector<lua_CFunction>& functions) {
  lua_State* lua = state.get();
  lua_newtable(lua);
  for (size_t i = 0; i < functions.size(); ++i) {
    lua_pushcfunction(lua, functions[i]);
    lua_pushinteger(lua, static_cast<lua_Integer>(i));
    lua_rawset(lua, -3);
  }
  std::string order;
  for (lua_pushnil(lua); lua_next(lua, -2) != 0; lua_pop(lua, 1)) {
    order += std::to_string(lua_tointeger(lua, -1)) + " ";
  }
  lua_pop(lua, 1);
  return order;
}

TEST_CASE("where the code of C functions is does not decide the order of a table with such keys") {
  State state = OpenedState(&PlainAllocate, nullptr);
  std::vector<lua_CFunction> functions = {luaopen_base,  luaopen_table, luaopen_string,
                                          luaopen_math,  luaopen_utf8,  luaopen_coroutine,
                                          luaopen_debug, luaopen_io,    luaopen_os};

  const std::string order = KeyOrder(state, functions);
  for (size_t turn = 1; turn < functions.size(); ++turn) {
    std::rotate(functions.begin(), functions.begin() + 1, functions.end());
    CHECK(KeyOrder(state, functions) == order);
  }
  std::reverse(functions.begin(), functions.end());
  CHECK(KeyOrder(state, functions) == order);
}

TEST_CASE("C functions are found as keys, and leave a table") {
  CHECK(Run(OpenedState(&PlainAllocate, nullptr), R"(
    local names, count = {}, 0
    for _, library in ipairs { _G, string, table, math, coroutine, io, os, debug, utf8 } do
      for name, value in pairs(library) do
        if type(value) == "function" then names[value], count = name, count + 1 end
      end
    end
    assert(count > 100 and names[print] == "print" and names[utf8.char] == "char")
    for key in pairs(names) do names[key] = nil end
    assert(next(names) == nil and names[print] == nil)
    return "all")") == "all");
}

TEST_CASE("a long C string becomes a new string each time, a short one is always the same") {
  State state = OpenedState(&PlainAllocate, nullptr);
  const auto is_same = [&](const char* one, const char* other) {
    lua_pushstring(state.get(), one);
    lua_pushstring(state.get(), other);
    return lua_topointer(state.get(), -1) == lua_topointer(state.get(), -2);
  };
  const std::string long_text(41, 'x');  // one more than LUAI_MAXSHORTLEN
  const std::string short_text(40, 'x');

  CHECK_FALSE(is_same(long_text.c_str(), long_text.c_str()));
  CHECK(is_same(short_text.c_str(), short_text.c_str()));
  CHECK(is_same(short_text.c_str(), long_text.c_str() + 1));
}

// Numbers every C function 0x70.
void* NumberingAllocate(void*, void* block, size_t old_size, size_t size) {
  if (block == nullptr && old_size > kSkysimLuaSeedRequest && size == 0) {
    return reinterpret_cast<void*>(uintptr_t{0x70});
  }
  return PlainAllocate(nullptr, block, old_size, size);
}

TEST_CASE("tostring and %p show of a C function what the allocator says") {
  const char* show = "return tostring(print) .. ' ' .. string.format('%p', print)";

  CHECK(Run(OpenedState(&NumberingAllocate, nullptr), show) == "function: 0x70 0x70");
  // One that knows nothing of it leaves the address.
  CHECK(Run(OpenedState(&PlainAllocate, nullptr), show) != "function: 0x70 0x70");
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
