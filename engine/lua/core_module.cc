#include "engine/lua/core_module.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/node.h"
#include "engine/lua/lua_service.h"
#include "engine/lua/seri_lua.h"
#include "engine/lua/skynet_module.h"
#include "engine/lua/vm.h"

namespace skysim {

namespace {

// -- Commands -----------------------------------------------------------------------------------

using Result = std::optional<std::string>;

std::string CommandHandle(Handle handle) { return absl::StrFormat(":%x", handle); }

// The handle that a command's parameter names; logs what it cannot read.
std::optional<Handle> CommandTarget(ServiceContext& context, const std::string& parameter) {
  std::optional<Handle> handle = context.node().FindAddress(parameter);
  if (!handle) {
    context.node().Log(context.handle(),
                       absl::StrCat("error: Can't convert ", parameter, " to handle"));
  }
  return handle;
}

Result Timeout(ServiceContext& context, const std::string& parameter) {
  int32_t ticks = 0;
  if (!absl::SimpleAtoi(parameter, &ticks)) ticks = 0;
  int32_t session = context.NewSession();
  StartTimer(context, session, ticks);
  return absl::StrCat(session);
}

Result Register(ServiceContext& context, const std::string& name, Handle handle) {
  if (name.size() < 2 || name[0] != '.') {
    context.node().Log(context.handle(),
                       absl::StrCat("error: Can't register global name ", name, " in C"));
    return std::nullopt;
  }
  context.node().platform().executor.Flush();
  if (!context.node().registry().AddName(name.substr(1), handle)) return std::nullopt;
  return name.substr(1);
}

Result Reg(ServiceContext& context, const std::string& parameter) {
  if (parameter.empty()) return CommandHandle(context.handle());
  return Register(context, parameter, context.handle());
}

Result Name(ServiceContext& context, const std::string& parameter) {
  size_t blank = parameter.find(' ');
  if (blank == std::string::npos) return std::nullopt;
  std::optional<Handle> handle = ParseHandle(parameter.substr(blank + 1));
  if (!handle || *handle == 0) return std::nullopt;
  return Register(context, parameter.substr(0, blank), *handle);
}

Result Query(ServiceContext& context, const std::string& parameter) {
  if (!absl::StartsWith(parameter, ".")) return std::nullopt;
  std::optional<Handle> handle = context.node().FindAddress(parameter);
  if (!handle) return std::nullopt;
  return CommandHandle(*handle);
}

Result Exit(ServiceContext& context, const std::string&) {
  context.node().Log(context.handle(), "KILL self");
  context.node().Retire(context.handle(), context.handle(), context.cause());
  return std::nullopt;
}

Result Kill(ServiceContext& context, const std::string& parameter) {
  std::optional<Handle> handle = CommandTarget(context, parameter);
  if (!handle) return std::nullopt;
  if (*handle == context.handle()) return Exit(context, parameter);
  context.node().Log(context.handle(), absl::StrFormat("KILL :%0x", *handle));
  context.node().Retire(*handle, context.handle(), context.cause());
  return std::nullopt;
}

Result Launch(ServiceContext& context, const std::string& parameter) {
  std::string line = parameter.substr(0, parameter.find_first_of("\r\n"));
  size_t blank = line.find_first_of(" \t");
  std::string module = line.substr(0, blank);
  std::string args = blank == std::string::npos ? "" : line.substr(blank + 1);
  Handle handle = context.node().Launch(module, args, &context);
  if (handle == 0) return std::nullopt;
  return absl::StrFormat(":%08X", handle);
}

Result GetEnv(ServiceContext& context, const std::string& parameter) {
  const std::string* value = context.node().GetEnv(parameter);
  if (value == nullptr) return std::nullopt;
  return *value;
}

Result SetEnv(ServiceContext& context, const std::string& parameter) {
  size_t blank = parameter.find(' ');
  if (blank == std::string::npos) return std::nullopt;
  absl::Status status =
      context.node().SetEnv(parameter.substr(0, blank), parameter.substr(blank + 1));
  if (!status.ok()) {
    context.node().Log(context.handle(), absl::StrCat("error: ", status.message()));
  }
  return std::nullopt;
}

Result StartTime(ServiceContext& context, const std::string&) {
  return absl::StrCat(context.node().timers().StartTime());
}

Result Abort(ServiceContext& context, const std::string&) {
  context.node().Abort();
  return std::nullopt;
}

Result Monitor(ServiceContext& context, const std::string& parameter) {
  if (parameter.empty()) {
    if (context.node().monitor() == 0) return std::nullopt;
    return CommandHandle(context.node().monitor());
  }
  if (std::optional<Handle> handle = CommandTarget(context, parameter)) {
    context.node().set_monitor(*handle);
  }
  return std::nullopt;
}

Result Stat(ServiceContext& context, const std::string& what) {
  if (what == "mqlen") return absl::StrCat(context.mailbox_size());
  if (what == "endless") return context.TakeEndless() ? "1" : "0";
  if (what == "cpu") return absl::StrFormat("%f", static_cast<double>(context.cpu_ns()) / 1e9);
  if (what == "time") {
    if (!context.node().profiles()) return "0";
    return absl::StrFormat("%f", static_cast<double>(context.dispatch_cpu_ns()) / 1e9);
  }
  if (what == "message") return absl::StrCat(context.message_count());
  return "";
}

Result LogOn(ServiceContext& context, const std::string& parameter) {
  std::optional<Handle> handle = CommandTarget(context, parameter);
  if (!handle) return std::nullopt;
  if (ServiceRef target = context.node().registry().Find(*handle)) target->StartLog();
  return std::nullopt;
}

Result LogOff(ServiceContext& context, const std::string& parameter) {
  std::optional<Handle> handle = CommandTarget(context, parameter);
  if (!handle) return std::nullopt;
  if (ServiceRef target = context.node().registry().Find(*handle)) target->StopLog();
  return std::nullopt;
}

Result Signal(ServiceContext& context, const std::string& parameter) {
  size_t blank = parameter.find(' ');
  std::optional<Handle> handle = CommandTarget(context, parameter.substr(0, blank));
  if (!handle) return std::nullopt;
  int number = 0;
  if (blank != std::string::npos && !absl::SimpleAtoi(parameter.substr(blank + 1), &number)) {
    number = 0;
  }
  if (ServiceRef target = context.node().registry().Find(*handle)) {
    target->service().OnSignal(number);
  }
  return std::nullopt;
}

struct Command {
  const char* name;
  Result (*run)(ServiceContext& context, const std::string& parameter);
};

constexpr Command kCommands[] = {
    {"TIMEOUT", Timeout}, {"REG", Reg},         {"QUERY", Query},         {"NAME", Name},
    {"EXIT", Exit},       {"KILL", Kill},       {"LAUNCH", Launch},       {"GETENV", GetEnv},
    {"SETENV", SetEnv},   {"STARTTIME", StartTime}, {"ABORT", Abort},     {"MONITOR", Monitor},
    {"STAT", Stat},       {"SIGNAL", Signal},   {"LOGON", LogOn},       {"LOGOFF", LogOff},
};

// -- Lua functions --------------------------------------------------------------------------------

std::string Parameter(lua_State* L, int index) {
  if (lua_isnoneornil(L, index)) return "";
  size_t size = 0;
  const char* text = luaL_checklstring(L, index, &size);
  return std::string(text, size);
}

int CoreCommand(lua_State* L) {
  ServiceContext& context = ServiceOf(L);
  Result result = RunCommand(context, luaL_checkstring(L, 1), Parameter(L, 2));
  if (!result) return 0;
  lua_pushlstring(L, result->data(), result->size());
  return 1;
}

int CoreIntCommand(lua_State* L) {
  ServiceContext& context = ServiceOf(L);
  std::string parameter = lua_type(L, 2) == LUA_TNUMBER
                              ? absl::StrCat(static_cast<int32_t>(luaL_checkinteger(L, 2)))
                              : Parameter(L, 2);
  Result result = RunCommand(context, luaL_checkstring(L, 1), parameter);
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
  Result result = RunCommand(context, luaL_checkstring(L, 1), Parameter(L, 2));
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

Result RunCommand(ServiceContext& context, const std::string& name, const std::string& parameter) {
  for (const Command& command : kCommands) {
    if (name == command.name) return command.run(context, parameter);
  }
  return std::nullopt;
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
