#include "tools/third_party/lua/frozen_chunk.h"

#include <string.h>
#include <sys/mman.h>

#include <map>
#include <string>
#include <utility>

#include "tools/third_party/lua/lua_internals.h"

// Why a collector of a state may meet a frozen string or array without harm: it marks an object
// only if it is white, and frozen strings are black and old for ever; it sweeps only what is in its
// own lists, and they are in none. Frozen strings are names (of locals, upvalues and the source),
// which Lua reads as bytes and never compares by address or hands out as values. Constants are
// values, so every state makes its own.

namespace skysim {

// The header of the main function; the functions inside hang from it.
struct FrozenChunk {
  Proto main;
};

namespace {

// ---- Freezing ----

class Freezer final {
 public:
  explicit Freezer(ChunkRegion& region) : region_(region) {}

  // False: nothing that was frozen may be used.
  bool has_room() const { return has_room_; }

  void Freeze(const Proto& from, Proto* to) {
    *to = from;
    to->source = Name(from.source);
    to->code = Copy(from.code, from.sizecode);
    to->lineinfo = Copy(from.lineinfo, from.sizelineinfo);
    to->abslineinfo = Copy(from.abslineinfo, from.sizeabslineinfo);
    to->upvalues = Copy(from.upvalues, from.sizeupvalues);
    to->locvars = Copy(from.locvars, from.sizelocvars);
    to->k = Copy(from.k, from.sizek);
    to->p = Copy(from.p, from.sizep);
    if (!has_room_) return;
    for (int i = 0; i < from.sizeupvalues; ++i) to->upvalues[i].name = Name(from.upvalues[i].name);
    for (int i = 0; i < from.sizelocvars; ++i) {
      to->locvars[i].varname = Name(from.locvars[i].varname);
    }
    for (int i = 0; i < from.sizek; ++i) {
      if (ttisstring(&from.k[i])) val_(&to->k[i]).gc = obj2gco(Name(tsvalue(&from.k[i])));
    }
    for (int i = 0; i < from.sizep; ++i) {
      to->p[i] = New<Proto>(1);
      if (has_room_) Freeze(*from.p[i], to->p[i]);
    }
  }

  template <typename T>
  T* New(int count) {
    if (count == 0) return nullptr;
    void* block = region_.Allocate(sizeof(T) * static_cast<size_t>(count));
    if (block == nullptr) has_room_ = false;
    return static_cast<T*>(block);
  }

 private:
  template <typename T>
  T* Copy(const T* from, int count) {
    T* to = New<T>(count);
    if (to != nullptr) memcpy(to, from, sizeof(T) * static_cast<size_t>(count));
    return to;
  }

  // A string object that no state owns. Each name is there once per chunk.
  TString* Name(TString* from) {
    if (from == nullptr) return nullptr;
    std::string bytes(getstr(from), tsslen(from));
    auto known = names_.find(bytes);
    if (known != names_.end()) return known->second;
    auto* name = static_cast<TString*>(region_.Allocate(sizelstring(bytes.size())));
    if (name == nullptr) {
      has_room_ = false;
      return nullptr;
    }
    memcpy(static_cast<void*>(name), from, sizelstring(bytes.size()));
    name->next = nullptr;
    name->marked = bitmask(BLACKBIT) | G_OLD;
    names_.emplace(std::move(bytes), name);
    return name;
  }

