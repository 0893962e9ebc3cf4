#include "engine/lua/shared_view.h"

#include <cstdlib>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

// A view V has a metatable M of its own. M's array:
//   [kMark]    the C function OpenContents: this is a view's metatable
//   [kRoot]    R, what the views of one root have in common
//   [kNode]    index of the table in the tree, or kGone
//   [kParent]  M of the parent; nil for the root
//   [kKey]     the key in the parent
// M.__index is FirstRead, or a contents table C. C has a metatable { M, __index = ReadOn } as long
// as something of the table may be missing in it, and none when it is complete.
// R = { handle, live, style }: live has the M of every view of this root as weak keys.

namespace skysim {

namespace {

constexpr char kHandleType[] = "skysim.SharedTree";

enum MetaField { kMark = 1, kRoot, kNode, kParent, kKey };
enum RootField { kHandle = 1, kLive, kStyle };
constexpr lua_Integer kGone = -1;

int FirstRead(lua_State* L);
int ReadOn(lua_State* L);
int ViewPairs(lua_State* L);
int ViewLength(lua_State* L);
int RefuseAssignment(lua_State* L);
int OpenContents(lua_State* L);

std::shared_ptr<SharedTree>& HandleAt(lua_State* L, int index) {
  return *static_cast<std::shared_ptr<SharedTree>*>(lua_touserdata(L, index));
}

int CollectHandle(lua_State* L) {
  // It may be collected in the middle of anything, also by a view that still runs: keep it an
  // object that can be looked at.
  HandleAt(L, 1).reset();
  return 0;
}

// -- Metatables -----------------------------------------------------------------------------------

// Pushes the metatable of the value at `index` if that is a view.
bool PushMeta(lua_State* L, int index) {
  if (!lua_istable(L, index) || lua_getmetatable(L, index) == 0) return false;
  lua_rawgeti(L, -1, kMark);
  const bool is_view = lua_tocfunction(L, -1) == OpenContents;
  lua_pop(L, is_view ? 1 : 2);
  return is_view;
}

lua_Integer RawInteger(lua_State* L, int table, int field) {
  lua_rawgeti(L, table, field);
  const lua_Integer value = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return value;
}

// Makes a view: pushes it. `root`, `parent` (0: none) and `key` are absolute indices.
void PushNewView(lua_State* L, int root, lua_Integer node, int parent, int key) {
  lua_createtable(L, 0, 0);
  lua_createtable(L, kKey, 4);
  lua_pushcfunction(L, OpenContents);
  lua_rawseti(L, -2, kMark);
  lua_pushvalue(L, root);
  lua_rawseti(L, -2, kRoot);
  lua_pushinteger(L, node);
  lua_rawseti(L, -2, kNode);
  if (parent != 0) {
    lua_pushvalue(L, parent);
    lua_rawseti(L, -2, kParent);
    lua_pushvalue(L, key);
    lua_rawseti(L, -2, kKey);
  }
  const luaL_Reg functions[] = {{"__index", FirstRead},
                                {"__newindex", RefuseAssignment},
                                {"__len", ViewLength},
                                {"__pairs", ViewPairs},
                                {nullptr, nullptr}};
  luaL_setfuncs(L, functions, 0);
  lua_rawgeti(L, root, kLive);
  lua_pushvalue(L, -2);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  lua_setmetatable(L, -2);
}

std::string KeyText(lua_State* L, int index) {
  size_t size;
  const char* text = luaL_tolstring(L, index, &size);
  std::string key(text, size);
  lua_pop(L, 1);
  return key;
}

// ".a.b" for the view whose metatable is at `meta`; "" for the root.
std::string PathOf(lua_State* L, int meta) {
  std::string path;
  lua_pushvalue(L, meta);
  while (lua_rawgeti(L, -1, kParent) == LUA_TTABLE) {
    lua_rawgeti(L, -2, kKey);
    path = absl::StrCat(".", KeyText(L, -1), path);
    lua_pop(L, 1);
    lua_replace(L, -2);
  }
  lua_pop(L, 2);
  return path;
}

[[noreturn]] void Raise(lua_State* L, const std::string& text) {
  luaL_where(L, 1);
  lua_pushlstring(L, text.data(), text.size());
  lua_concat(L, 2);
  lua_error(L);
  std::abort();
}

[[noreturn]] void RaiseGone(lua_State* L, int meta) {
  Raise(L, absl::StrCat("The key [", PathOf(L, meta), "] doesn't exist after update"));
}

// The table of the view whose metatable is at `meta`. Raises if it is gone. The tree lives as long
// as the root keeps its handle, which only SwitchView changes.
const SharedTree& TreeOf(lua_State* L, int meta, uint32_t& node) {
  lua_rawgeti(L, meta, kRoot);
  lua_rawgeti(L, -1, kHandle);
  const SharedTree* tree = HandleAt(L, -1).get();
  lua_pop(L, 2);
  const lua_Integer index = RawInteger(L, meta, kNode);
  if (tree == nullptr) Raise(L, "the shared table was closed");
  if (index < 0 || index >= static_cast<lua_Integer>(tree->table_count())) RaiseGone(L, meta);
  node = static_cast<uint32_t>(index);
  return *tree;
}

// -- Contents -------------------------------------------------------------------------------------

// Pushes what `value` is in the view whose metatable is at `meta`, under the key at `key`.
void PushValueOf(lua_State* L, const SharedTree::Value& value, int meta, int key) {
  if (value.type != SharedTree::Type::kTable) return PushTreeValue(L, value);
  lua_rawgeti(L, meta, kRoot);
  PushNewView(L, lua_gettop(L), static_cast<lua_Integer>(value.bits), meta, key);
  lua_remove(L, -2);
}

// Makes an empty contents table of the view whose metatable is at `meta`, and pushes it.
void PushNewContents(lua_State* L, int meta, int array_size, int field_count) {
  lua_createtable(L, array_size, field_count);
  lua_createtable(L, 1, 1);
  lua_pushvalue(L, meta);
  lua_rawseti(L, -2, 1);
  lua_pushcfunction(L, ReadOn);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pushliteral(L, "__index");
  lua_pushvalue(L, -2);
  lua_rawset(L, meta);
}

// Reads the key at `key`, which contents do not have, into the contents, and pushes its value.
int ReadInto(lua_State* L, int meta, int contents, int key) {
  uint32_t node;
  const SharedTree& tree = TreeOf(L, meta, node);
  const SharedTree::Value value = tree.Find(node, ToTreeKey(L, key));
  if (value.type == SharedTree::Type::kNil) {
    lua_pushnil(L);
    return 1;
  }
  PushValueOf(L, value, meta, key);
  lua_pushvalue(L, key);
  lua_pushvalue(L, -2);
  lua_rawset(L, contents);
  return 1;
}

// __index of a view that was not read yet.
int FirstRead(lua_State* L) {
  lua_settop(L, 2);
  if (!PushMeta(L, 1)) return luaL_error(L, "a shared table expected");
  uint32_t node;
  TreeOf(L, 3, node);
  PushNewContents(L, 3, 0, 0);
  return ReadInto(L, 3, 4, 2);
}

// __index of incomplete contents.
int ReadOn(lua_State* L) {
  lua_settop(L, 2);
  if (lua_getmetatable(L, 1) == 0) return 0;
  lua_rawgeti(L, 3, 1);
  return ReadInto(L, 4, 1, 2);
}

// Pushes the contents of the view whose metatable is at `meta`, all of them.
void PushComplete(lua_State* L, int meta) {
  luaL_checkstack(L, 10, "shared table");
  uint32_t node;
  const SharedTree& tree = TreeOf(L, meta, node);
  lua_pushliteral(L, "__index");
  if (lua_rawget(L, meta) != LUA_TTABLE) {
    lua_pop(L, 1);
    const uint32_t array_size = tree.array_size(node);
    PushNewContents(L, meta, static_cast<int>(array_size),
                    static_cast<int>(tree.size(node) - array_size));
  }
  const int contents = lua_gettop(L);
  if (lua_getmetatable(L, contents) == 0) return;
  lua_pop(L, 1);
  for (uint32_t place = 0; place < tree.size(node); ++place) {
    const SharedTree::Field field = tree.At(node, place);
    if (field.value.type == SharedTree::Type::kNil) continue;
    PushTreeValue(L, field.key);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, contents) == LUA_TNIL) {
      PushValueOf(L, field.value, meta, contents + 1);
      lua_pushvalue(L, contents + 1);
      lua_pushvalue(L, -2);
      lua_rawset(L, contents);
    }
    lua_settop(L, contents);
  }
  lua_pushnil(L);
  lua_setmetatable(L, contents);
}

