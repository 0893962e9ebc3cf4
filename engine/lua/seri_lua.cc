#include "engine/lua/seri_lua.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>

#include "engine/lua/vm.h"
#include "engine/wire/seri.h"
#include "tools/third_party/lua/lua_internals.h"

namespace skysim {
namespace {

// ---- Packing ----
//
// Tables are walked in Lua's own structures. Every function leaves the Lua stack as it found it.
// Nothing here runs Lua code or its collector, except a __pairs metamethod: it may change any table
// that is being walked, so tables stand on the stack, and sizes and slots are looked up again after
// each value. A function needs fewer than kSlotsPerTable stack slots of its own; each table
// reserves them for what is inside it.

constexpr int kSlotsPerTable = 8;

void PackValue(lua_State* L, const TValue* value, int depth, SeriBuffer& out);

const TValue* ValueAt(lua_State* L, int index) { return s2v(L->ci->func.p + index); }

void PushValue(lua_State* L, const TValue* value) {
  setobj2s(L, L->top.p, value);
  ++L->top.p;
}

// A key, and the value behind it. They may leave the table while a key that is a table is packed.
void PackPair(lua_State* L, const ::Node* node, int depth, SeriBuffer& out) {
  TValue key;
  key.value_ = node->u.key_val;
  key.tt_ = node->u.key_tt;
  if (!ttistable(&key)) {
    PackValue(L, &key, depth, out);
    PackValue(L, gval(node), depth, out);
    return;
  }
  PushValue(L, &key);
  PushValue(L, gval(node));
  const int top = lua_gettop(L);
  PackValue(L, ValueAt(L, top - 1), depth, out);
  PackValue(L, ValueAt(L, top), depth, out);
  lua_pop(L, 2);
}

// The node that lua_next comes to as number `position`.
const ::Node* NodeAt(lua_State* L, const Table* table, int position) {
  const lu_byte order = G(L)->tableorder;
  if (order == 0) return gnode(table, position);
  const SkysimHashWalk walk(G(L)->seed, order, table, table->lsizenode);
  return gnode(table, walk.NodeAt(static_cast<uint32_t>(position)));
}

// `t[1..n]`, then every other pair, in the order of lua_next.
void PackRawTable(lua_State* L, Table* table, int depth, SeriBuffer& out) {
  const lua_Unsigned count = luaH_getn(table);
  PutSeriTable(static_cast<size_t>(count), out);
  for (lua_Unsigned i = 1; i <= count; ++i) {
    PackValue(L, luaH_getint(table, static_cast<lua_Integer>(i)), depth, out);
  }
  for (lua_Unsigned i = count; i < luaH_realasize(table); ++i) {  // behind a hole
    if (isempty(&table->array[i])) continue;
    PutSeriInteger(static_cast<int64_t>(i + 1), out);
    PackValue(L, &table->array[i], depth, out);
  }
  for (int i = 0; i < sizenode(table); ++i) {
    const ::Node* node = NodeAt(L, table, i);
    if (isempty(gval(node))) continue;
    if (keyisinteger(node) && static_cast<lua_Unsigned>(keyival(node)) - 1 < count) continue;
    PackPair(L, node, depth, out);
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
    PackValue(L, ValueAt(L, iterator + 2), depth, out);
    PackValue(L, ValueAt(L, iterator + 3), depth, out);
    lua_settop(L, iterator + 2);
  }
  PutSeriTableEnd(out);
  lua_settop(L, iterator - 1);
}

void PackTable(lua_State* L, const TValue* value, int depth, SeriBuffer& out) {
  Table* const table = hvalue(value);
  luaL_checkstack(L, kSlotsPerTable, nullptr);  // may move `value`
  sethvalue2s(L, L->top.p, table);
  ++L->top.p;
  if (table->metatable == nullptr || luaL_getmetafield(L, -1, "__pairs") == LUA_TNIL) {
    PackRawTable(L, table, depth + 1, out);
  } else {
    PackThroughPairs(L, lua_gettop(L) - 1, depth + 1, out);
  }
  --L->top.p;
}

void PackLongString(lua_State* L, const TValue* value, SeriBuffer& out) {
  const size_t length = tsslen(tsvalue(value));
  if (length > kSeriBytesMax - std::min(out.size(), kSeriBytesMax)) {
    luaL_error(L, "serialize can't pack more than 2G");
  }
  PutSeriString(absl::string_view(getstr(tsvalue(value)), length), out);
}

// `depth` is the number of tables around the value.
void PackValue(lua_State* L, const TValue* value, int depth, SeriBuffer& out) {
  if (depth > kSeriPackDepthMax) luaL_error(L, "serialize can't pack too depth table");
  switch (ttypetag(value)) {
    case LUA_VSHRSTR:
      PutSeriString(absl::string_view(getstr(tsvalue(value)), tsvalue(value)->shrlen), out);
      return;
    case LUA_VNUMINT: return PutSeriInteger(ivalue(value), out);
    case LUA_VNUMFLT: return PutSeriDouble(fltvalue(value), out);
    case LUA_VTABLE: return PackTable(L, value, depth, out);
    case LUA_VTRUE: return PutSeriBoolean(true, out);
    case LUA_VFALSE: return PutSeriBoolean(false, out);
    case LUA_VLNGSTR: return PackLongString(L, value, out);
    case LUA_VLIGHTUSERDATA: return PutSeriPointer(pvalue(value), out);
    default: break;
  }
  if (!ttisnil(value)) {
    luaL_error(L, "Unsupport type %s to serialize", lua_typename(L, ttype(value)));
  }
  PutSeriNil(out);
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

// Pushes a value that needs no collector: see PushTable. There is room on the stack.
void PushInside(lua_State* L, SeriReader& reader, const SeriToken& token, int depth) {
  TValue* const to = s2v(L->top.p);
  switch (token.type) {
    case SeriToken::Type::kInteger: setivalue(to, token.integer); break;
    case SeriToken::Type::kDouble: setfltvalue(to, token.number); break;
    case SeriToken::Type::kString:
      setsvalue2s(L, L->top.p, luaS_newlstr(L, token.string.data(), token.string.size()));
      break;
    default: return PushToken(L, reader, token, depth);
  }
  ++L->top.p;
}

// Pushes a table whose head was read; `depth` tables are around it. Elements go into it without
// the API between; the collector is asked once per table instead of once per string.
void PushTable(lua_State* L, SeriReader& reader, uint64_t array_size, int depth) {
  if (depth >= kSeriUnpackDepthMax) RaiseMalformed(L, reader, __LINE__);
  luaL_checkstack(L, kSlotsPerUnpackedTable, nullptr);
  // Every element takes a byte at least: more than that cannot come, whatever the head says.
  if (array_size > reader.left()) RaiseMalformed(L, reader, __LINE__);
  lua_createtable(L, static_cast<int>(std::min<uint64_t>(array_size, INT_MAX)),
                  array_size == 0 ? PairsAhead(reader) : 0);
  Table* const table = hvalue(s2v(L->top.p - 1));
  for (uint64_t i = 1; i <= array_size; ++i) {
    PushInside(L, reader, reader.Next(), depth + 1);
    const TValue* const value = s2v(L->top.p - 1);
    luaH_setint(L, table, static_cast<lua_Integer>(i), s2v(L->top.p - 1));
    luaC_barrierback(L, obj2gco(table), value);
    --L->top.p;
  }
  for (;;) {
    const SeriToken key = reader.Next();
    if (key.type == SeriToken::Type::kNil) break;
    if (key.type == SeriToken::Type::kDouble && std::isnan(key.number)) {
      RaiseMalformed(L, reader, __LINE__);
    }
    PushInside(L, reader, key, depth + 1);
    PushInside(L, reader, reader.Next(), depth + 1);
    luaH_set(L, table, s2v(L->top.p - 2), s2v(L->top.p - 1));
    luaC_barrierback(L, obj2gco(table), s2v(L->top.p - 1));
    L->top.p -= 2;
  }
  invalidateTMcache(table);  // it may become a metatable
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
  for (int i = first; i <= last; ++i) PackValue(L, ValueAt(L, i), 0, out);
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
