#include "engine/lua/shared_tree_module.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/node.h"
#include "engine/core/shared_objects.h"
#include "engine/core/shared_tree.h"
#include "engine/lua/pairs_copy.h"
#include "engine/lua/path_error.h"
#include "engine/lua/shared_id.h"
#include "engine/lua/shared_view.h"
#include "engine/lua/vm.h"

namespace skysim {

namespace {

using Value = SharedTree::Value;

int AppendCode(lua_State*, const void* bytes, size_t size, void* out) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return 0;
}

// Turns Lua tables into the tables of a tree. What it raises are Lua errors.
class TreeMaker final {
 public:
  TreeMaker(lua_State* L, ViewStyle style) : L_(L), style_(style) {}

  // The table at `index`.
  std::shared_ptr<SharedTree> Make(int index) {
    index = lua_absindex(L_, index);
    lua_newtable(L_);
    anchors_ = lua_gettop(L_);
    AddTable(index, 1);
    lua_remove(L_, anchors_);
    return builder_.Finish(MemoryOf(L_));
  }

 private:
  static constexpr uint32_t kUnderWay = SharedTree::kNone;

  [[noreturn]] void Raise(const std::string& text) { RaiseAt(L_, path_, text); }

  uint32_t AddTable(int index, int depth) {
    if (depth > kSharedTreeDepthMax) {
      path_.clear();
      Raise(absl::StrCat("a shared table is nested deeper than ", kSharedTreeDepthMax));
    }
    luaL_checkstack(L_, 10, "shared table");
    const void* address = lua_topointer(L_, index);
    const auto [known, is_new] = tables_.try_emplace(address, kUnderWay);
    if (!is_new && known->second == kUnderWay) Raise("a shared table is cyclic");
    if (!is_new) return known->second;
    lua_pushvalue(L_, index);
    lua_rawseti(L_, anchors_, static_cast<lua_Integer>(tables_.size()));
    if (style_ == ViewStyle::kTable && lua_getmetatable(L_, index) != 0) {
      Raise("Can't share metatable");
    }
    if (style_ == ViewStyle::kData) ReplaceByPairs(L_, index);
    std::vector<Value> array(ArraySize(index));
    std::vector<SharedTree::Field> fields;
    lua_pushnil(L_);
    while (lua_next(L_, index) != 0) {
      const int key_index = lua_gettop(L_) - 1;
      const Value key = CheckKey(key_index);
      const Value value = CheckValue(key_index, depth);
      if (key.type == SharedTree::Type::kInteger && key.bits - 1 < array.size()) {
        array[key.bits - 1] = value;
      } else {
        fields.push_back({key, value});
      }
      lua_settop(L_, key_index);
    }
    const uint32_t table = builder_.AddTable(array, fields);
    tables_[address] = table;
    return table;
  }

  // The length of the array part: what # says, unless that would be mostly holes.
  size_t ArraySize(int index) {
    const size_t length = lua_rawlen(L_, index);
    if (length <= kHolesAllowed) return length;
    size_t count = 0;
    for (size_t i = 1; i <= length; ++i) {
      const bool is_nil = lua_rawgeti(L_, index, static_cast<lua_Integer>(i)) == LUA_TNIL;
      lua_pop(L_, 1);
      if (!is_nil) ++count;
      if (count + kHolesAllowed < i / 2) return count;
    }
    return length;
  }

  Value CheckKey(int index) {
    const Value key = ToTreeKey(L_, index);
    if (style_ == ViewStyle::kTable) {
      if (key.type == SharedTree::Type::kNil) RaiseType(index);
      return key;
    }
    if (key.type == SharedTree::Type::kFloat) {
      Raise(absl::StrFormat("Invalid key %f", SharedTree::FloatOf(key)));
    }
    if (key.type != SharedTree::Type::kInteger && key.type != SharedTree::Type::kString) {
      Raise(absl::StrCat("Invalid key type ", luaL_typename(L_, index)));
    }
    return key;
  }

  [[noreturn]] void RaiseType(int index) {
    Raise(absl::StrCat("Invalid type [", luaL_typename(L_, index), "]"));
  }

  // The value above the key at `key_index`.
  Value CheckValue(int key_index, int depth) {
    const int index = key_index + 1;
    switch (lua_type(L_, index)) {
      case LUA_TBOOLEAN: return SharedTree::Boolean(lua_toboolean(L_, index) != 0);
      case LUA_TNUMBER:
        return lua_isinteger(L_, index) != 0 ? SharedTree::Integer(lua_tointeger(L_, index))
                                             : SharedTree::Float(lua_tonumber(L_, index));
      case LUA_TSTRING: return ToTreeKey(L_, index);
      case LUA_TTABLE: return CheckTable(key_index, depth);
      default: break;
    }
    if (style_ == ViewStyle::kData) {
      Raise(absl::StrCat("Invalid value type ", luaL_typename(L_, index)));
    }
    if (lua_islightuserdata(L_, index)) return ToTreeKey(L_, index);
    if (lua_isfunction(L_, index)) return CheckFunction(index);
    RaiseType(index);
  }

