#include "engine/lua/vm.h"

#include <string>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/lua/counting_memory.h"
#include "tools/third_party/lua/state_image.h"

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

// An image of the libraries.
void OpenLibraries(lua_State* L) {
  luaL_openlibs(L);
  REQUIRE(luaL_dostring(L, "math.randomseed(1)") == LUA_OK);  // Lua takes clock and address
}

TEST_CASE("a VM copied from an image has its context and its own memory, and frees it all") {
  auto image = StateImage::Make(1, OpenLibraries);
  CountingMemory memory;
  {
    VmContext context;
    context.service = reinterpret_cast<ServiceContext*>(0x10);  // never used
    LuaVm vm(memory, *image, context), other(memory, *image, VmContext{});
    size_t bytes = 0;
    for (size_t i = 0; i < image->pieces(); ++i) bytes += image->piece_bytes(i);

    CHECK(memory.live() == 2 * static_cast<int>(image->pieces()));
    CHECK(vm.bytes_used() == bytes);
    CHECK(VmOf(vm.state()).service == context.service);
    CHECK(VmOf(other.state()).service == nullptr);
    CHECK(Run(vm, "for i = 1, 2000 do _G['k' .. i] = { i } end return k2000[1]") == "2000");
    CHECK(vm.bytes_used() > 2 * bytes);
    CHECK(Run(vm, "for i = 1, 2000 do _G['k' .. i] = nil end collectgarbage() return 'x'") == "x");
    CHECK(Run(other, "return tostring(k2000)") == "nil");
    CHECK(other.bytes_used() < 2 * bytes);
    CHECK(Run(other, "return tostring(next)") == "function: 0x10");
  }
  CHECK(memory.live() == 0);
}

TEST_CASE("a VM copied from an image obeys its limit of memory") {
  auto image = StateImage::Make(1, OpenLibraries);
  CountingMemory memory;
  LuaVm vm(memory, *image, VmContext{});
  vm.SetMemoryLimit(vm.bytes_used() + 100'000);

  CHECK(Run(vm, "return select(2, pcall(string.rep, 'x', 200000))") == "not enough memory");
  CHECK(Run(vm, "return #string.rep('x', 10000)") == "10000");
}

}  // namespace
}  // namespace skysim
