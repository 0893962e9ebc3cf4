#include "engine/lua/seri_lua.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>

#include "engine/lua/vm.h"
#include "engine/wire/seri.h"

namespace skysim {
namespace {

// ---- Packing ----
//
// Every function leaves the Lua stack as it found it. Indices are absolute. A function needs fewer
// than kSlotsPerTable stack slots of its own; each table reserves them for what is inside it.

constexpr int kSlotsPerTable = 8;

void PackValue(lua_State* L, int index, int depth, SeriBuffer& out);

// `t[1..n]`, then every other pair. A table that is a sequence, which is nearly every one, is gone
// over once: lua_next gives 1, 2, 3, ... first. When it gives something else before `n` came (a
// hole, or elements that live in the hash part), the rest is fetched by index, and all pairs are
// gone over again from the beginning.
void PackRawTable(lua_State* L, int index, int depth, SeriBuffer& out) {
  const auto array_size = static_cast<lua_Integer>(lua_rawlen(L, index));
  PutSeriTable(static_cast<size_t>(array_size), out);
  const int key = lua_gettop(L) + 1;
  lua_Integer packed = 0;
  lua_pushnil(L);
  while (packed < array_size) {
    if (lua_next(L, index) == 0) {
      lua_pushnil(L);
      break;
    }
    if (!lua_isinteger(L, key) || lua_tointeger(L, key) != packed + 1) break;
    PackValue(L, key + 1, depth, out);
    lua_settop(L, key);
    ++packed;
  }
  if (packed < array_size) {
    for (lua_Integer i = packed + 1; i <= array_size; ++i) {
      lua_rawgeti(L, index, i);
      PackValue(L, lua_gettop(L), depth, out);
      lua_settop(L, key);
    }
    lua_settop(L, key - 1);
    lua_pushnil(L);
  }
  while (lua_next(L, index) != 0) {
    const lua_Integer number = lua_isinteger(L, key) ? lua_tointeger(L, key) : 0;
    if (number <= 0 || number > array_size) {
      PackValue(L, key, depth, out);
      PackValue(L, key + 1, depth, out);
    }
    lua_settop(L, key);
  }
  PutSeriTableEnd(out);
}

// Through the __pairs metamethod on top of the stack, which is taken off.
void PackThroughPairs(lua_State* L, int index, int depth, SeriBuffer& out) {
  PutSeriTable(0, out);
  lua_pushvalue(L, index);
  lua_call(L, 1, 3);
  // iterator, state, control
  const int iterator = lua_gettop(L) - 2;
  for (;;) {
    lua_pushvalue(L, iterator);
    lua_insert(L, -2);
    lua_pushvalue(L, iterator + 1);
    lua_insert(L, -2);
    lua_call(L, 2, 2);
    // iterator, state, key, value
    if (lua_isnil(L, iterator + 2)) break;
    PackValue(L, iterator + 2, depth, out);
    PackValue(L, iterator + 3, depth, out);
    lua_settop(L, iterator + 2);
  }
  PutSeriTableEnd(out);
  lua_settop(L, iterator - 1);
}

void PackTable(lua_State* L, int index, int depth, SeriBuffer& out) {
  luaL_checkstack(L, kSlotsPerTable, nullptr);
  if (luaL_getmetafield(L, index, "__pairs") == LUA_TNIL) {
    PackRawTable(L, index, depth + 1, out);
  } else {
    PackThroughPairs(L, index, depth + 1, out);
  }
}

// `depth` is the number of tables around the value.
void PackValue(lua_State* L, int index, int depth, SeriBuffer& out) {
  if (depth > kSeriPackDepthMax) luaL_error(L, "serialize can't pack too depth table");
  const int type = lua_type(L, index);
  switch (type) {
    case LUA_TNIL:
      PutSeriNil(out);
      break;
    case LUA_TBOOLEAN:
      PutSeriBoolean(lua_toboolean(L, index) != 0, out);
      break;
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) {
        PutSeriInteger(lua_tointeger(L, index), out);
      } else {
        PutSeriDouble(lua_tonumber(L, index), out);
      }
      break;
    case LUA_TSTRING: {
      size_t length = 0;
      const char* bytes = lua_tolstring(L, index, &length);
      if (length > kSeriBytesMax - std::min(out.size(), kSeriBytesMax)) {
        luaL_error(L, "serialize can't pack more than 2G");
      }
      PutSeriString(absl::string_view(bytes, length), out);
      break;
    }
    case LUA_TLIGHTUSERDATA:
      PutSeriPointer(lua_touserdata(L, index), out);
      break;
    case LUA_TTABLE:
      PackTable(L, index, depth, out);
      break;
    default:
      luaL_error(L, "Unsupport type %s to serialize", lua_typename(L, type));
  }
}

// ---- Unpacking ----

// Values on the stack for which room is made at a time.
constexpr int kStackStep = 32;
// Key, value, and one to spare.
constexpr int kSlotsPerUnpackedTable = 4;

[[noreturn]] void RaiseMalformed(lua_State* L, const SeriReader& reader, int line) {
  luaL_error(L, "Invalid serialize stream %d (line:%d)",
             static_cast<int>(std::min<size_t>(reader.left(), INT_MAX)), line);
  std::abort();  // luaL_error does not return
}

void PushToken(lua_State* L, SeriReader& reader, const SeriToken& token, int depth);

// How many pairs come before the table ends or another one begins: a table made for them need not
// grow, which costs more than to look ahead. No byte is looked at twice, because the pairs of an
// inner table are not counted from outside.
int PairsAhead(SeriReader reader) {
  for (int pairs = 0;; ++pairs) {
    const SeriToken key = reader.Next();
    if (key.type < SeriToken::Type::kBoolean || key.type == SeriToken::Type::kTable) return pairs;
    const SeriToken value = reader.Next();
    if (value.type < SeriToken::Type::kNil) return pairs;
    if (value.type == SeriToken::Type::kTable) return pairs + 1;
  }
}

// Pushes a table whose head was read; `depth` tables are around it.
void PushTable(lua_State* L, SeriReader& reader, uint64_t array_size, int depth) {
  if (depth >= kSeriUnpackDepthMax) RaiseMalformed(L, reader, __LINE__);
  luaL_checkstack(L, kSlotsPerUnpackedTable, nullptr);
  // Every element takes a byte at least: more than that cannot come, whatever the head says.
  if (array_size > reader.left()) RaiseMalformed(L, reader, __LINE__);
  lua_createtable(L, static_cast<int>(std::min<uint64_t>(array_size, INT_MAX)),
                  array_size == 0 ? PairsAhead(reader) : 0);
  for (uint64_t i = 1; i <= array_size; ++i) {
    PushToken(L, reader, reader.Next(), depth + 1);
    lua_rawseti(L, -2, static_cast<lua_Integer>(i));
  }
  for (;;) {
    const SeriToken key = reader.Next();
    if (key.type == SeriToken::Type::kNil) return;
    if (key.type == SeriToken::Type::kDouble && std::isnan(key.number)) {
      RaiseMalformed(L, reader, __LINE__);
    }
    PushToken(L, reader, key, depth + 1);
    PushToken(L, reader, reader.Next(), depth + 1);
    lua_rawset(L, -3);
  }
}

void PushToken(lua_State* L, SeriReader& reader, const SeriToken& token, int depth) {
  switch (token.type) {
    case SeriToken::Type::kNil:
      lua_pushnil(L);
      break;
    case SeriToken::Type::kBoolean:
      lua_pushboolean(L, token.boolean ? 1 : 0);
      break;
    case SeriToken::Type::kInteger:
      lua_pushinteger(L, token.integer);
      break;
    case SeriToken::Type::kDouble:
      lua_pushnumber(L, token.number);
      break;
    case SeriToken::Type::kPointer:
      lua_pushlightuserdata(L, reinterpret_cast<void*>(static_cast<uintptr_t>(token.pointer)));
      break;
    case SeriToken::Type::kString:
      lua_pushlstring(L, token.string.data(), token.string.size());
      break;
    case SeriToken::Type::kTable:
      PushTable(L, reader, token.array_size, depth);
      break;
    case SeriToken::Type::kEnd:
    case SeriToken::Type::kMalformed:
      RaiseMalformed(L, reader, __LINE__);
  }
}

}  // namespace

