#include "engine/lua/datasheet_module.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/core/node.h"
#include "engine/core/shared_objects.h"
#include "engine/lua/pairs_copy.h"
#include "engine/lua/path_error.h"
#include "engine/lua/shared_id.h"
#include "engine/lua/vm.h"
#include "engine/wire/datasheet.h"

namespace skysim {

namespace {

constexpr char kHandleType[] = "skysim.Datasheet";
constexpr int kDepthMax = 200;  // each level costs a C++ frame
constexpr size_t kBytesMax = size_t{1} << 31;

using Type = DatasheetValue::Type;

// -- Compiling ------------------------------------------------------------------------------------

// Turns Lua tables into a sheet. What it raises are Lua errors.
class SheetMaker final {
 public:
  explicit SheetMaker(lua_State* L) : L_(L) {}

  std::string Make(int index) {
    AddTable(index, 1);
    return writer_.Finish();
  }

 private:
  [[noreturn]] void Raise(const std::string& text) { RaiseAt(L_, path_, text); }

  uint32_t AddTable(int index, int depth) {
    if (depth > kDepthMax) {
      path_.clear();
      Raise(absl::StrCat("a datasheet is nested deeper than ", kDepthMax));
    }
    luaL_checkstack(L_, 10, "datasheet");
    const void* address = lua_topointer(L_, index);
    if (!under_way_.insert(address).second) Raise("a datasheet is cyclic");
    ReplaceByPairs(L_, index);
    const uint32_t table = writer_.BeginTable();
    const auto length = static_cast<lua_Integer>(lua_rawlen(L_, index));
    std::vector<std::string> names;
    lua_Integer items = 0;
    lua_pushnil(L_);
    while (lua_next(L_, index) != 0) {
      lua_pop(L_, 1);
      if (lua_type(L_, -1) == LUA_TSTRING) {
        names.push_back(Text(-1));
      } else if (lua_isinteger(L_, -1) != 0 && lua_tointeger(L_, -1) >= 1 &&
                 lua_tointeger(L_, -1) <= length) {
        ++items;
      } else {
        Raise(absl::StrCat("Invalid key ", Shown(-1), ": a string or an index of the array"));
      }
    }
    if (items < length / 2) Raise("Invalid array: most of it is nil");
    std::sort(names.begin(), names.end());
    std::vector<DatasheetWriter::Item> array;
    for (lua_Integer i = 1; i <= length; ++i) {
      lua_rawgeti(L_, index, i);
      array.push_back(MakeItem(std::to_string(i), depth));
    }
    std::vector<DatasheetWriter::Entry> dict;
    for (const std::string& name : names) {
      lua_pushlstring(L_, name.data(), name.size());
      lua_rawget(L_, index);
      dict.push_back({writer_.AddString(name), MakeItem(name, depth)});
    }
    writer_.FinishTable(table, array, dict);
    under_way_.erase(address);
    return table;
  }

  // Pops the value on top of the stack.
  DatasheetWriter::Item MakeItem(const std::string& key, int depth) {
    DatasheetWriter::Item item{Type::kNil, 0};
    switch (lua_type(L_, -1)) {
      case LUA_TNIL: break;
      case LUA_TBOOLEAN: item = {Type::kBoolean, lua_toboolean(L_, -1) != 0 ? 1u : 0u}; break;
      case LUA_TNUMBER: item = MakeNumber(key); break;
      case LUA_TSTRING: item = {Type::kString, writer_.AddString(Text(-1))}; break;
      case LUA_TTABLE: {
        path_.push_back(key);
        item = {Type::kTable, AddTable(lua_gettop(L_), depth + 1)};
        path_.pop_back();
        break;
      }
      default: Raise(absl::StrCat("Invalid value: ", luaL_typename(L_, -1), " ", key));
    }
    lua_pop(L_, 1);
    return item;
  }

  DatasheetWriter::Item MakeNumber(const std::string& key) {
    const lua_Integer integer = lua_tointeger(L_, -1);
    if (lua_isinteger(L_, -1) != 0 && integer == static_cast<int32_t>(integer)) {
      return {Type::kInteger, static_cast<uint32_t>(static_cast<int32_t>(integer))};
    }
    const auto number = static_cast<float>(lua_tonumber(L_, -1));
    if (lua_isinteger(L_, -1) != 0 &&
        static_cast<double>(number) != static_cast<double>(integer)) {
      Raise(absl::StrCat("Invalid value: ", key, " = ", integer, " does not fit 32 bits"));
    }
    uint32_t bits;
    std::memcpy(&bits, &number, sizeof(bits));
    return {Type::kFloat, bits};
  }

  std::string Text(int index) {
    size_t size;
    const char* text = lua_tolstring(L_, index, &size);
    if (std::memchr(text, '\0', size) != nullptr) Raise("Invalid string: it has a NUL");
    bytes_ += size;
    if (bytes_ > kBytesMax) Raise("a datasheet has at most 2 GiB");
    return std::string(text, size);
  }