int OpenContents(lua_State* L) {
  luaL_argcheck(L, PushViewContents(L, 1), 1, "a shared table expected");
  return 1;
}

int PlainNext(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_next(L, 1) != 0) return 2;
  lua_pushnil(L);
  return 1;
}

int ViewPairs(lua_State* L) {
  lua_pushcfunction(L, PlainNext);
  luaL_argcheck(L, PushViewContents(L, 1), 1, "a shared table expected");
  lua_pushnil(L);
  return 3;
}

int ViewLength(lua_State* L) {
  if (!PushMeta(L, 1)) return luaL_error(L, "a shared table expected");
  uint32_t node;
  const SharedTree& tree = TreeOf(L, lua_gettop(L), node);
  lua_pushinteger(L, tree.array_size(node));
  return 1;
}

int RefuseAssignment(lua_State* L) {
  lua_settop(L, 2);
  if (!PushMeta(L, 1)) return luaL_error(L, "a shared table expected");
  lua_rawgeti(L, 3, kRoot);
  if (RawInteger(L, 4, kStyle) == static_cast<int>(ViewStyle::kTable)) {
    return luaL_error(L, "attempt to change a shared table");
  }
  Raise(L, absl::StrCat("Error newindex, the key [", PathOf(L, 3), ".", KeyText(L, 2), "]"));
}

