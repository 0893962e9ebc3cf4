#include "engine/lua/cluster_core_module.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/message.h"
#include "engine/lua/vm.h"
#include "engine/wire/cluster_codec.h"

namespace skysim {
namespace {

// Room for the longest frame that a packer makes, so that a frame costs no allocation but its Lua
// string.
constexpr size_t kFrameBytesMax = ClusterHead::kBytesMax + kClusterPartBytes;

[[noreturn]] void Raise(lua_State* L, const absl::Status& status) {
  const std::string text(status.message());
  luaL_error(L, "%s", text.c_str());
  std::abort();  // luaL_error does not return
}

// Takes the block at `index`, if it is one, so that it is freed however the call ends.
Payload Adopt(lua_State* L, int index) {
  if (!lua_islightuserdata(L, index)) return Payload();
  const lua_Integer size = lua_tointeger(L, index + 1);
  return Payload(MemoryOf(L), static_cast<char*>(lua_touserdata(L, index)),
                 static_cast<size_t>(size));
}

// The bytes of `msg, sz` at `index`; they live as long as the arguments.
absl::string_view CheckBytes(lua_State* L, int index) {
  if (lua_isnoneornil(L, index)) return absl::string_view();
  if (lua_islightuserdata(L, index)) {
    const char* data = static_cast<const char*>(lua_touserdata(L, index));
    const lua_Integer size = luaL_checkinteger(L, index + 1);
    luaL_argcheck(L, size >= 0, index + 1, "size below zero");
    luaL_argcheck(L, size == 0 || data != nullptr, index, "null pointer");
    return absl::string_view(data, static_cast<size_t>(size));
  }
  size_t size = 0;
  const char* data = luaL_checklstring(L, index, &size);
  return absl::string_view(data, size);
}

ClusterAddress CheckAddress(lua_State* L, int index) {
  ClusterAddress address;
  if (lua_type(L, index) == LUA_TSTRING) {
    address.name = CheckBytes(L, index);
    if (address.name.empty()) luaL_error(L, "Invalid name: 0 bytes, allowed are 1 to 255");
    return address;
  }
  const lua_Integer handle = luaL_checkinteger(L, index);
  luaL_argcheck(L, handle >= 0 && handle <= 0xffffffff, index, "not a handle of 32 bits");
  address.handle = static_cast<uint32_t>(handle);
  return address;
}

uint32_t CheckSession(lua_State* L, int index) {
  const lua_Integer session = luaL_checkinteger(L, index);
  luaL_argcheck(L, session >= 0 && session <= 0xffffffff, index, "not a session of 32 bits");
  return static_cast<uint32_t>(session);
}

// Pushes head and body as one string. Together they are at most kFrameBytesMax.
void PushFrame(lua_State* L, absl::string_view head, absl::string_view body) {
  char frame[kFrameBytesMax];
  std::memcpy(frame, head.data(), head.size());
  if (!body.empty()) std::memcpy(frame + head.size(), body.data(), body.size());
  lua_pushlstring(L, frame, head.size() + body.size());
}

void PushString(lua_State* L, absl::string_view bytes) {
  lua_pushlstring(L, bytes.data(), bytes.size());
}

// Pushes the array of the part frames of a large request.
void PushRequestParts(lua_State* L, uint32_t session, absl::string_view payload) {
  lua_createtable(L, static_cast<int>(payload.size() / kClusterPartBytes) + 1, 0);
  size_t offset = 0;
  for (size_t i = 0; offset < payload.size(); ++i) {
    char head[kClusterPartHeadBytes];
    const size_t bytes = PutClusterRequestPartHead(session, i, payload.size(), head);
    PushFrame(L, absl::string_view(head, sizeof(head)), payload.substr(offset, bytes));
    lua_rawseti(L, -2, static_cast<lua_Integer>(i + 1));
    offset += bytes;
  }
}

int PackMessage(lua_State* L, ClusterIntent intent) {
  const Payload owned = Adopt(L, 3);
  const absl::string_view payload = CheckBytes(L, 3);
  const ClusterAddress address = CheckAddress(L, 1);
  const lua_Integer session = luaL_checkinteger(L, 2);
  const absl::StatusOr<ClusterHead> head =
      MakeClusterHead(intent, address, session, payload.size());
  if (!head.ok()) Raise(L, head.status());
  PushFrame(L, head->view(), head->is_large ? absl::string_view() : payload);
  lua_pushinteger(L, head->session_next);
  if (!head->is_large) return 2;
  PushRequestParts(L, static_cast<uint32_t>(session), payload);
  return 3;
}

int PackRequest(lua_State* L) { return PackMessage(L, ClusterIntent::kRequest); }

int PackPush(lua_State* L) { return PackMessage(L, ClusterIntent::kPush); }

int PackTrace(lua_State* L) {
  luaL_checktype(L, 1, LUA_TSTRING);
  const absl::StatusOr<std::string> frame = BuildClusterTrace(CheckBytes(L, 1));
  if (!frame.ok()) Raise(L, frame.status());
  PushString(L, *frame);
  return 1;
}

void PushAddress(lua_State* L, ClusterAddress address) {
  if (address.IsName()) {
    PushString(L, address.name);
  } else {
    lua_pushinteger(L, address.handle);
  }
}

int PushWholeRequest(lua_State* L, const ClusterRequest& request) {
  PushAddress(L, request.address);
  lua_pushinteger(L, request.session);
  Payload payload = Payload::Copy(MemoryOf(L), request.payload);
  lua_pushlightuserdata(L, payload.Release());
  lua_pushinteger(L, static_cast<lua_Integer>(request.payload.size()));
  lua_pushboolean(L, 0);
  lua_pushboolean(L, request.is_push);
  return 6;
}

int PushHeader(lua_State* L, const ClusterRequest& request) {
  PushAddress(L, request.address);
  lua_pushinteger(L, request.session);
  lua_pushnil(L);
  lua_pushinteger(L, request.total);
  lua_pushboolean(L, 1);
  lua_pushboolean(L, request.is_push);
  return 6;
}

int PushPart(lua_State* L, const ClusterRequest& request) {
  lua_pushboolean(L, 0);
  lua_pushinteger(L, request.session);
  PushString(L, request.payload);
  lua_pushinteger(L, static_cast<lua_Integer>(request.payload.size()));
  lua_pushboolean(L, request.kind == ClusterRequest::Kind::kPart);
  lua_pushboolean(L, 0);
  return 6;
}

int UnpackRequest(lua_State* L) {
  const absl::StatusOr<ClusterRequest> request = ParseClusterRequest(CheckBytes(L, 1));
  if (!request.ok()) {
    lua_pushnil(L);
    PushString(L, request.status().message());
    return 2;
  }
  switch (request->kind) {
    case ClusterRequest::Kind::kWhole:
      return PushWholeRequest(L, *request);
    case ClusterRequest::Kind::kHeader:
      return PushHeader(L, *request);
    case ClusterRequest::Kind::kPart:
    case ClusterRequest::Kind::kLastPart:
      return PushPart(L, *request);
    case ClusterRequest::Kind::kTrace:
      break;
  }
  lua_pushboolean(L, 1);
  PushString(L, request->payload);
  return 2;
}

void PushReplyFrame(lua_State* L, uint32_t session, ClusterReplyKind kind,
                    absl::string_view data) {
  char head[kClusterPartHeadBytes];
  PutClusterReplyHead(session, kind, data.size(), head);
  PushFrame(L, absl::string_view(head, sizeof(head)), data);
}

// Pushes the array of frames of a reply that does not fit one.
int PushLargeReply(lua_State* L, uint32_t session, absl::string_view payload) {
  const absl::StatusOr<std::vector<std::string>> frames = BuildClusterReply(session, payload);
  if (!frames.ok()) Raise(L, frames.status());
  lua_createtable(L, static_cast<int>(frames->size()), 0);
  lua_Integer i = 0;
  for (const std::string& frame : *frames) {
    PushString(L, frame);
    lua_rawseti(L, -2, ++i);
  }
  return 1;
}

int PackResponse(lua_State* L) {
  const uint32_t session = CheckSession(L, 1);
  const bool is_ok = lua_toboolean(L, 2) != 0;
  const absl::string_view payload = CheckBytes(L, 3);
  if (is_ok && payload.size() > kClusterPartBytes) return PushLargeReply(L, session, payload);
  PushReplyFrame(L, session, is_ok ? ClusterReplyKind::kOk : ClusterReplyKind::kError,
                 payload.substr(0, kClusterPartBytes));
  return 1;
}

int UnpackResponse(lua_State* L) {
  const absl::StatusOr<ClusterReply> reply = ParseClusterReply(CheckBytes(L, 1));
  if (!reply.ok()) Raise(L, reply.status());
  lua_pushinteger(L, reply->session);
  lua_pushboolean(L, reply->kind != ClusterReplyKind::kError);
  if (reply->kind == ClusterReplyKind::kBegin) {
    lua_pushinteger(L, reply->total);
  } else {
    PushString(L, reply->payload);
  }
  lua_pushboolean(L, reply->kind == ClusterReplyKind::kBegin ||
                         reply->kind == ClusterReplyKind::kPart);
  return 4;
}

int Append(lua_State* L) {
  const Payload owned = Adopt(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  if (lua_isnil(L, 2)) {
    lua_pushinteger(L, luaL_checkinteger(L, 3));
  } else {
    PushString(L, CheckBytes(L, 2));
  }
  lua_rawseti(L, 1, static_cast<lua_Integer>(lua_rawlen(L, 1)) + 1);
  return 0;
}

// The bytes of all parts of the list at index 1, or -1 if there is something else among them: a
// second header came.
lua_Integer PartsBytes(lua_State* L, lua_Integer count) {
  lua_Integer bytes = 0;
  for (lua_Integer i = 2; i <= count; ++i) {
    const bool is_part = lua_rawgeti(L, 1, i) == LUA_TSTRING;
    bytes += static_cast<lua_Integer>(lua_rawlen(L, -1));
    lua_pop(L, 1);
    if (!is_part) return -1;
  }
  return bytes;
}

int Fail(lua_State* L) {
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

int Concat(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const auto count = static_cast<lua_Integer>(lua_rawlen(L, 1));
  lua_rawgeti(L, 1, 1);
  if (!lua_isinteger(L, -1)) {
    lua_pushliteral(L, "large message without a header");
    return Fail(L);
  }
  const lua_Integer announced = lua_tointeger(L, -1);
  const lua_Integer received = PartsBytes(L, count);
  if (received < 0) {
    lua_pushliteral(L, "large message with a second header");
    return Fail(L);
  }
  if (received != announced) {
    lua_pushfstring(L, "large message of %I bytes, announced were %I", received, announced);
    return Fail(L);
  }
  char* const block =
      received == 0 ? nullptr
                    : static_cast<char*>(MemoryOf(L).Allocate(static_cast<size_t>(received) + 1));
  Payload payload(MemoryOf(L), block, static_cast<size_t>(received));
  size_t offset = 0;
  for (lua_Integer i = 2; i <= count; ++i) {
    lua_rawgeti(L, 1, i);
    const absl::string_view part = CheckBytes(L, -1);
    if (!part.empty()) std::memcpy(block + offset, part.data(), part.size());
    offset += part.size();
    lua_pop(L, 1);
  }
  if (block != nullptr) block[offset] = '\0';
  lua_pushlightuserdata(L, payload.Release());
  lua_pushinteger(L, received);
  return 2;
}

int IsName(lua_State* L) {
  const bool is_name = lua_type(L, 1) == LUA_TSTRING && lua_rawlen(L, 1) != 0 &&
                       lua_tostring(L, 1)[0] == '@';
  lua_pushboolean(L, is_name);
  return 1;
}

// nodename() -> this node's own name in trace tags: its host's name, each byte up to blank replaced
// by "_", and the process id.
int NodeName(lua_State* L) {
  const Platform& platform = *VmOf(L).platform;
  std::string name = platform.transport.HostName();
  for (char& c : name) {
    if (static_cast<unsigned char>(c) <= ' ') c = '_';
  }
  name += std::to_string(platform.process_id);
  lua_pushlstring(L, name.data(), name.size());
  return 1;
}

}  // namespace

int OpenClusterCore(lua_State* L) {
  static const luaL_Reg kFunctions[] = {
      {"packrequest", PackRequest},       {"packpush", PackPush},
      {"packtrace", PackTrace},           {"unpackrequest", UnpackRequest},
      {"packresponse", PackResponse},     {"unpackresponse", UnpackResponse},
      {"append", Append},                 {"concat", Concat},
      {"isname", IsName},                 {"nodename", NodeName},
      {nullptr, nullptr},
  };
  luaL_newlib(L, kFunctions);
  return 1;
}

}  // namespace skysim
