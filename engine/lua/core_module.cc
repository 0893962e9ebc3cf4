#include "engine/lua/core_module.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/commands.h"
#include "engine/core/node.h"
#include "engine/lua/lua_service.h"
#include "engine/lua/seri_lua.h"
#include "engine/lua/vm.h"

namespace skysim {

namespace {

// -- Lua functions --------------------------------------------------------------------------------

std::string Parameter(lua_State* L, int index) {
  if (lua_isnoneornil(L, index)) return "";
  size_t size = 0;
  const char* text = luaL_checklstring(L, index, &size);
  return std::string(text, size);
}

int CoreCommand(lua_State* L) {
  ServiceContext& context = ServiceOf(L);
  std::optional<std::string> result = RunCommand(context, luaL_checkstring(L, 1), Parameter(L, 2));
  if (!result) return 0;
  lua_pushlstring(L, result->data(), result->size());
  return 1;
}

int CoreIntCommand(lua_State* L) {
  ServiceContext& context = ServiceOf(L);
  std::string parameter = lua_type(L, 2) == LUA_TNUMBER
                              ? absl::StrCat(static_cast<int32_t>(luaL_checkinteger(L, 2)))
                              : Parameter(L, 2);
  std::optional<std::string> result = RunCommand(context, luaL_checkstring(L, 1), parameter);
  if (!result) return 0;
  char* end = nullptr;
  long long integer = std::strtoll(result->c_str(), &end, 0);
  if (end != result->c_str() && *end == '\0') {
    lua_pushinteger(L, integer);
    return 1;
  }
  double number = 0;
  if (!absl::SimpleAtod(*result, &number)) {
    return luaL_error(L, "Invalid result %s", result->c_str());
  }
  lua_pushnumber(L, number);
  return 1;
}

int CoreAddressCommand(lua_State* L) {
  ServiceContext& context = ServiceOf(L);
  std::optional<std::string> result = RunCommand(context, luaL_checkstring(L, 1), Parameter(L, 2));
  std::optional<Handle> handle;
  if (result) handle = ParseHandle(*result);
  if (!handle) return 0;
  lua_pushinteger(L, *handle);
  return 1;
}

MessageType CheckType(lua_State* L, int index) {
  lua_Integer type = luaL_checkinteger(L, index);
  luaL_argcheck(L, type >= 0 && type <= 255, index, "message type must be in [0,255]");
  return static_cast<MessageType>(type);
}

int SendAs(lua_State* L, Handle source, int type_index) {
  ServiceContext& context = ServiceOf(L);
  Destination to = CheckDestination(L, 1);
  MessageType type = CheckType(L, type_index);
  int32_t session = lua_isnil(L, type_index + 1)
                        ? context.NewSession()
                        : static_cast<int32_t>(luaL_checkinteger(L, type_index + 1));
  Payload payload = TakePayload(L, type_index + 2);
  Message message;
  message.source = source;
  message.session = session;
  message.type = type;
  message.payload = std::move(payload);
  message.cause = context.cause();
  bool is_sent = to.is_global ? context.node().SendGlobal(to.name, std::move(message))
                              : context.node().Send(to.handle, std::move(message));
  if (!is_sent) return 0;
  lua_pushinteger(L, session);
  return 1;
}

int CoreSend(lua_State* L) { return SendAs(L, ServiceOf(L).handle(), 2); }

int CoreRedirect(lua_State* L) {
  Handle source = 0;
  if (lua_isinteger(L, 2)) {
    source = static_cast<Handle>(lua_tointeger(L, 2));
  } else {
    source = CheckDestination(L, 2).handle;
  }
  return SendAs(L, source, 3);
}

int CoreGenId(lua_State* L) {
  lua_pushinteger(L, ServiceOf(L).NewSession());
  return 1;
}

int CoreError(lua_State* L) {
  ServiceContext& context = ServiceOf(L);
  std::string text;
  for (int i = 1, top = lua_gettop(L); i <= top; ++i) {
    size_t size = 0;
    const char* part = luaL_tolstring(L, i, &size);
    absl::StrAppend(&text, i == 1 ? "" : " ", absl::string_view(part, size));
    lua_pop(L, 1);
  }
  context.node().Log(context.handle(), text);
  return 0;
}

int CoreHarbor(lua_State* L) {
  auto handle = static_cast<Handle>(luaL_checkinteger(L, 1));
  uint32_t harbor = HarborOf(handle);
  lua_pushinteger(L, harbor);
  lua_pushboolean(L, harbor != 0 && harbor != ServiceOf(L).node().harbor());
  return 2;
}

int CoreCallback(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  bool forwards = lua_toboolean(L, 2);
  lua_settop(L, 1);
  LuaServiceOf(L).SetCallback(L, forwards);
  return 0;
}

int CoreTrace(lua_State* L) {
  ServiceOf(L);
  std::string tag = luaL_checkstring(L, 1);
  std::string text = luaL_checkstring(L, 2);
  lua_State* stack_of = lua_tothread(L, 3);
  if (stack_of == nullptr && lua_isinteger(L, 3)) stack_of = L;
  VmOf(L).tasks->TraceLog(tag, text, stack_of);
  return 0;
}

int CoreToString(lua_State* L) {
  if (lua_isnoneornil(L, 1)) return 0;
  if (lua_type(L, 1) == LUA_TSTRING) {
    lua_settop(L, 1);
    return 1;
  }
  luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
  auto* bytes = static_cast<const char*>(lua_touserdata(L, 1));
  lua_Integer size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size >= 0, 2, "size must not be negative");
  lua_pushlstring(L, bytes == nullptr ? "" : bytes, bytes == nullptr ? 0 : size);
  return 1;
}

int CoreTrash(lua_State* L) {
  int type = lua_type(L, 1);
  if (type == LUA_TLIGHTUSERDATA) {
    luaL_checkinteger(L, 2);
    MemoryOf(L).Free(lua_touserdata(L, 1));
  } else if (type != LUA_TSTRING && !lua_isnoneornil(L, 1)) {
    return luaL_error(L, "skynet.trash invalid param %s", lua_typename(L, type));
  }
  return 0;
}

int CoreNow(lua_State* L) {
  lua_pushinteger(L, ServiceOf(L).node().timers().Now());
  return 1;
}

int CoreHpc(lua_State* L) {
  lua_pushinteger(L, VmOf(L).platform->clock.MeasureNs());
  return 1;
}

}  // namespace