// -- Another version ------------------------------------------------------------------------------

// Finds the table of the view whose metatable is on top in `tree`, parents first. `done` holds the
// metatables whose table was found already.
lua_Integer Resolve(lua_State* L, const SharedTree& tree, int done) {
  luaL_checkstack(L, 4, "shared table");
  const int meta = lua_gettop(L);
  lua_pushvalue(L, meta);
  if (lua_rawget(L, done) != LUA_TNIL) {
    lua_pop(L, 1);
    return RawInteger(L, meta, kNode);
  }
  lua_pop(L, 1);
  lua_Integer node = tree.root();
  if (lua_rawgeti(L, meta, kParent) == LUA_TTABLE) {
    const lua_Integer parent = Resolve(L, tree, done);
    node = kGone;
    if (parent != kGone) {
      lua_rawgeti(L, meta, kKey);
      const SharedTree::Value value =
          tree.Find(static_cast<uint32_t>(parent), ToTreeKey(L, lua_gettop(L)));
      if (value.type == SharedTree::Type::kTable) node = static_cast<lua_Integer>(value.bits);
    }
  }
  lua_settop(L, meta);
  lua_pushinteger(L, node);
  lua_rawseti(L, meta, kNode);
  lua_pushvalue(L, meta);
  lua_pushboolean(L, 1);
  lua_rawset(L, done);
  return node;
}

// Gives the view whose metatable is at `meta` new contents: the views of sub-tables that are still
// there. The old contents stay as they are, for a pairs() under way.
void Forget(lua_State* L, int meta) {
  lua_pushliteral(L, "__index");
  if (lua_rawget(L, meta) != LUA_TTABLE) {
    lua_pop(L, 1);
    return;
  }
  const int old = lua_gettop(L);
  PushNewContents(L, meta, 0, 0);
  const int contents = old + 1;
  lua_pushnil(L);
  while (lua_next(L, old) != 0) {
    if (PushMeta(L, -1)) {
      const bool is_there = RawInteger(L, lua_gettop(L), kNode) != kGone;
      lua_pop(L, 1);
      if (is_there) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, contents);
      }
    }
    lua_pop(L, 1);
  }
  lua_settop(L, old - 1);
}

}  // namespace

