#include "engine/lua/multicast_core_module.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/message.h"
#include "engine/core/node.h"
#include "engine/core/service_context.h"
#include "engine/core/shared_objects.h"
#include "engine/lua/core_module.h"
#include "engine/lua/shared_id.h"
#include "engine/lua/vm.h"

namespace skysim {
namespace {

constexpr lua_Integer kChannelMax = 0x7fffffff;  // it travels as a session
constexpr lua_Integer kChannelsPerNode = 256;    // channels of one node differ by that
constexpr size_t kBoxBytes = sizeof(uint64_t);   // light userdata, as a message holds it

// Bytes that some services close, each once. Any thread.
class Package final : public SharedObjects::Object {
 public:
  enum class Closed { kNotBound, kOthersHold, kByAll };

  explicit Package(Payload payload) : payload_(std::move(payload)) {}

  // Until everybody has closed it, nobody takes or changes the bytes.
  absl::string_view bytes() const {
    absl::MutexLock lock(&mutex_);
    return payload_.bytes();
  }

  // False: it was done before.
  bool Bind(int64_t holders) {
    absl::MutexLock lock(&mutex_);
    if (is_bound_) return false;
    is_bound_ = true;
    holders_ = holders;
    return true;
  }

  Closed Close() {
    absl::MutexLock lock(&mutex_);
    if (!is_bound_) return Closed::kNotBound;
    return --holders_ > 0 ? Closed::kOthersHold : Closed::kByAll;
  }

  // For who holds all of it: nobody, once it is bound.
  bool Take(Payload& payload) {
    absl::MutexLock lock(&mutex_);
    if (is_bound_) return false;
    is_bound_ = true;
    payload = std::move(payload_);
    return true;
  }

