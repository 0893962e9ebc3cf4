#include "engine/lua/socketdriver_module.h"

#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/core/node.h"
#include "engine/core/service_context.h"
#include "engine/core/socket_message.h"
#include "engine/core/udp_address.h"
#include "engine/lua/socket_buffer.h"
#include "engine/lua/vm.h"

// Lua errors are exceptions here (lua_api.h), so strings and payloads alive at a luaL_error are
// freed. Nothing in this file yields.

namespace skysim {

namespace {

constexpr int kBacklogDefault = 32;
constexpr int64_t kNsPerCs = 10'000'000;
constexpr const char kBufferType[] = "skysim.SocketBuffer";

// The upvalue of every function.
struct Driver {
  SocketServer* sockets;
  Handle self;
};

const Driver& DriverOf(lua_State* L) {
  return *static_cast<const Driver*>(lua_touserdata(L, lua_upvalueindex(1)));
}
SocketServer& ServerOf(lua_State* L) { return *DriverOf(L).sockets; }

// Index of the event that is being handled; a test's VM has no service.
uint64_t CauseOf(lua_State* L) {
  const ServiceContext* service = VmOf(L).service;
  return service == nullptr ? 0 : service->cause();
}

// -- Arguments ------------------------------------------------------------------------------------

// A number that is no id of any socket becomes 0, which is always dead.
SocketId IdArgument(lua_State* L, int index) {
  lua_Integer id = luaL_checkinteger(L, index);
  return id > 0 && id <= std::numeric_limits<SocketId>::max() ? static_cast<SocketId>(id) : 0;
}

absl::string_view StringArgument(lua_State* L, int index) {
  size_t size = 0;
  const char* data = luaL_checklstring(L, index, &size);
  return absl::string_view(data, size);
}

// A decimal number up to 65535 and nothing else.
std::optional<uint16_t> ParsePort(absl::string_view text) {
  uint32_t port = 0;
  for (char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    port = port * 10 + static_cast<uint32_t>(digit - '0');
    if (port > 65535) return std::nullopt;
  }
  if (text.empty()) return std::nullopt;
  return static_cast<uint16_t>(port);
}

Address ParseAddress(lua_State* L, const char* text) {
  absl::string_view whole(text);
  bool is_bracketed = !whole.empty() && whole[0] == '[';
  size_t host_begin = is_bracketed ? 1 : 0;
  size_t host_end = whole.find(is_bracketed ? ']' : ':');
  size_t colon = is_bracketed && host_end != absl::string_view::npos ? host_end + 1 : host_end;
  if (colon >= whole.size() || whole[colon] != ':') {
    luaL_error(L, "Invalid address %s.", text);
  }
  std::optional<uint16_t> port = ParsePort(whole.substr(colon + 1));
  if (!port.has_value()) luaL_error(L, "Invalid port in address %s.", text);
  return Address{std::string(whole.substr(host_begin, host_end - host_begin)), *port};
}

// (host, port) at `index`, or both in one string.
Address AddressArgument(lua_State* L, int index) {
  const char* host = luaL_checkstring(L, index);
  if (lua_isnoneornil(L, index + 1)) return ParseAddress(L, host);
  lua_Integer port = luaL_checkinteger(L, index + 1);
  if (port < 0 || port > 65535) luaL_error(L, "Invalid port");
  return Address{host, static_cast<uint16_t>(port)};
}

// What is bound: an empty host means every address.
Address LocalAddressArgument(lua_State* L, int index) {
  Address address = AddressArgument(L, index);
  if (address.host.empty()) address.host = "0.0.0.0";
  return address;
}

// The strings of the table at `index`, one after the other, in one block.
Payload ConcatenateTable(lua_State* L, int index, Memory& memory) {
  size_t total = 0;
  lua_Integer count = 0;
  while (lua_rawgeti(L, index, count + 1) != LUA_TNIL) {
    if (lua_type(L, -1) != LUA_TSTRING) {
      luaL_error(L, "Invalid type %s at %d of the table to send", luaL_typename(L, -1),
                 static_cast<int>(count + 1));
    }
    total += lua_rawlen(L, -1);
    lua_pop(L, 1);
    ++count;
  }
  lua_pop(L, 1);
  if (total == 0) return Payload();
  char* block = static_cast<char*>(memory.Allocate(total + 1));
  char* end = block;
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_rawgeti(L, index, i);
    size_t size = 0;
    const char* text = lua_tolstring(L, -1, &size);
    std::memcpy(end, text, size);
    end += size;
    lua_pop(L, 1);
  }
  *end = '\0';
  return Payload(memory, block, total);
}

size_t SizeArgument(lua_State* L, int index) {
  lua_Integer size = luaL_checkinteger(L, index);
  if (size < 0) luaL_argerror(L, index, "a size is not negative");
  return static_cast<size_t>(size);
}

// Data to send at `index`, its size (if given) behind it.
Payload DataArgument(lua_State* L, int index) {
  Memory& memory = ServerOf(L).memory();
  switch (lua_type(L, index)) {
    case LUA_TLIGHTUSERDATA: {
      if (lua_isnoneornil(L, index + 1)) {
        luaL_error(L, "A send object (lightuserdata without size) is not supported");
      }
      size_t size = SizeArgument(L, index + 1);
      return Payload(memory, static_cast<char*>(lua_touserdata(L, index)), size);
    }
    case LUA_TUSERDATA: {
      size_t size = lua_rawlen(L, index);
      if (!lua_isnoneornil(L, index + 1)) {
        size_t wanted = SizeArgument(L, index + 1);
        if (wanted > size) luaL_argerror(L, index + 1, "larger than the userdata");
        size = wanted;
      }
      const char* data = static_cast<const char*>(lua_touserdata(L, index));
      return Payload::Copy(memory, absl::string_view(data, size));
    }
    case LUA_TTABLE: return ConcatenateTable(L, index, memory);
    default: return Payload::Copy(memory, StringArgument(L, index));
  }
}

// Raises "what: reason".
int Raise(lua_State* L, const char* what, const absl::Status& status) {
  std::string reason(status.message());
  return luaL_error(L, "%s: %s", what, reason.c_str());
}

// -- Connections ----------------------------------------------------------------------------------

int Connect(lua_State* L) {
  Address address = AddressArgument(L, 1);
  if (address.port == 0) return luaL_error(L, "Invalid port");
  lua_pushinteger(L, ServerOf(L).Connect(DriverOf(L).self, address.host, address.port,
                                         CauseOf(L)));
  return 1;
}

int Listen(lua_State* L) {
  Address address = LocalAddressArgument(L, 1);
  int backlog = static_cast<int>(luaL_optinteger(L, 3, kBacklogDefault));
  absl::StatusOr<SocketId> id =
      ServerOf(L).Listen(DriverOf(L).self, address.host, address.port, backlog, CauseOf(L));
  if (!id.ok()) {
    std::string error(id.status().message());
    return luaL_error(L, "%s", error.c_str());
  }
  lua_pushinteger(L, *id);
  return 1;
}

int Bind(lua_State* L) {
  lua_Integer descriptor = luaL_checkinteger(L, 1);
  absl::StatusOr<SocketId> id =
      ServerOf(L).Bind(DriverOf(L).self, static_cast<int>(descriptor), CauseOf(L));
  if (!id.ok()) {
    std::string error(id.status().message());
    return luaL_error(L, "%s", error.c_str());
  }
  lua_pushinteger(L, *id);
  return 1;
}

int Start(lua_State* L) {
  SocketId id = IdArgument(L, 1);
  ServerOf(L).Start(DriverOf(L).self, id, CauseOf(L));
  return 0;
}

int Pause(lua_State* L) {
  SocketId id = IdArgument(L, 1);
  ServerOf(L).Pause(id, CauseOf(L));
  return 0;
}

int Close(lua_State* L) {
  SocketId id = IdArgument(L, 1);
  ServerOf(L).Close(id, CauseOf(L));
  return 0;
}

int Shutdown(lua_State* L) {
  SocketId id = IdArgument(L, 1);
  ServerOf(L).Shutdown(id, CauseOf(L));
  return 0;
}

int NoDelay(lua_State* L) {
  SocketId id = IdArgument(L, 1);
  ServerOf(L).NoDelay(id, CauseOf(L));
  return 0;
}

int Send(lua_State* L) {
  SocketId id = IdArgument(L, 1);
  lua_pushboolean(L, ServerOf(L).Send(id, DataArgument(L, 2), CauseOf(L)));
  return 1;
}

int SendLow(lua_State* L) {
  SocketId id = IdArgument(L, 1);
  lua_pushboolean(L, ServerOf(L).SendLow(id, DataArgument(L, 2), CauseOf(L)));
  return 1;
}

// -- UDP ------------------------------------------------------------------------------------------

int PushUdp(lua_State* L, const char* failure, const absl::StatusOr<SocketId>& id) {
  if (!id.ok()) return Raise(L, failure, id.status());
  lua_pushinteger(L, *id);
  return 1;
}

int Udp(lua_State* L) {
  Address address;
  if (!lua_isnoneornil(L, 1)) {
    address = LocalAddressArgument(L, 1);
  } else if (!lua_isnoneornil(L, 2)) {  // any address, this port
    lua_pushliteral(L, "");
    lua_replace(L, 1);
    address = LocalAddressArgument(L, 1);
  }
  return PushUdp(L, "udp init failed",
                 ServerOf(L).Udp(DriverOf(L).self, address.host, address.port, CauseOf(L)));
}

int UdpListen(lua_State* L) {
  Address address = LocalAddressArgument(L, 1);
  if (address.port == 0) return luaL_error(L, "Invalid port");
  return PushUdp(L, "udp listen failed",
                 ServerOf(L).UdpListen(DriverOf(L).self, address.host, address.port, CauseOf(L)));
}

int UdpDial(lua_State* L) {
  Address address = AddressArgument(L, 1);
  return PushUdp(L, "udp dial failed",
                 ServerOf(L).UdpDial(DriverOf(L).self, address.host, address.port, CauseOf(L)));
}

int UdpConnect(lua_State* L) {
  SocketId id = IdArgument(L, 1);
  Address address = AddressArgument(L, 2);
  absl::Status status = ServerOf(L).UdpConnect(id, address.host, address.port, CauseOf(L));
  return status.ok() ? 0 : Raise(L, "udp connect failed", status);
}

int UdpSend(lua_State* L) {
  SocketId id = IdArgument(L, 1);
  absl::string_view address = StringArgument(L, 2);
  lua_pushboolean(L, ServerOf(L).UdpSend(id, address, DataArgument(L, 3), CauseOf(L)));
  return 1;
}

int UdpAddress(lua_State* L) {
  std::optional<Address> address = UnpackUdpAddress(StringArgument(L, 1));
  if (!address.has_value()) return luaL_argerror(L, 1, "not a packed udp address");
  lua_pushlstring(L, address->host.data(), address->host.size());
  lua_pushinteger(L, address->port);
  return 2;
}

// -- Questions ------------------------------------------------------------------------------------

void SetField(lua_State* L, const char* name, int64_t value) {
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

void SetField(lua_State* L, const char* name, const std::string& value) {
  lua_pushlstring(L, value.data(), value.size());
  lua_setfield(L, -2, name);
}

void SetFlag(lua_State* L, const char* name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

void PushInfo(lua_State* L, const SocketInfo& info) {
  lua_createtable(L, 0, 11);
  SetField(L, "id", info.id);
  SetField(L, "address", int64_t{info.owner});
  SetField(L, "type", std::string(info.type));
  if (absl::string_view(info.type) == "LISTEN") {
    SetField(L, "accept", static_cast<int64_t>(info.accepted));
    SetField(L, "rtime", info.read_time_ns / kNsPerCs);
    SetField(L, "sock", info.address);
    return;
  }
  SetField(L, "read", static_cast<int64_t>(info.read_bytes));
  SetField(L, "write", static_cast<int64_t>(info.write_bytes));
  SetField(L, "wbuffer", static_cast<int64_t>(info.queued_bytes));
  SetField(L, "rtime", info.read_time_ns / kNsPerCs);
  SetField(L, "wtime", info.write_time_ns / kNsPerCs);
  SetFlag(L, "reading", info.reading);
  SetFlag(L, "writing", info.writing);
  if (!info.address.empty()) SetField(L, "peer", info.address);
}

int Info(lua_State* L) {
  std::vector<SocketInfo> all = ServerOf(L).Info();
  lua_createtable(L, static_cast<int>(all.size()), 0);
  lua_Integer i = 0;
  for (const SocketInfo& info : all) {
    PushInfo(L, info);
    lua_rawseti(L, -2, ++i);
  }
  return 1;
}

int Resolve(lua_State* L) {
  absl::StatusOr<std::vector<std::string>> hosts = ServerOf(L).Resolve(luaL_checkstring(L, 1));
  if (!hosts.ok()) {
    std::string error(hosts.status().message());
    return luaL_error(L, "%s", error.c_str());
  }
  lua_createtable(L, static_cast<int>(hosts->size()), 0);
  lua_Integer i = 0;
  for (const std::string& host : *hosts) {
    lua_pushlstring(L, host.data(), host.size());
    lua_rawseti(L, -2, ++i);
  }
  return 1;
}

// -- Messages and blocks --------------------------------------------------------------------------

int Unpack(lua_State* L) {
  luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
  const SocketMessage& message = *static_cast<const SocketMessage*>(lua_touserdata(L, 1));
  size_t size = SizeArgument(L, 2);
  luaL_argcheck(L, size >= sizeof(SocketMessage), 2, "shorter than a socket message");
  lua_pushinteger(L, message.type);
  lua_pushinteger(L, message.id);
  lua_pushinteger(L, message.ud);
  if (message.buffer == nullptr) {
    lua_pushlstring(L, reinterpret_cast<const char*>(&message + 1), size - sizeof(SocketMessage));
    return 4;
  }
  lua_pushlightuserdata(L, message.buffer);
  if (message.type != static_cast<int32_t>(SocketEvent::kUdp)) return 4;
  const char* address = message.buffer + message.ud;
  lua_pushlstring(L, address, PackedUdpAddressSize(address[0]));
  return 5;
}

int Drop(lua_State* L) {
  luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
  luaL_checkinteger(L, 2);
  ServerOf(L).memory().Free(lua_touserdata(L, 1));
  return 0;
}

int StringToBlock(lua_State* L) {
  Payload copy = Payload::Copy(ServerOf(L).memory(), StringArgument(L, 1));
  lua_Integer size = static_cast<lua_Integer>(copy.size());
  lua_pushlightuserdata(L, copy.Release());
  lua_pushinteger(L, size);
  return 2;
}

int Header(lua_State* L) {
  absl::string_view bytes = StringArgument(L, 1);
  if (bytes.empty() || bytes.size() > 4) {
    return luaL_error(L, "Invalid header size %d: 1 to 4 bytes are allowed",
                      static_cast<int>(bytes.size()));
  }
  lua_Integer value = 0;
  for (char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  lua_pushinteger(L, value);
  return 1;
}

// -- Receive buffer -------------------------------------------------------------------------------

SocketBuffer& BufferArgument(lua_State* L) {
  return *static_cast<SocketBuffer*>(luaL_checkudata(L, 1, kBufferType));
}

// Pushes the first `size` bytes as a string, then forgets them: a failing push loses nothing.
void PushFront(lua_State* L, SocketBuffer& buffer, size_t size) {
  absl::string_view bytes = buffer.Peek(size);
  lua_pushlstring(L, bytes.data(), bytes.size());
  buffer.Drop(size);
}

int Buffer(lua_State* L) {
  void* place = lua_newuserdatauv(L, sizeof(SocketBuffer), 0);
  new (place) SocketBuffer(ServerOf(L).memory());
  luaL_setmetatable(L, kBufferType);
  return 1;
}

// Takes the metatable away, so that a later finaliser that still has the buffer gets an error.
int Collect(lua_State* L) {
  BufferArgument(L).~SocketBuffer();
  lua_pushnil(L);
  lua_setmetatable(L, 1);
  return 0;
}

int Push(lua_State* L) {
  SocketBuffer& buffer = BufferArgument(L);
  luaL_checktype(L, 3, LUA_TLIGHTUSERDATA);
  size_t size = SizeArgument(L, 4);
  buffer.Push(static_cast<char*>(lua_touserdata(L, 3)), size);
  lua_pushinteger(L, static_cast<lua_Integer>(buffer.size()));
  return 1;
}

int Pop(lua_State* L) {
  SocketBuffer& buffer = BufferArgument(L);
  lua_Integer size = luaL_checkinteger(L, 3);
  if (size <= 0 || static_cast<size_t>(size) > buffer.size()) {
    lua_pushnil(L);
  } else {
    PushFront(L, buffer, static_cast<size_t>(size));
  }
  lua_pushinteger(L, static_cast<lua_Integer>(buffer.size()));
  return 2;
}

int ReadAll(lua_State* L) {
  SocketBuffer& buffer = BufferArgument(L);
  PushFront(L, buffer, buffer.size());
  return 1;
}

int ReadLine(lua_State* L) {
  SocketBuffer& buffer = BufferArgument(L);
  absl::string_view separator = StringArgument(L, 3);
  luaL_argcheck(L, !separator.empty(), 3, "an empty separator");
  std::optional<size_t> size = buffer.Find(separator);
  if (!size.has_value()) return 0;
  if (lua_isnoneornil(L, 2)) {
    lua_pushboolean(L, true);
    return 1;
  }
  PushFront(L, buffer, *size);
  buffer.Drop(separator.size());
  return 1;
}

int Clear(lua_State* L) {
  BufferArgument(L).Clear();
  return 0;
}

}  // namespace

int PushSocketDriver(lua_State* L, SocketServer& sockets, Handle self) {
  static constexpr luaL_Reg kFunctions[] = {
      {"connect", Connect},        {"listen", Listen},
      {"bind", Bind},              {"start", Start},
      {"pause", Pause},            {"close", Close},
      {"shutdown", Shutdown},      {"nodelay", NoDelay},
      {"send", Send},              {"lsend", SendLow},
      {"udp", Udp},                {"udp_listen", UdpListen},
      {"udp_dial", UdpDial},       {"udp_connect", UdpConnect},
      {"udp_send", UdpSend},       {"udp_address", UdpAddress},
      {"info", Info},              {"resolve", Resolve},
      {"unpack", Unpack},          {"drop", Drop},
      {"str2p", StringToBlock},    {"header", Header},
      {"buffer", Buffer},          {"push", Push},
      {"pop", Pop},                {"readall", ReadAll},
      {"readline", ReadLine},      {"clear", Clear},
      {nullptr, nullptr},
  };
  if (luaL_newmetatable(L, kBufferType)) {
    lua_pushcfunction(L, Collect);
    lua_setfield(L, -2, "__gc");
  }
  lua_pop(L, 1);
  luaL_newlibtable(L, kFunctions);
  *static_cast<Driver*>(lua_newuserdatauv(L, sizeof(Driver), 0)) = {&sockets, self};
  luaL_setfuncs(L, kFunctions, 1);
  return 1;
}

int OpenSocketDriver(lua_State* L) {
  VmContext& vm = VmOf(L);
  if (vm.node == nullptr || vm.service == nullptr) {
    return luaL_error(L, "skynet.socketdriver needs a service");
  }
  return PushSocketDriver(L, vm.node->sockets(), vm.service->handle());
}

}  // namespace skysim
