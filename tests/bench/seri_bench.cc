// How long packing and unpacking of typical messages takes, per message, in nanoseconds of CPU.
#include <cstdio>
#include <ctime>
#include <string>

#include "engine/lua/seri_lua.h"
#include "tests/engine/lua/module_fixture.h"

namespace skysim {
namespace {

constexpr int kRounds = 300000;

struct Message {
  const char* name;
  const char* values;  // a Lua expression list
};

constexpr Message kMessages[] = {
    {"call of three arguments", "'get', 12345, 'player:100'"},
    {"record of eight fields",
     "'set', {id = 1001, name = 'somebody', level = 33, hp = 100, mp = 50.5, x = 1, y = 2, ok = true}"},
    {"array of 100 integers",
     "(function() local t = {} for i = 1, 100 do t[i] = i * 37 end return t end)()"},
    {"ten records in a list",
     "(function() local t = {} for i = 1, 10 do t[i] = {id = i, n = 'x' .. i} end return t end)()"},
    {"string of 10000 bytes", "'put', ('x'):rep(10000)"},
};

double CpuNs() { return static_cast<double>(std::clock()) * 1e9 / CLOCKS_PER_SEC; }

void Measure(ModuleFixture& fixture, const Message& message) {
  lua_State* const L = fixture.L();
  lua_settop(L, 0);
  luaL_dostring(L, ("return " + std::string(message.values)).c_str());
  Memory& memory = fixture.memory();
  const double begin = CpuNs();
  size_t bytes = 0;
  for (int i = 0; i < kRounds; ++i) {
    SeriBuffer buffer(memory);
    PackValues(L, 1, buffer);
    const SeriBuffer::Block block = buffer.Detach();
    bytes = block.size;
    memory.Free(block.data);
  }
  const double packed = CpuNs();
  SeriBuffer buffer(memory);
  PackValues(L, 1, buffer);
  const int top = lua_gettop(L);
  for (int i = 0; i < kRounds; ++i) {
    UnpackValues(L, buffer.view().data(), buffer.view().size());
    lua_settop(L, top);
  }
  const double unpacked = CpuNs();
  std::printf("%-26s %6zu bytes  pack %7.0f ns  unpack %7.0f ns\n", message.name, bytes,
              (packed - begin) / kRounds, (unpacked - packed) / kRounds);
}

}  // namespace
}  // namespace skysim

int main() {
  skysim::ModuleFixture fixture;
  for (const skysim::Message& message : skysim::kMessages) skysim::Measure(fixture, message);
  return 0;
}