 private:
  mutable absl::Mutex mutex_;
  Payload payload_ ABSL_GUARDED_BY(mutex_);
  bool is_bound_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t holders_ ABSL_GUARDED_BY(mutex_) = 0;
};

SharedObjects& ObjectsOf(lua_State* L) { return ServiceOf(L).node().shared_objects(); }

// Pushes the number of a package that the node keeps from now on, in a box, and the box's size.
int PushBox(lua_State* L, Payload payload) {
  SharedObjects& objects = ObjectsOf(L);
  auto package = std::make_shared<Package>(std::move(payload));
  objects.Add(package);
  objects.Keep(package);
  PushSharedId(L, package->id());
  const auto number = reinterpret_cast<uint64_t>(lua_touserdata(L, -1));
  void* box = MemoryOf(L).Allocate(kBoxBytes);
  std::memcpy(box, &number, kBoxBytes);
  lua_pushlightuserdata(L, box);
  lua_pushinteger(L, kBoxBytes);
  return 2;
}

// Replaces the 8 bytes at `index` (a string, or light userdata with its size behind it) by the
// light userdata that they hold.
void Unbox(lua_State* L, int index, size_t size, const void* bytes) {
  if (bytes == nullptr || size != kBoxBytes) {
    luaL_error(L, "Invalid multicast package (%d bytes)", static_cast<int>(size));
  }
  uint64_t number;
  std::memcpy(&number, bytes, kBoxBytes);
  lua_pushlightuserdata(L, reinterpret_cast<void*>(number));
  lua_replace(L, index);
}

std::shared_ptr<Package> CheckPackage(lua_State* L, int index) {
  const SharedObjects::Id id = CheckSharedId(L, index);
  std::shared_ptr<Package> package = ObjectsOf(L).Find<Package>(id);
  if (package == nullptr) luaL_error(L, "no such multicast package");
  return package;
}

// The package that the box at `index` names; the box itself is in `box`.
std::shared_ptr<Package> CheckBox(lua_State* L, int index, void*& box) {
  luaL_checktype(L, index, LUA_TLIGHTUSERDATA);
  box = lua_touserdata(L, index);
  Unbox(L, index, kBoxBytes, box);
  return CheckPackage(L, index);
}

int32_t CheckChannel(lua_State* L, int index) {
  const lua_Integer channel = luaL_checkinteger(L, index);
  luaL_argcheck(L, channel >= 0 && channel <= kChannelMax, index, "not a channel of 31 bits");
  return static_cast<int32_t>(channel);
}

Handle CheckHandle(lua_State* L, int index) {
  const lua_Integer handle = luaL_checkinteger(L, index);
  luaL_argcheck(L, handle > 0 && handle <= 0xffffffff, index, "not a handle");
  return static_cast<Handle>(handle);
}

// The key of a table that lua_next has just pushed, below its value.
Handle CheckKey(lua_State* L) {
  const lua_Integer handle = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
  if (handle <= 0 || handle > 0xffffffff) {
    luaL_error(L, "multicast to %s, which is not a handle", luaL_tolstring(L, -2, nullptr));
  }
  return static_cast<Handle>(handle);
}

// Appends `handle` to the array at index `gone`, which is made for the first one.
void AddGone(lua_State* L, int gone, Handle handle) {
  if (lua_isnil(L, gone)) {
    lua_newtable(L);
    lua_replace(L, gone);
  }
  lua_pushinteger(L, handle);
  lua_rawseti(L, gone, static_cast<lua_Integer>(lua_rawlen(L, gone)) + 1);
}

// The keys of the table at `index`, in ascending order: what is sent must not show the order of a
// table.
std::vector<Handle> SortedKeys(lua_State* L, int index) {
  std::vector<Handle> keys;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    keys.push_back(CheckKey(L));
    lua_pop(L, 1);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

int Deliver(lua_State* L) {
  lua_settop(L, 5);
  Payload payload = TakePayload(L, 4);
  luaL_checktype(L, 1, LUA_TTABLE);
  const Handle source = CheckHandle(L, 2);
  const int32_t channel = CheckChannel(L, 3);
  ServiceContext& context = ServiceOf(L);
  lua_pushnil(L);
  const int gone = lua_gettop(L);
  for (const Handle handle : SortedKeys(L, 1)) {
    Message message;
    message.source = source;
    message.session = channel;
    message.type = MessageType::kMulticast;
    message.payload = payload.Share();
    message.cause = context.cause();
    if (!context.node().Send(handle, std::move(message))) AddGone(L, gone, handle);
  }
  return 1;
}

int NextId(lua_State* L) {
  lua_pushinteger(L, (CheckChannel(L, 1) + kChannelsPerNode) & kChannelMax);
  return 1;
}

int Pack(lua_State* L) {
  lua_settop(L, 2);
  return PushBox(L, TakePayload(L, 1));
}

int PackRemote(lua_State* L) {
  luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
  const lua_Integer size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size >= 0, 2, "size must not be negative");
  const auto* bytes = static_cast<const char*>(lua_touserdata(L, 1));
  return PushBox(L, Payload::Copy(MemoryOf(L), {bytes, static_cast<size_t>(size)}));
}

int Bind(lua_State* L) {
  const lua_Integer holders = luaL_checkinteger(L, 2);
  luaL_argcheck(L, holders >= 0, 2, "nobody closes a package less than 0 times");
  void* box = nullptr;
  const std::shared_ptr<Package> package = CheckBox(L, 1, box);
  if (!package->Bind(holders)) return luaL_error(L, "the multicast package is bound already");
  MemoryOf(L).Free(box);
  if (holders == 0) ObjectsOf(L).Drop(package->id());
  return 0;
}

int Unpack(lua_State* L) {
  lua_settop(L, 2);
  if (lua_type(L, 1) == LUA_TSTRING) {
    size_t size = 0;
    const char* bytes = lua_tolstring(L, 1, &size);
    Unbox(L, 1, size, bytes);
  } else {
    luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
    Unbox(L, 1, static_cast<size_t>(luaL_checkinteger(L, 2)), lua_touserdata(L, 1));
  }
  const absl::string_view bytes = CheckPackage(L, 1)->bytes();
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, const_cast<char*>(bytes.data()));
  lua_pushinteger(L, static_cast<lua_Integer>(bytes.size()));
  return 3;
}

int Close(lua_State* L) {
  const std::shared_ptr<Package> package = CheckPackage(L, 1);
  switch (package->Close()) {
    case Package::Closed::kNotBound: return luaL_error(L, "the multicast package is not bound");
    case Package::Closed::kOthersHold: break;
    case Package::Closed::kByAll: ObjectsOf(L).Drop(package->id()); break;
  }
  return 0;
}

int Remote(lua_State* L) {
  void* box = nullptr;
  const std::shared_ptr<Package> package = CheckBox(L, 1, box);
  Payload payload;
  if (!package->Take(payload)) return luaL_error(L, "the multicast package is bound already");
  MemoryOf(L).Free(box);
  ObjectsOf(L).Drop(package->id());
  const size_t size = payload.size();
  lua_pushlightuserdata(L, payload.Release());
  lua_pushinteger(L, static_cast<lua_Integer>(size));
  return 2;
}

}  // namespace

int OpenMulticastCore(lua_State* L) {
  static const luaL_Reg kFunctions[] = {
      {"deliver", Deliver},
      {"nextid", NextId},
      {"pack", Pack},
      {"packremote", PackRemote},
      {"bind", Bind},
      {"unpack", Unpack},
      {"close", Close},
      {"remote", Remote},
      {nullptr, nullptr},
  };
  luaL_newlib(L, kFunctions);
  return 1;
}

}  // namespace skysim