  ChunkRegion& region_;
  bool has_room_ = true;
  std::map<std::string, TString*> names_;
};

// ---- Thawing ----
//
// A collection may run at any allocation if memory is short: every array is valid before the next
// allocation, and every object hangs from the closure on the stack.

void ThawConstant(lua_State* L, const TValue* from, Proto* owner, TValue* to) {
  if (!ttisstring(from)) {
    setobj(L, to, from);
    return;
  }
  const TString* bytes = tsvalue(from);
  TString* string = luaS_newlstr(L, getstr(bytes), tsslen(bytes));
  setsvalue2n(L, to, string);
  luaC_objbarrier(L, owner, string);
}

// Lua will count these arrays as freed one day, so now they count as allocated.
void ShareArrays(lua_State* L, const Proto& from, Proto* to) {
  to->code = from.code;
  to->sizecode = from.sizecode;
  to->lineinfo = from.lineinfo;
  to->sizelineinfo = from.sizelineinfo;
  to->abslineinfo = from.abslineinfo;
  to->sizeabslineinfo = from.sizeabslineinfo;
  to->locvars = from.locvars;
  to->sizelocvars = from.sizelocvars;
  to->upvalues = from.upvalues;
  to->sizeupvalues = from.sizeupvalues;
  const size_t bytes = sizeof(Instruction) * static_cast<size_t>(from.sizecode) +
                       sizeof(ls_byte) * static_cast<size_t>(from.sizelineinfo) +
                       sizeof(AbsLineInfo) * static_cast<size_t>(from.sizeabslineinfo) +
                       sizeof(LocVar) * static_cast<size_t>(from.sizelocvars) +
                       sizeof(Upvaldesc) * static_cast<size_t>(from.sizeupvalues);
  G(L)->GCdebt += static_cast<l_mem>(bytes);
}

void ThawHeader(lua_State* L, const Proto& from, Proto* to) {
  to->numparams = from.numparams;
  to->is_vararg = from.is_vararg;
  to->maxstacksize = from.maxstacksize;
  to->linedefined = from.linedefined;
  to->lastlinedefined = from.lastlinedefined;
  to->source = from.source;
  ShareArrays(L, from, to);
}

void ThawConstants(lua_State* L, const Proto& from, Proto* to) {
  if (from.sizek == 0) return;
  to->k = luaM_newvector(L, from.sizek, TValue);
  to->sizek = from.sizek;
  for (int i = 0; i < from.sizek; ++i) setnilvalue(&to->k[i]);
  for (int i = 0; i < from.sizek; ++i) ThawConstant(L, &from.k[i], to, &to->k[i]);
}

void MakeFunctions(lua_State* L, int count, Proto* to) {
  if (count == 0) return;
  to->p = luaM_newvector(L, count, Proto*);
  to->sizep = count;
  for (int i = 0; i < count; ++i) to->p[i] = nullptr;
}

void Thaw(lua_State* L, const Proto& from, Proto* to);

void ThawFunctions(lua_State* L, const Proto& from, Proto* to) {
  MakeFunctions(L, from.sizep, to);
  for (int i = 0; i < from.sizep; ++i) {
    to->p[i] = luaF_newproto(L);
    luaC_objbarrier(L, to, to->p[i]);
    Thaw(L, *from.p[i], to->p[i]);
  }
}

void Thaw(lua_State* L, const Proto& from, Proto* to) {
  ThawHeader(L, from, to);
  ThawConstants(L, from, to);
  ThawFunctions(L, from, to);
}

// ---- Chunks thawed in advance ----

// The address is the registry's key of a list of main functions. They are few: a list is searched
// as fast as a table, and the order of the registry does not depend on the addresses of chunks.
//
// Such a main function cannot run: it has no constants. They are many, and of no use after the one
// time that a chunk usually runs; so each load makes its own main function, which is collected, and
// takes the functions inside from the one that was kept.
constexpr char kKeptKey = 0;

// The main function that KeepThawed made of `from`, or null. It is known by its instructions, which
// are the frozen ones; a chunk always has some.
const Proto* FindKept(lua_State* L, const Proto& from) {
  const Proto* found = nullptr;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kKeptKey) == LUA_TTABLE) {
    const Table* kept = hvalue(s2v(L->top.p - 1));
    for (unsigned i = 1; found == nullptr; ++i) {
      const TValue* function = luaH_getint(const_cast<Table*>(kept), i);
      if (isempty(function)) break;
      const Proto* proto = clLvalue(function)->p;
      if (proto->code == from.code) found = proto;
    }
  }
  lua_pop(L, 1);
  return found;
}

Proto* PushMain(lua_State* L, const Proto& from) {
  LClosure* closure = luaF_newLclosure(L, from.sizeupvalues);
  setclLvalue2s(L, L->top.p, closure);
  luaD_inctop(L);
  closure->p = luaF_newproto(L);
  luaC_objbarrier(L, closure, closure->p);
  ThawHeader(L, from, closure->p);
  luaF_initupvals(L, closure);
  return closure->p;
}

void ThawProtected(lua_State* L, void* chunk) {
  const Proto& from = static_cast<const FrozenChunk*>(chunk)->main;
  Proto* main = PushMain(L, from);
  ThawConstants(L, from, main);
  const Proto* kept = FindKept(L, from);
  if (kept == nullptr) return ThawFunctions(L, from, main);
  MakeFunctions(L, from.sizep, main);
  for (int i = 0; i < from.sizep; ++i) {
    main->p[i] = kept->p[i];
    luaC_objbarrier(L, main, main->p[i]);
  }
}

}  // namespace

ChunkRegion::ChunkRegion() {
  void* begin = mmap(nullptr, kBytesMax, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) return;
  begin_ = static_cast<char*>(begin);
  bytes_max_ = kBytesMax;
}

ChunkRegion::~ChunkRegion() {
  if (begin_ != nullptr) munmap(begin_, bytes_max_);
}

void* ChunkRegion::Allocate(size_t bytes) {
  bytes = (bytes + 7) & ~size_t{7};
  if (bytes > bytes_max_ - used_) return nullptr;
  void* block = begin_ + used_;
  used_ += bytes;
  return block;
}

const FrozenChunk* FreezeChunk(lua_State* L, ChunkRegion& region) {
  const Proto* main = clLvalue(s2v(L->top.p - 1))->p;
  Freezer freezer(region);
  auto* chunk = freezer.New<FrozenChunk>(1);
  if (chunk != nullptr) freezer.Freeze(*main, &chunk->main);
  return freezer.has_room() ? chunk : nullptr;
}

void KeepThawed(lua_State* L, const FrozenChunk& chunk) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &kKeptKey) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &kKeptKey);
  }
  ThawFunctions(L, chunk.main, PushMain(L, chunk.main));
  lua_rawseti(L, -2, static_cast<lua_Integer>(lua_rawlen(L, -2)) + 1);
  lua_pop(L, 1);
}

int ThawChunk(lua_State* L, const FrozenChunk& chunk) {
  int status = luaD_pcall(L, ThawProtected, const_cast<FrozenChunk*>(&chunk),
                          savestack(L, L->top.p), L->errfunc);
  if (status == LUA_OK && chunk.main.sizeupvalues >= 1) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_setupvalue(L, -2, 1);
  }
  return status;
}

}  // namespace skysim