void PackValues(lua_State* L, int first, SeriBuffer& out) {
  const int last = lua_gettop(L);
  for (int i = first; i <= last; ++i) PackValue(L, i, 0, out);
  if (out.size() > kSeriBytesMax) luaL_error(L, "serialize can't pack more than 2G");
}

int UnpackValues(lua_State* L, const char* data, size_t size) {
  if (size == 0) return 0;
  if (data == nullptr) luaL_error(L, "deserialize null pointer");
  SeriReader reader(absl::string_view(data, size));
  int count = 0;
  for (;;) {
    const SeriToken token = reader.Next();
    if (token.type == SeriToken::Type::kEnd) return count;
    if (count % kStackStep == 0) luaL_checkstack(L, kStackStep + 1, nullptr);
    PushToken(L, reader, token, 0);
    ++count;
  }
}

int SeriPack(lua_State* L) {
  SeriBuffer buffer(MemoryOf(L));
  PackValues(L, 1, buffer);
  luaL_checkstack(L, 2, nullptr);
  const SeriBuffer::Block block = buffer.Detach();
  lua_pushlightuserdata(L, block.data);
  lua_pushinteger(L, static_cast<lua_Integer>(block.size));
  return 2;
}

int SeriPackString(lua_State* L) {
  SeriBuffer buffer(MemoryOf(L));
  PackValues(L, 1, buffer);
  luaL_checkstack(L, 1, nullptr);
  lua_pushlstring(L, buffer.view().data(), buffer.view().size());
  return 1;
}

int SeriUnpack(lua_State* L) {
  if (lua_isnoneornil(L, 1)) return 0;
  if (lua_type(L, 1) == LUA_TSTRING) {
    size_t size = 0;
    const char* data = lua_tolstring(L, 1, &size);
    lua_settop(L, 1);
    return UnpackValues(L, data, size);
  }
  luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
  const char* data = static_cast<const char*>(lua_touserdata(L, 1));
  const lua_Integer size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size >= 0, 2, "size below zero");
  lua_settop(L, 0);
  return UnpackValues(L, data, static_cast<size_t>(size));
}

}  // namespace skysim