  Value CheckTable(int key_index, int depth) {
    const int index = key_index + 1;
    if (PushViewContents(L_, index)) lua_replace(L_, index);  // a copy of another shared table
    size_t size;
    lua_pushvalue(L_, key_index);
    const char* key = luaL_tolstring(L_, -1, &size);
    path_.emplace_back(key, size);
    lua_pop(L_, 2);
    const uint32_t table = AddTable(index, depth + 1);
    if (!path_.empty()) path_.pop_back();
    return SharedTree::Table(table);
  }

  Value CheckFunction(int index) {
    if (lua_getupvalue(L_, index, 1) != nullptr) Raise("Invalid type [function with upvalues]");
    if (lua_CFunction function = lua_tocfunction(L_, index)) {
      return SharedTree::CFunction(reinterpret_cast<uintptr_t>(function));
    }
    codes_.push_back(std::make_unique<std::string>());
    lua_pushvalue(L_, index);
    lua_dump(L_, AppendCode, codes_.back().get(), 0);
    lua_pop(L_, 1);
    return SharedTree::Function(*codes_.back());
  }

  static constexpr size_t kHolesAllowed = 16;

  lua_State* L_;
  ViewStyle style_;
  SharedTree::Builder builder_;
  int anchors_ = 0;  // stack index of a table with all tables seen: no address comes twice
  absl::flat_hash_map<const void*, uint32_t> tables_;  // address -> its index; never iterated over
  std::vector<std::string> path_;
  std::vector<std::unique_ptr<std::string>> codes_;
};

SharedObjects& ObjectsOf(lua_State* L) {
  Node* node = VmOf(L).node;
  if (node == nullptr) luaL_error(L, "Init skynet context first");
  return node->shared_objects();
}

int MakeTree(lua_State* L, ViewStyle style) {
  if (PushViewContents(L, 1)) lua_replace(L, 1);
  std::shared_ptr<SharedTree> tree = TreeMaker(L, style).Make(1);
  ObjectsOf(L).Add(tree);
  PushTreeHandle(L, std::move(tree));
  return 1;
}

int Data(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  return MakeTree(L, ViewStyle::kData);
}

int Table(lua_State* L) {
  if (!lua_istable(L, 1)) return luaL_error(L, "Not a table, it's a %s.", luaL_typename(L, 1));
  return MakeTree(L, ViewStyle::kTable);
}

int Id(lua_State* L) {
  PushSharedId(L, CheckTree(L, 1)->id());
  return 1;
}

int Find(lua_State* L) {
  std::shared_ptr<SharedTree> tree = ObjectsOf(L).Find<SharedTree>(CheckSharedId(L, 1));
  if (tree == nullptr) {
    lua_pushnil(L);
  } else {
    PushTreeHandle(L, std::move(tree));
  }
  return 1;
}

int DataView(lua_State* L) {
  PushView(L, 1, ViewStyle::kData);
  return 1;
}

int TableView(lua_State* L) {
  PushView(L, 1, ViewStyle::kTable);
  return 1;
}

int Switch(lua_State* L) {
  SwitchView(L, 1, 2);
  return 0;
}

void PushCopy(lua_State* L, const SharedTree& tree, const Value& value) {
  if (value.type != SharedTree::Type::kTable) return PushTreeValue(L, value);
  luaL_checkstack(L, 4, "shared table");
  const auto table = static_cast<uint32_t>(value.bits);
  const uint32_t array_size = tree.array_size(table);
  lua_createtable(L, static_cast<int>(array_size),
                  static_cast<int>(tree.size(table) - array_size));
  for (uint32_t place = 0; place < tree.size(table); ++place) {
    const SharedTree::Field field = tree.At(table, place);
    PushTreeValue(L, field.key);
    PushCopy(L, tree, field.value);
    lua_rawset(L, -3);
  }
}

int Copy(lua_State* L) {
  const std::shared_ptr<SharedTree> tree = CheckTree(L, 1);
  Value value = SharedTree::Table(tree->root());
  const int top = lua_gettop(L);
  for (int i = 2; i <= top; ++i) {
    if (value.type != SharedTree::Type::kTable) value = {};
    if (value.type == SharedTree::Type::kNil) break;
    value = tree->Find(static_cast<uint32_t>(value.bits), ToTreeKey(L, i));
  }
  PushCopy(L, *tree, value);
  return 1;
}

}  // namespace

int OpenSharedTree(lua_State* L) {
  const luaL_Reg functions[] = {
      {"data", Data},           {"table", Table}, {"id", Id},
      {"find", Find},           {"copy", Copy},   {"dataview", DataView},
      {"tableview", TableView}, {"switch", Switch}, {nullptr, nullptr},
  };
  luaL_newlib(L, functions);
  return 1;
}

}  // namespace skysim
