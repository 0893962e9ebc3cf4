#include "engine/lua/netpack_module.h"

#include <cstdint>
#include <cstring>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "engine/core/message.h"
#include "engine/core/socket_message.h"
#include "engine/lua/vm.h"
#include "engine/wire/netpack.h"

namespace skysim {
namespace {

constexpr char kQueueType[] = "skysim.NetpackQueue";

// Frames that wait for pop(), and what has come of the frame after them on each socket.
class NetpackQueue final {
 public:
  explicit NetpackQueue(Memory& memory) : memory_(memory) {}

  // Adds the frames that `bytes` complete to the queue and returns how many.
  size_t Feed(int32_t fd, absl::string_view bytes) {
    NetpackSplitter splitter;
    const auto found = partials_.find(fd);
    if (found != partials_.end()) {
      splitter = std::move(found->second);
      partials_.erase(found);
    }
    const size_t before = frames_.size();
    splitter.Feed(bytes, [this, fd](absl::string_view frame) {
      frames_.push_back(Frame{fd, Payload::Copy(memory_, frame)});
    });
    if (splitter.HasPartial()) partials_.emplace(fd, std::move(splitter));
    return frames_.size() - before;
  }

  bool HasPartial(int32_t fd) const { return partials_.contains(fd); }

  void DropPartial(int32_t fd) { partials_.erase(fd); }

  void Clear() {
    partials_.clear();
    frames_.clear();
  }

  // Pushes fd, ptr, size of the first frame and removes it; 0 if there is none.
  int PushFirst(lua_State* L) {
    if (frames_.empty()) return 0;
    const int pushed = Push(L, frames_.front());
    frames_.pop_front();
    return pushed;
  }

  int PushLast(lua_State* L) {
    const int pushed = Push(L, frames_.back());
    frames_.pop_back();
    return pushed;
  }

 private:
  struct Frame {
    int32_t fd;
    Payload payload;
  };

  static int Push(lua_State* L, Frame& frame) {
    const auto size = static_cast<lua_Integer>(frame.payload.size());
    lua_pushinteger(L, frame.fd);
    lua_pushlightuserdata(L, frame.payload.Release());
    lua_pushinteger(L, size);
    return 3;
  }

