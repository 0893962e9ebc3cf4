#include "engine/lua/coroutine_meter.h"

#include "engine/lua/task_scheduler.h"
#include "engine/lua/vm.h"

// The registry holds a table with weak keys: coroutine -> userdata Meter.

namespace skysim {

namespace {

const char kMeters[] = "skynet.profile";  // registry key

struct Meter {
  int64_t began_ns;  // CPU time at the last resume; -1: it is suspended
  int64_t total_ns;
};

int64_t CpuNs(lua_State* L) { return VmOf(L).platform->clock.CpuNs(); }

void PushCoroutine(lua_State* L, lua_State* co) {
  lua_checkstack(co, 1);
  lua_pushthread(co);
  if (L != co) lua_xmove(co, L, 1);
}

// The meter of `co`, null if there is none. Leaves the stack as it is.
Meter* FindMeter(lua_State* L, lua_State* co) {
  luaL_checkstack(L, 3, "profile");
  Meter* meter = nullptr;
  if (lua_getfield(L, LUA_REGISTRYINDEX, kMeters) == LUA_TTABLE) {
    PushCoroutine(L, co);
    lua_rawget(L, -2);
    meter = static_cast<Meter*>(lua_touserdata(L, -1));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return meter;
}

// Whether `co` is on the way from a task to what runs now.
bool IsActive(lua_State* L, lua_State* co) {
  if (L == co) return true;
  lua_Debug frame;
  return lua_status(co) == LUA_OK && lua_getstack(co, 0, &frame) != 0;
}

void SetMeter(lua_State* L, lua_State* co) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, kMeters) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, kMeters);
  }
  PushCoroutine(L, co);
  auto* meter = static_cast<Meter*>(lua_newuserdatauv(L, sizeof(Meter), 0));
  *meter = Meter{IsActive(L, co) ? CpuNs(L) : -1, 0};
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

}  // namespace

bool StartMeter(lua_State* L, lua_State* co) {
  if (FindMeter(L, co) != nullptr) return false;
  VmOf(L).tasks->MeterCoroutines();
  luaL_checkstack(L, 4, "profile");
  SetMeter(L, co);
  return true;
}

int64_t StopMeter(lua_State* L, lua_State* co) {
  Meter* meter = FindMeter(L, co);
  if (meter == nullptr) return -1;
  const int64_t total =
      meter->total_ns + (meter->began_ns < 0 ? 0 : CpuNs(L) - meter->began_ns);
  lua_getfield(L, LUA_REGISTRYINDEX, kMeters);
  PushCoroutine(L, co);
  lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return total;
}

void MeterResumed(lua_State* L, lua_State* co) {
  if (!VmOf(L).tasks->meters_coroutines()) return;
  Meter* meter = FindMeter(L, co);
  if (meter != nullptr) meter->began_ns = CpuNs(L);
}

void MeterSuspended(lua_State* L, lua_State* co) {
  if (!VmOf(L).tasks->meters_coroutines()) return;
  Meter* meter = FindMeter(L, co);
  if (meter == nullptr || meter->began_ns < 0) return;
  meter->total_ns += CpuNs(L) - meter->began_ns;
  meter->began_ns = -1;
}

}  // namespace skysim
