#include "engine/lua/vm.h"

#include <string>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/lua/counting_memory.h"

namespace skysim {
namespace {

std::string Run(LuaVm& vm, const char* script) {
  lua_State* L = vm.state();
  REQUIRE(luaL_dostring(L, script) == LUA_OK);
  std::string result = lua_tostring(L, -1);
  lua_pop(L, 1);
  return result;
}

TEST_CASE("a VM shows C functions by numbers, in the order in which it is asked") {
  CountingMemory memory;
  LuaVm vm(memory, 1, VmContext{});
  luaL_openlibs(vm.state());

  CHECK(Run(vm, "return tostring(next)") == "function: 0x10");
  CHECK(Run(vm, "return string.format('%p', print)") == "0x20");
  CHECK(Run(vm, "return tostring(next)") == "function: 0x10");

  LuaVm other(memory, 1, VmContext{});
  luaL_openlibs(other.state());
  CHECK(Run(other, "return tostring(print)") == "function: 0x10");
}

}  // namespace
}  // namespace skysim