  Memory& memory_;
  std::deque<Frame> frames_;
  absl::flat_hash_map<int32_t, NetpackSplitter> partials_;  // never iterated over
};

// The userdata holds a pointer: the size of the queue differs between builds (Abseil's containers
// are larger under sanitizers), and with it would the place of every later block, which light
// userdata in messages show.
NetpackQueue*& QueueBox(lua_State* L, int index) {
  return *static_cast<NetpackQueue**>(luaL_checkudata(L, index, kQueueType));
}

NetpackQueue* ToQueue(lua_State* L, int index) {
  NetpackQueue* const queue = QueueBox(L, index);
  luaL_argcheck(L, queue != nullptr, index, "the queue was closed");
  return queue;
}

// The queue at index 1; a nil there becomes a new one.
NetpackQueue& EnsureQueue(lua_State* L) {
  if (!lua_isnil(L, 1)) return *ToQueue(L, 1);
  auto** const box = static_cast<NetpackQueue**>(lua_newuserdatauv(L, sizeof(NetpackQueue*), 0));
  *box = nullptr;
  luaL_setmetatable(L, kQueueType);
  *box = new NetpackQueue(MemoryOf(L));
  lua_replace(L, 1);
  return **box;
}

int CollectQueue(lua_State* L) {
  delete std::exchange(QueueBox(L, 1), nullptr);
  return 0;
}

int FilterData(lua_State* L, NetpackQueue& queue, int32_t fd, absl::string_view bytes) {
  const size_t completed = queue.Feed(fd, bytes);
  if (completed == 0) return 1;
  if (completed == 1 && !queue.HasPartial(fd)) {
    lua_pushliteral(L, "data");
    return 2 + queue.PushLast(L);
  }
  lua_pushliteral(L, "more");
  return 2;
}

// queue, what, id
int PushEvent(lua_State* L, const char* what, int32_t id) {
  lua_pushstring(L, what);
  lua_pushinteger(L, id);
  return 3;
}

int PushEventText(lua_State* L, const char* what, int32_t id, absl::string_view text) {
  const int pushed = PushEvent(L, what, id);
  lua_pushlstring(L, text.data(), text.size());
  return pushed + 1;
}

int PushEventNumber(lua_State* L, const char* what, int32_t id, int32_t number) {
  const int pushed = PushEvent(L, what, id);
  lua_pushinteger(L, number);
  return pushed + 1;
}

// queue, "init", id, address, port
int PushInit(lua_State* L, const SocketMessage& event, absl::string_view text) {
  const int pushed = PushEventText(L, "init", event.id, text);
  lua_pushinteger(L, event.ud);
  return pushed + 1;
}

int Filter(lua_State* L) {
  luaL_checktype(L, 2, LUA_TLIGHTUSERDATA);
  const auto* const event = static_cast<const SocketMessage*>(lua_touserdata(L, 2));
  luaL_argcheck(L, event != nullptr, 2, "null pointer");
  const lua_Integer size = luaL_checkinteger(L, 3);
  luaL_argcheck(L, size >= static_cast<lua_Integer>(sizeof(SocketMessage)), 3,
                "smaller than a socket event");
  const Payload owned(MemoryOf(L), event->buffer, static_cast<size_t>(event->ud));
  absl::string_view text;
  if (event->buffer == nullptr) {
    text = absl::string_view(reinterpret_cast<const char*>(event + 1),
                             static_cast<size_t>(size) - sizeof(SocketMessage));
  }
  lua_settop(L, 1);
  NetpackQueue& queue = EnsureQueue(L);
  switch (static_cast<SocketEvent>(event->type)) {
    case SocketEvent::kData:
      return FilterData(L, queue, event->id, owned.bytes());
    case SocketEvent::kConnect:
      return PushInit(L, *event, text);
    case SocketEvent::kClose:
      queue.DropPartial(event->id);
      return PushEvent(L, "close", event->id);
    case SocketEvent::kAccept:
      return PushEventText(L, "open", event->ud, text);
    case SocketEvent::kError:
      queue.DropPartial(event->id);
      return PushEventText(L, "error", event->id, text);
    case SocketEvent::kWarning:
      return PushEventNumber(L, "warning", event->id, event->ud);
    case SocketEvent::kUdp:
      break;
  }
  return 1;
}

int Pop(lua_State* L) {
  if (lua_isnoneornil(L, 1)) return 0;
  return ToQueue(L, 1)->PushFirst(L);
}

int Clear(lua_State* L) {
  if (!lua_isnoneornil(L, 1)) ToQueue(L, 1)->Clear();
  return 0;
}

// The bytes of `str` or `ptr, size` at index 1.
absl::string_view CheckBytes(lua_State* L) {
  if (!lua_islightuserdata(L, 1)) {
    size_t size = 0;
    const char* const data = luaL_checklstring(L, 1, &size);
    return absl::string_view(data, size);
  }
  const char* const data = static_cast<const char*>(lua_touserdata(L, 1));
  const lua_Integer size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size >= 0, 2, "size below zero");
  luaL_argcheck(L, size == 0 || data != nullptr, 1, "null pointer");
  return absl::string_view(data, static_cast<size_t>(size));
}

int Pack(lua_State* L) {
  const absl::string_view bytes = CheckBytes(L);
  if (bytes.size() > kNetpackFrameBytesMax) {
    return luaL_error(L, "Invalid size of frame : %I bytes, allowed are 65535",
                      static_cast<lua_Integer>(bytes.size()));
  }
  const size_t size = kNetpackHeadBytes + bytes.size();
  char* const block = static_cast<char*>(MemoryOf(L).Allocate(size + 1));
  PutNetpackHead(bytes.size(), block);
  if (!bytes.empty()) std::memcpy(block + kNetpackHeadBytes, bytes.data(), bytes.size());
  block[size] = '\0';
  lua_pushlightuserdata(L, block);
  lua_pushinteger(L, static_cast<lua_Integer>(size));
  return 2;
}

int ToString(lua_State* L) {
  luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
  const absl::string_view bytes = CheckBytes(L);
  const Payload owned(MemoryOf(L), static_cast<char*>(lua_touserdata(L, 1)), bytes.size());
  lua_pushlstring(L, bytes.data(), bytes.size());
  return 1;
}

}  // namespace

int OpenNetpack(lua_State* L) {
  static const luaL_Reg kFunctions[] = {
      {"filter", Filter}, {"pop", Pop},     {"pack", Pack},
      {"tostring", ToString}, {"clear", Clear}, {nullptr, nullptr},
  };
  luaL_newmetatable(L, kQueueType);
  lua_pushcfunction(L, CollectQueue);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_newlib(L, kFunctions);
  return 1;
}

}  // namespace skysim
