#include "engine/lua/stm_module.h"

#include <memory>
#include <new>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/message.h"
#include "engine/core/node.h"
#include "engine/core/shared_objects.h"
#include "engine/lua/shared_id.h"
#include "engine/lua/vm.h"

namespace skysim {

namespace {

constexpr char kWriterType[] = "skysim.StmWriter";
constexpr char kReaderType[] = "skysim.StmReader";

using Version = std::shared_ptr<const Payload>;

// What a writer shows its readers. Any thread.
class Cell final : public SharedObjects::Object {
 public:
  void Publish(Version version) {
    absl::MutexLock lock(&mutex_);
    version_.swap(version);  // the old one goes when the lock is free again
  }
  // Null: the writer is gone.
  Version Read() const {
    absl::MutexLock lock(&mutex_);
    return version_;
  }

 private:
  mutable absl::Mutex mutex_;
  Version version_ ABSL_GUARDED_BY(mutex_);
};

struct Writer {
  std::shared_ptr<Cell> cell;
};

struct Reader {
  std::shared_ptr<Cell> cell;  // null: the writer was gone before
  Version last;
};

SharedObjects& ObjectsOf(lua_State* L) {
  Node* node = VmOf(L).node;
  if (node == nullptr) luaL_error(L, "Init skynet context first");
  return node->shared_objects();
}

// The bytes at `index`: a string is copied, a block taken over.
Version CheckVersion(lua_State* L, int index) {
  if (lua_islightuserdata(L, index)) {
    auto* block = static_cast<char*>(lua_touserdata(L, index));
    const lua_Integer size = luaL_checkinteger(L, index + 1);
    luaL_argcheck(L, size >= 0, index + 1, "a size is not negative");
    return std::make_shared<const Payload>(MemoryOf(L), block, static_cast<size_t>(size));
  }
  size_t size;
  const char* bytes = luaL_checklstring(L, index, &size);
  return std::make_shared<const Payload>(
      Payload::Copy(MemoryOf(L), absl::string_view(bytes, size)));
}

Writer& CheckWriter(lua_State* L) {
  auto& writer = *static_cast<Writer*>(luaL_checkudata(L, 1, kWriterType));
  luaL_argcheck(L, writer.cell != nullptr, 1, "the writer was closed");
  return writer;
}

int New(lua_State* L) {
  Version version = CheckVersion(L, 1);
  auto cell = std::make_shared<Cell>();
  cell->Publish(std::move(version));
  ObjectsOf(L).Add(cell);
  new (lua_newuserdatauv(L, sizeof(Writer), 0)) Writer{std::move(cell)};
  luaL_setmetatable(L, kWriterType);
  return 1;
}

int Publish(lua_State* L) {
  const Writer& writer = CheckWriter(L);
  writer.cell->Publish(CheckVersion(L, 2));
  return 0;
}

int CollectWriter(lua_State* L) {
  auto& writer = *static_cast<Writer*>(luaL_checkudata(L, 1, kWriterType));
  if (writer.cell != nullptr) writer.cell->Publish(nullptr);
  writer.cell.reset();
  return 0;
}

int Copy(lua_State* L) {
  PushSharedId(L, CheckWriter(L).cell->id());
  return 1;
}

int NewCopy(lua_State* L) {
  const SharedObjects::Id id = CheckSharedId(L, 1);
  std::shared_ptr<Cell> cell = ObjectsOf(L).Find<Cell>(id);
  luaL_argcheck(L, cell != nullptr || ObjectsOf(L).WasGiven(id), 1, "no copy of a stm writer");
  new (lua_newuserdatauv(L, sizeof(Reader), 0)) Reader{std::move(cell), nullptr};
  luaL_setmetatable(L, kReaderType);
  return 1;
}

int Read(lua_State* L) {
  auto& reader = *static_cast<Reader*>(luaL_checkudata(L, 1, kReaderType));
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 3);
  // Held here as well: f may read again.
  const Version version = reader.cell == nullptr ? nullptr : reader.cell->Read();
  if (version == nullptr || version == reader.last) {
    lua_pushboolean(L, 0);
    return 1;
  }
  reader.last = version;
  lua_pushboolean(L, 1);
  lua_replace(L, 1);  // stack: true, f, ud
  lua_pushlightuserdata(L, version->data());
  lua_insert(L, 3);
  lua_pushinteger(L, static_cast<lua_Integer>(version->size()));
  lua_insert(L, 4);
  lua_call(L, 3, LUA_MULTRET);
  return lua_gettop(L);
}

int CollectReader(lua_State* L) {
  auto& reader = *static_cast<Reader*>(luaL_checkudata(L, 1, kReaderType));
  reader.cell.reset();
  reader.last.reset();
  return 0;
}

void MakeType(lua_State* L, const char* name, lua_CFunction call, lua_CFunction collect) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, call);
  lua_setfield(L, -2, "__call");
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

}  // namespace

int OpenStm(lua_State* L) {
  MakeType(L, kWriterType, Publish, CollectWriter);
  MakeType(L, kReaderType, Read, CollectReader);
  const luaL_Reg functions[] = {
      {"new", New}, {"copy", Copy}, {"newcopy", NewCopy}, {nullptr, nullptr}};
  luaL_newlib(L, functions);
  return 1;
}

}  // namespace skysim
