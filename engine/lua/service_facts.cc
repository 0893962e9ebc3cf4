#include "engine/lua/service_facts.h"

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/commands.h"
#include "engine/core/node.h"
#include "engine/lua/core_module.h"
#include "engine/lua/lua_text.h"

namespace skysim {

namespace {

int Self(lua_State* L) {
  lua_pushinteger(L, ServiceOf(L).handle());
  return 1;
}

// localname(".name") -> handle, or nothing
int LocalName(lua_State* L) {
  std::string name = lua_isnoneornil(L, 1) ? "" : luaL_checkstring(L, 1);
  if (!absl::StartsWith(name, ".")) return 0;
  std::optional<Handle> handle = ServiceOf(L).node().FindAddress(name);
  if (!handle) return 0;
  lua_pushinteger(L, *handle);
  return 1;
}

// address(handle) -> ":0000000a"; of anything else, its text
int AddressText(lua_State* L) {
  lua_settop(L, 1);
  if (lua_type(L, 1) != LUA_TNUMBER) {
    luaL_tolstring(L, 1, nullptr);
    return 1;
  }
  std::string text = absl::StrFormat(":%08x", luaL_checkinteger(L, 1));
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

int StartTime(lua_State* L) {
  lua_pushinteger(L, ServiceOf(L).node().timers().StartTime());
  return 1;
}

// Seconds since 1970, to the centisecond.
int Time(lua_State* L) {
  const Timers& timers = ServiceOf(L).node().timers();
  lua_pushnumber(L, static_cast<lua_Number>(timers.Now()) / 100 +
                        static_cast<lua_Number>(timers.StartTime()));
  return 1;
}

// nil if the key is not set, never no value.
int GetEnv(lua_State* L) {
  const std::string* value = nullptr;
  if (!lua_isnoneornil(L, 1)) value = ServiceOf(L).node().GetEnv(luaL_checkstring(L, 1));
  if (value == nullptr) {
    lua_pushnil(L);
  } else {
    lua_pushlstring(L, value->data(), value->size());
  }
  return 1;
}

int SetEnv(lua_State* L) {
  ServiceContext& context = ServiceOf(L);
  std::string key = luaL_checkstring(L, 1);
  lua_settop(L, 2);
  if (context.node().GetEnv(key) != nullptr) {
    lua_pushfstring(L, "Can't setenv exist key : %s", key.c_str());
    return lua_error(L);
  }
  RunCommand(context, "SETENV", absl::StrCat(key, " ", ToText(L, 2)));
  return 0;
}

int MailboxLength(lua_State* L) {
  lua_pushinteger(L, static_cast<lua_Integer>(ServiceOf(L).mailbox_size()));
  return 1;
}

// Did the monitor see this service in an endless loop since the last call?
int Endless(lua_State* L) {
  lua_pushboolean(L, ServiceOf(L).TakeEndless());
  return 1;
}

}  // namespace

void AddServiceFacts(lua_State* L) {
  const luaL_Reg functions[] = {
      {"self", Self},           {"localname", LocalName}, {"address", AddressText},
      {"starttime", StartTime}, {"time", Time},           {"getenv", GetEnv},
      {"setenv", SetEnv},       {"mqlen", MailboxLength}, {"endless", Endless},
      {nullptr, nullptr},
  };
  luaL_setfuncs(L, functions, 0);
}

}  // namespace skysim