void PushTreeHandle(lua_State* L, std::shared_ptr<SharedTree> tree) {
  void* box = lua_newuserdatauv(L, sizeof(std::shared_ptr<SharedTree>), 0);
  new (box) std::shared_ptr<SharedTree>(std::move(tree));
  if (luaL_newmetatable(L, kHandleType) != 0) {
    lua_pushcfunction(L, CollectHandle);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
}

const std::shared_ptr<SharedTree>& CheckTree(lua_State* L, int index) {
  luaL_checkudata(L, index, kHandleType);
  const std::shared_ptr<SharedTree>& tree = HandleAt(L, index);
  luaL_argcheck(L, tree != nullptr, index, "the shared tree was closed");
  return tree;
}

void PushView(lua_State* L, int index, ViewStyle style) {
  index = lua_absindex(L, index);
  const SharedTree& tree = *CheckTree(L, index);
  lua_createtable(L, kStyle, 0);
  const int root = lua_gettop(L);
  lua_pushvalue(L, index);
  lua_rawseti(L, root, kHandle);
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawseti(L, root, kLive);
  lua_pushinteger(L, static_cast<int>(style));
  lua_rawseti(L, root, kStyle);
  PushNewView(L, root, tree.root(), 0, 0);
  lua_remove(L, root);
}

void SwitchView(lua_State* L, int view, int handle) {
  handle = lua_absindex(L, handle);
  luaL_checkstack(L, 12, "shared table");
  const std::shared_ptr<SharedTree>& tree = CheckTree(L, handle);
  luaL_argcheck(L, PushMeta(L, view), view, "a shared table expected");
  const int root = lua_gettop(L);
  luaL_argcheck(L, lua_rawgeti(L, root, kParent) == LUA_TNIL, view, "the root expected");
  lua_pop(L, 1);
  lua_rawgeti(L, root, kRoot);
  lua_replace(L, root);
  lua_createtable(L, 0, 0);
  const int done = root + 1;
  lua_rawgeti(L, root, kLive);
  const int live = done + 1;
  lua_rawgeti(L, root, kHandle);  // stays on the stack until the end
  lua_pushvalue(L, handle);
  lua_rawseti(L, root, kHandle);
  for (int pass = 0; pass < 2; ++pass) {
    lua_pushnil(L);
    while (lua_next(L, live) != 0) {
      lua_pop(L, 1);
      if (pass == 0) {
        Resolve(L, *tree, done);
      } else {
        Forget(L, lua_gettop(L));
      }
    }
  }
  if (lua_rawequal(L, live + 1, handle) == 0) HandleAt(L, live + 1).reset();
  lua_settop(L, root - 1);
}

bool IsView(lua_State* L, int index) {
  const bool is_view = PushMeta(L, index);
  if (is_view) lua_pop(L, 1);
  return is_view;
}

bool PushViewContents(lua_State* L, int index) {
  if (!PushMeta(L, index)) return false;
  PushComplete(L, lua_gettop(L));
  lua_remove(L, -2);
  return true;
}

void PushTreeValue(lua_State* L, const SharedTree::Value& value) {
  switch (value.type) {
    case SharedTree::Type::kBoolean: return lua_pushboolean(L, value.bits != 0);
    case SharedTree::Type::kInteger:
      return lua_pushinteger(L, static_cast<lua_Integer>(value.bits));
    case SharedTree::Type::kFloat: return lua_pushnumber(L, SharedTree::FloatOf(value));
    case SharedTree::Type::kString:
      lua_pushlstring(L, value.text.data(), value.text.size());
      return;
    case SharedTree::Type::kPointer:
      return lua_pushlightuserdata(L, reinterpret_cast<void*>(value.bits));
    case SharedTree::Type::kCFunction:
      return lua_pushcfunction(L, reinterpret_cast<lua_CFunction>(value.bits));
    case SharedTree::Type::kFunction:
      if (luaL_loadbufferx(L, value.text.data(), value.text.size(), "=shared", "b") != LUA_OK) {
        lua_error(L);
      }
      return;
    case SharedTree::Type::kNil:
    case SharedTree::Type::kTable: break;
  }
  lua_pushnil(L);
}

SharedTree::Value ToTreeKey(lua_State* L, int index) {
  switch (lua_type(L, index)) {
    case LUA_TBOOLEAN: return SharedTree::Boolean(lua_toboolean(L, index) != 0);
    case LUA_TLIGHTUSERDATA: return SharedTree::Pointer(lua_touserdata(L, index));
    case LUA_TNUMBER: {
      int is_integer;
      const lua_Integer integer = lua_tointegerx(L, index, &is_integer);
      if (is_integer != 0) return SharedTree::Integer(integer);
      return SharedTree::Float(lua_tonumber(L, index));
    }
    case LUA_TSTRING: {
      size_t size;
      const char* text = lua_tolstring(L, index, &size);
      return SharedTree::String(absl::string_view(text, size));
    }
    default: return {};  // no tree has such a key
  }
}

}  // namespace skysim
