#include "engine/lua/memory_module.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/node.h"
#include "engine/lua/lua_service.h"
#include "engine/lua/vm.h"

namespace skysim {

namespace {

Node& NodeOf(lua_State* L) {
  Node* node = VmOf(L).node;
  if (node == nullptr) luaL_error(L, "Init skynet context first");
  return *node;
}

void Log(lua_State* L, absl::string_view text) {
  NodeOf(L).Log(VmOf(L).service->handle(), text);
}

// Lowest handle first.
std::vector<std::pair<Handle, size_t>> Services(lua_State* L) {
  Node& node = NodeOf(L);
  std::vector<std::pair<Handle, size_t>> services;
  for (Handle handle : node.registry().Handles()) {
    const ServiceRef ref = node.registry().Find(handle);
    if (ref.get() == nullptr) continue;
    const auto* service = dynamic_cast<const LuaService*>(&ref->service());
    if (service != nullptr) services.emplace_back(handle, service->memory_bytes());
  }
  return services;
}

size_t Sum(const std::vector<std::pair<Handle, size_t>>& services) {
  size_t sum = 0;
  for (const auto& [handle, bytes] : services) sum += bytes;
  return sum;
}

int Total(lua_State* L) {
  lua_pushinteger(L, static_cast<lua_Integer>(Sum(Services(L))));
  return 1;
}

int Block(lua_State* L) {
  lua_pushinteger(L, 0);
  return 1;
}

int Current(lua_State* L) {
  lua_pushinteger(L, static_cast<lua_Integer>(LuaServiceOf(L).memory_bytes()));
  return 1;
}

int Info(lua_State* L) {
  const auto services = Services(L);
  lua_createtable(L, 0, static_cast<int>(services.size()));
  for (const auto& [handle, bytes] : services) {
    lua_pushinteger(L, static_cast<lua_Integer>(bytes));
    lua_rawseti(L, -2, handle);
  }
  return 1;
}

int Dump(lua_State* L) {
  const auto services = Services(L);
  for (const auto& [handle, bytes] : services) {
    Log(L, absl::StrFormat("%s -> %.2f Kb", FormatHandle(handle),
                           static_cast<double>(bytes) / 1024));
  }
  Log(L, absl::StrFormat("total: %.2f Kb", static_cast<double>(Sum(services)) / 1024));
  return 0;
}

void LogMissing(lua_State* L, absl::string_view name) {
  Log(L, absl::StrCat("No jemalloc: ", name, "."));
}

int DumpInfo(lua_State* L) {
  luaL_optstring(L, 1, nullptr);
  LogMissing(L, "dumpinfo");
  return 0;
}

int DumpHeap(lua_State* L) {
  LogMissing(L, "dumpheap");
  return 0;
}

int ProfActive(lua_State* L) {
  LogMissing(L, "profactive");
  lua_pushboolean(L, 0);
  return 1;
}

int Mallctl(lua_State* L) {
  const std::string name = luaL_checkstring(L, 1);
  LogMissing(L, name);
  lua_pushinteger(L, 0);
  return 1;
}

int Jestat(lua_State* L) {
  LogMissing(L, "jestat");
  lua_createtable(L, 0, 5);
  for (const char* name : {"stats.allocated", "stats.resident", "stats.retained", "stats.mapped",
                           "stats.active"}) {
    lua_pushinteger(L, 0);
    lua_setfield(L, -2, name);
  }
  return 1;
}

}  // namespace

int OpenMemory(lua_State* L) {
  const luaL_Reg functions[] = {
      {"total", Total},       {"block", Block},           {"current", Current},
      {"info", Info},         {"dump", Dump},             {"dumpinfo", DumpInfo},
      {"dumpheap", DumpHeap}, {"profactive", ProfActive}, {"mallctl", Mallctl},
      {"jestat", Jestat},     {nullptr, nullptr},
  };
  luaL_newlib(L, functions);
  return 1;
}

}  // namespace skysim