ServiceContext& ServiceOf(lua_State* L) {
  ServiceContext* service = VmOf(L).service;
  if (service == nullptr) luaL_error(L, "Init skynet context first");
  return *service;
}

Payload TakePayload(lua_State* L, int index) {
  switch (lua_type(L, index)) {
    case LUA_TSTRING: {
      size_t size = 0;
      const char* bytes = lua_tolstring(L, index, &size);
      return Payload::Copy(MemoryOf(L), absl::string_view(bytes, size));
    }
    case LUA_TLIGHTUSERDATA: {
      lua_Integer size = luaL_checkinteger(L, index + 1);
      luaL_argcheck(L, size >= 0, index + 1, "size must not be negative");
      return Payload(MemoryOf(L), static_cast<char*>(lua_touserdata(L, index)), size);
    }
    case LUA_TNIL:
    case LUA_TNONE: return Payload();
    default: luaL_error(L, "invalid param %s", luaL_typename(L, index)); return Payload();
  }
}

Destination CheckDestination(lua_State* L, int index) {
  Destination to;
  if (lua_isinteger(L, index)) {
    to.handle = static_cast<Handle>(lua_tointeger(L, index));
    if (to.handle == 0) luaL_error(L, "Invalid service address 0");
    return to;
  }
  if (lua_type(L, index) != LUA_TSTRING) {
    int is_number = 0;
    lua_Integer number = lua_tointegerx(L, index, &is_number);
    if (!is_number) {
      luaL_error(L, "dest address type (%s) must be a string or number.", luaL_typename(L, index));
    }
    to.handle = static_cast<Handle>(number);
    return to;
  }
  to.name = lua_tostring(L, index);
  int is_number = 0;
  lua_Integer number = lua_tointegerx(L, index, &is_number);
  if (is_number) {
    to.handle = static_cast<Handle>(number);
    if (to.handle == 0) luaL_error(L, "Invalid service address 0");
    to.name = nullptr;
  } else if (to.name[0] == '.' || to.name[0] == ':') {
    to.handle = ServiceOf(L).node().FindAddress(to.name).value_or(0);
  } else {
    to.is_global = true;
  }
  return to;
}

bool SendTo(ServiceContext& context, const Destination& to, MessageType type, int32_t session,
            Payload payload) {
  if (!to.is_global) return context.Send(to.handle, type, session, std::move(payload));
  Message message;
  message.source = context.handle();
  message.session = session;
  message.type = type;
  message.payload = std::move(payload);
  message.cause = context.cause();
  return context.node().SendGlobal(to.name, std::move(message));
}

int OpenCore(lua_State* L) {
  ServiceOf(L);
  PushCore(L);
  return 1;
}

void PushCore(lua_State* L) {
  const luaL_Reg functions[] = {
      {"send", CoreSend},
      {"redirect", CoreRedirect},
      {"genid", CoreGenId},
      {"command", CoreCommand},
      {"intcommand", CoreIntCommand},
      {"addresscommand", CoreAddressCommand},
      {"error", CoreError},
      {"harbor", CoreHarbor},
      {"callback", CoreCallback},
      {"trace", CoreTrace},
      {"tostring", CoreToString},
      {"pack", SeriPack},
      {"unpack", SeriUnpack},
      {"packstring", SeriPackString},
      {"trash", CoreTrash},
      {"now", CoreNow},
      {"hpc", CoreHpc},
      {nullptr, nullptr},
  };
  luaL_newlib(L, functions);
}

}  // namespace skysim