  std::string Shown(int index) {
    std::string text = luaL_tolstring(L_, index, nullptr);
    lua_pop(L_, 1);
    return text;
  }

  lua_State* L_;
  DatasheetWriter writer_;
  absl::flat_hash_set<const void*> under_way_;  // never iterated over
  std::vector<std::string> path_;
  size_t bytes_ = 0;  // of strings
};

int Compile(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushvalue(L, 1);  // stays while a copy takes its place
  const std::string sheet = SheetMaker(L).Make(1);
  lua_pushlstring(L, sheet.data(), sheet.size());
  return 1;
}

// -- Handles --------------------------------------------------------------------------------------

class SharedSheet final : public SharedObjects::Object {
 public:
  explicit SharedSheet(Datasheet sheet) : sheet_(std::move(sheet)) {}
  const Datasheet& sheet() const { return sheet_; }

 private:
  const Datasheet sheet_;
};
using Handle = std::shared_ptr<SharedSheet>;

SharedObjects& ObjectsOf(lua_State* L) {
  Node* node = VmOf(L).node;
  if (node == nullptr) luaL_error(L, "Init skynet context first");
  return node->shared_objects();
}

Handle& HandleAt(lua_State* L, int index) {
  return *static_cast<Handle*>(luaL_checkudata(L, index, kHandleType));
}

const Handle& CheckHandle(lua_State* L, int index) {
  const Handle& handle = HandleAt(L, index);
  luaL_argcheck(L, handle != nullptr, index, "the sheet was closed");
  return handle;
}

int Collect(lua_State* L) {
  HandleAt(L, 1).reset();
  return 0;
}

void PushHandle(lua_State* L, Handle handle) {
  new (lua_newuserdatauv(L, sizeof(Handle), 0)) Handle(std::move(handle));
  luaL_setmetatable(L, kHandleType);
}

int New(lua_State* L) {
  size_t size;
  const char* bytes = luaL_checklstring(L, 1, &size);
  absl::StatusOr<Datasheet> sheet = Datasheet::Parse(std::string(bytes, size));
  if (!sheet.ok()) {
    const std::string text(sheet.status().message());
    return luaL_error(L, "%s", text.c_str());
  }
  auto handle = std::make_shared<SharedSheet>(*std::move(sheet));
  ObjectsOf(L).Add(handle);
  PushHandle(L, std::move(handle));
  return 1;
}

int Id(lua_State* L) {
  PushSharedId(L, CheckHandle(L, 1)->id());
  return 1;
}

int Find(lua_State* L) {
  Handle handle = ObjectsOf(L).Find<SharedSheet>(CheckSharedId(L, 1));
  if (handle == nullptr) {
    lua_pushnil(L);
  } else {
    PushHandle(L, std::move(handle));
  }
  return 1;
}

void PushValue(lua_State* L, const DatasheetValue& value) {
  switch (value.type) {
    case Type::kInteger: return lua_pushinteger(L, static_cast<int32_t>(value.bits));
    case Type::kFloat: {
      float number;
      std::memcpy(&number, &value.bits, sizeof(number));
      return lua_pushnumber(L, static_cast<lua_Number>(number));
    }
    case Type::kBoolean: return lua_pushboolean(L, value.bits != 0);
    case Type::kTable: return lua_pushinteger(L, value.bits);
    case Type::kString:
      lua_pushlstring(L, value.text.data(), value.text.size());
      return;
    case Type::kNil: break;
  }
  lua_pushnil(L);
}

int Fill(lua_State* L) {
  const Handle handle = CheckHandle(L, 1);
  const lua_Integer index = luaL_checkinteger(L, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  const Datasheet& sheet = handle->sheet();
  luaL_argcheck(L, index >= 0 && sheet.HasTable(static_cast<uint64_t>(index)), 2,
                "no such table");
  const auto table = static_cast<uint32_t>(index);
  lua_createtable(L, 0, 0);
  for (uint32_t place = 0; place < sheet.size(table); ++place) {
    const Datasheet::Field field = sheet.At(table, place);
    if (field.is_item) {
      lua_pushinteger(L, field.index);
    } else {
      lua_pushlstring(L, field.key.data(), field.key.size());
    }
    PushValue(L, field.value);
    lua_rawset(L, field.value.type == Type::kTable ? 4 : 3);
  }
  return 1;
}

}  // namespace

int OpensItself(lua_State*) { return 0; }

int OpenDatasheet(lua_State* L) {
  luaL_newmetatable(L, kHandleType);
  lua_pushcfunction(L, Collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  const luaL_Reg functions[] = {{"compile", Compile}, {"new", New},   {"id", Id},
                                {"find", Find},       {"fill", Fill}, {"opening", OpensItself},
                                {nullptr, nullptr}};
  luaL_newlib(L, functions);
  return 1;
}

}  // namespace skysim
