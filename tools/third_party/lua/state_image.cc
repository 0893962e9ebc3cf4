#include "tools/third_party/lua/state_image.h"

#include <stdlib.h>
#include <string.h>

#include <memory>
#include <unordered_map>

#include "absl/log/check.h"
#include "tools/third_party/lua/lua_internals.h"

// Three states are filled. The first only teaches which of its allocations are still there at the
// end: the sequence is the same each time, so their ordinals are enough. In the other two, those
// lie side by side in pieces and the rest, the garbage, outside. Then the two are compared.
//
// A live object refers to live objects only, so every pointer is one into a piece, or the same in
// both (code, static data, a ChunkRegion). What may refer to garbage is set to zero before: the
// stack beyond its top, call records that are done, caches, removed keys of tables, and the bytes
// of values that have none. Garbage that was overlooked shows, because it is at one place in one
// state and at another in the other: no block is used twice while they are made.

namespace skysim {

namespace {

// What is wrong when the state is not the same each time, but for the addresses in it.
constexpr char kNotTheSame[] =
    "who fills the image of a Lua state must do the same each time, whatever the addresses: ";

// Which allocations of a state live on, by ordinal, with their final size.
struct Survivor {
  size_t ordinal;
  size_t bytes;
};

size_t RoundUp(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

// Makes one state. A block is never resized in place, so that each has one ordinal and one size.
class Builder final {
 public:
  explicit Builder(unsigned seed) : seed_(seed) {}
  ~Builder() {
    if (state_ != nullptr) lua_close(state_);
    for (void* block : garbage_) free(block);
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  // Before Run(). False if they need too many or too long pieces.
  bool MakePlaces(const std::vector<Survivor>& survivors);
  void Run(const std::function<void(lua_State*)>& fill);

  lua_State* state() const { return state_; }
  std::vector<Survivor> Survivors() const;
  size_t pieces() const { return pieces_.size(); }
  size_t piece_bytes(size_t piece) const { return pieces_[piece].used; }
  const char* piece_begin(size_t piece) const { return pieces_[piece].memory.get(); }

  // Which piece an address is in, or pieces().
  // A table points right behind its nodes, which may be the last of a piece.
  size_t PieceOf(uintptr_t address) const {
    size_t piece = 0;
    while (piece < pieces_.size() &&
           address - reinterpret_cast<uintptr_t>(piece_begin(piece)) > pieces_[piece].used) {
      ++piece;
    }
    return piece;
  }

 private:
  struct Piece {
    std::unique_ptr<char[]> memory;
    size_t used = 0;
  };
  // Where in a piece a survivor goes.
  struct Place {
    char* begin;
    size_t bytes;
  };
  struct Block {
    size_t ordinal;
    size_t bytes;
  };

  bool MakePlace(const Survivor& survivor);
  void* NewBlock(size_t bytes);
  void FreeBlock(void* block);
  static void* Allocate(void* self, void* block, size_t old_size, size_t new_size);

  const unsigned seed_;
  lua_State* state_ = nullptr;
  std::vector<Piece> pieces_;
  std::unordered_map<size_t, Place> places_;  // by ordinal
  std::unordered_map<void*, Block> blocks_;   // in use
  std::vector<void*> garbage_;
  size_t ordinal_next_ = 0;
};

bool Builder::MakePlaces(const std::vector<Survivor>& survivors) {
  for (const Survivor& survivor : survivors) {
    if (!MakePlace(survivor)) return false;
  }
  return true;
}

bool Builder::MakePlace(const Survivor& survivor) {
  size_t bytes = RoundUp(survivor.bytes);
  if (bytes > StateImage::kPieceBytes) return false;
  size_t piece = 0;
  while (piece < pieces_.size() && pieces_[piece].used + bytes > StateImage::kPieceBytes) ++piece;
  if (piece == pieces_.size()) {
    if (piece == StateImage::kPiecesMax) return false;
    pieces_.emplace_back();
    // Zeros. One more, so that what is right behind the last object is nothing else's.
    pieces_.back().memory = std::make_unique<char[]>(StateImage::kPieceBytes + 1);
  }
  places_[survivor.ordinal] = {pieces_[piece].memory.get() + pieces_[piece].used, survivor.bytes};
  pieces_[piece].used += bytes;
  return true;
}

void* Builder::NewBlock(size_t bytes) {
  size_t ordinal = ordinal_next_++;
  auto place = places_.find(ordinal);
  void* block = nullptr;
  if (place != places_.end()) {
    CHECK_EQ(bytes, place->second.bytes) << kNotTheSame << "allocation " << ordinal;
    block = place->second.begin;
  } else {
    block = calloc(1, bytes);
    CHECK(block != nullptr) << "the image of a Lua state needs memory";
  }
  blocks_[block] = Block{ordinal, bytes};
  return block;
}

void Builder::FreeBlock(void* block) {
  auto known = blocks_.find(block);
  if (known == blocks_.end()) return;  // of a ChunkRegion
  bool is_placed = places_.count(known->second.ordinal) > 0;
  blocks_.erase(known);
  if (!is_placed) garbage_.push_back(block);
}

void* Builder::Allocate(void* self, void* block, size_t old_size, size_t new_size) {
  Builder& builder = *static_cast<Builder*>(self);
  if (block == nullptr && new_size == 0) {
    if (old_size != kSkysimLuaSeedRequest) return nullptr;
    return reinterpret_cast<void*>(uintptr_t{builder.seed_});
  }
  void* fresh = new_size == 0 ? nullptr : builder.NewBlock(new_size);
  if (block == nullptr) return fresh;
  if (fresh != nullptr) memcpy(fresh, block, old_size < new_size ? old_size : new_size);
  builder.FreeBlock(block);
  return fresh;
}

// The table of strings is inside the image, and lost there once it grows. So it has room for a
// quarter more: the strings of a small service.
void MakeRoomForStrings(lua_State* L) {
  const stringtable& strings = G(L)->strt;
  int size = strings.size;
  while (size < strings.nuse + strings.nuse / 4) size *= 2;
  luaS_resize(L, size);
}

// A nil or a boolean keeps the bytes of what was in its place before, and copies of it as well.
void ScrubValue(TValue* value) {
  int type = ttype(value);
  if (type != LUA_TNIL && type != LUA_TBOOLEAN) return;
  memset(static_cast<void*>(&value->value_), 0, sizeof(Value));
}

void ScrubThread(lua_State* L) {
  for (StkId slot = L->stack.p; slot < L->stack_last.p + EXTRA_STACK; ++slot) {
    if (slot >= L->top.p) setnilvalue(s2v(slot));
    ScrubValue(s2v(slot));
  }
  for (CallInfo* call = L->ci->next; call != nullptr; call = call->next) {
    CallInfo fresh{};
    fresh.previous = call->previous;
    fresh.next = call->next;
    *call = fresh;
  }
}

void ScrubTable(Table* table) {
  for (unsigned i = 0; i < luaH_realasize(table); ++i) ScrubValue(&table->array[i]);
  if (isdummy(table)) return;
  for (int i = 0; i < sizenode(table); ++i) {
    Node* node = gnode(table, i);
    ScrubValue(gval(node));
    if (isempty(gval(node))) {
      if (keyisdead(node)) gckey(node) = nullptr;
      continue;
    }
    CHECK(!keyiscollectable(node) || keytt(node) == ctb(LUA_VSHRSTR) ||
          keytt(node) == ctb(LUA_VLNGSTR))
        << "a table in the image of a Lua state has a key that is no string: type " << keytt(node);
    int type = novariant(keytt(node));
    if (type == LUA_TBOOLEAN) memset(static_cast<void*>(&node->u.key_val), 0, sizeof(Value));
  }
}

// A closed one has its value where its links were, whose bytes show behind the type.
void ScrubUpvalue(UpVal* upvalue) {
  if (upisopen(upvalue)) return;  // the value is in a stack
  ScrubValue(&upvalue->u.value);
  const TValue value = upvalue->u.value;
  memset(static_cast<void*>(&upvalue->u), 0, sizeof(upvalue->u));
  upvalue->u.value.value_ = value.value_;
  upvalue->u.value.tt_ = value.tt_;
}

void ScrubObject(GCObject* object) {
  switch (object->tt) {
    case LUA_VTABLE: return ScrubTable(gco2t(object));
    case LUA_VTHREAD: return ScrubThread(gco2th(object));
    case LUA_VUPVAL: return ScrubUpvalue(gco2upv(object));
    case LUA_VCCL:
      for (int i = 0; i < gco2ccl(object)->nupvalues; ++i) ScrubValue(&gco2ccl(object)->upvalue[i]);
      return;
    case LUA_VUSERDATA:
      for (int i = 0; i < gco2u(object)->nuvalue; ++i) ScrubValue(&gco2u(object)->uv[i].uv);
      return;
    case LUA_VPROTO:
      for (int i = 0; i < gco2p(object)->sizek; ++i) ScrubValue(&gco2p(object)->k[i]);
      return;
    default: return;  // strings; functions of Lua have pointers only
  }
}

void ScrubList(GCObject* object) {
  for (; object != nullptr; object = object->next) ScrubObject(object);
}

void Scrub(lua_State* L) {
  global_State* g = G(L);
  g->sweepgc = nullptr;
  for (auto& line : g->strcache) {
    for (TString*& cached : line) cached = g->memerrmsg;  // as luaS_clearcache does
  }
  ScrubList(g->allgc);  // the main thread is among them
  ScrubList(g->finobj);
}

void Builder::Run(const std::function<void(lua_State*)>& fill) {
  state_ = lua_newstate(&Builder::Allocate, this);
  CHECK(state_ != nullptr);
  memset(lua_getextraspace(state_), 0, LUA_EXTRASPACE);
  lua_gc(state_, LUA_GCSTOP);
  fill(state_);
  lua_settop(state_, 0);
  MakeRoomForStrings(state_);
  lua_gc(state_, LUA_GCRESTART);
  lua_gc(state_, LUA_GCCOLLECT);    // runs finalisers
  lua_gc(state_, LUA_GCGEN, 0, 0);  // a collection, too: frees what had them
  CHECK(G(state_)->tobefnz == nullptr);
  Scrub(state_);
}

std::vector<Survivor> Builder::Survivors() const {
  std::vector<size_t> bytes(ordinal_next_, 0);
  for (const auto& [block, known] : blocks_) bytes[known.ordinal] = known.bytes;
  std::vector<Survivor> survivors;
  for (size_t ordinal = 0; ordinal < bytes.size(); ++ordinal) {
    if (bytes[ordinal] > 0) survivors.push_back({ordinal, bytes[ordinal]});
  }
  return survivors;
}

uintptr_t WordAt(const char* at) {
  uintptr_t word;
  memcpy(&word, at, sizeof(word));
  return word;
}

}  // namespace

std::unique_ptr<const StateImage> StateImage::Make(
    unsigned seed, const std::function<void(lua_State*)>& fill) {
  Builder scout(seed), one(seed), other(seed);
  scout.Run(fill);
  const std::vector<Survivor> survivors = scout.Survivors();
  if (!one.MakePlaces(survivors) || !other.MakePlaces(survivors)) return nullptr;
  std::unique_ptr<StateImage> image(new StateImage);
  one.Run(fill);
  other.Run(fill);
  // The allocator's data is set in each copy.
  G(one.state())->ud = G(other.state())->ud = nullptr;
  for (size_t source = 0; source < one.pieces(); ++source) {
    const char* bytes = one.piece_begin(source);
    const char* other_bytes = other.piece_begin(source);
    Piece piece;
    piece.bytes.assign(bytes, bytes + one.piece_bytes(source));
    std::array<std::vector<uint16_t>, kPiecesMax> words;
    for (size_t at = 0; at < piece.bytes.size(); at += sizeof(uintptr_t)) {
      uintptr_t word = WordAt(bytes + at), other_word = WordAt(other_bytes + at);
      if (word == other_word) continue;
      size_t target = one.PieceOf(word);
      CHECK_LT(target, one.pieces())
          << kNotTheSame << "byte " << at << " of piece " << source << " is " << word << ", then "
          << other_word;
      uintptr_t offset = word - reinterpret_cast<uintptr_t>(one.piece_begin(target));
      CHECK_EQ(offset, other_word - reinterpret_cast<uintptr_t>(other.piece_begin(target)))
          << kNotTheSame << "byte " << at << " of piece " << source;
      memcpy(&piece.bytes[at], &offset, sizeof(offset));
      words[target].push_back(static_cast<uint16_t>(at));
    }
    for (size_t target = 0; target < one.pieces(); ++target) {
      if (!words[target].empty()) piece.pointers.push_back({target, std::move(words[target])});
    }
    image->pieces_.push_back(std::move(piece));
  }
  auto state = reinterpret_cast<uintptr_t>(one.state());
  image->state_piece_ = one.PieceOf(state);
  image->state_offset_ = state - reinterpret_cast<uintptr_t>(one.piece_begin(image->state_piece_));
  for (Builder* builder : {&one, &other}) G(builder->state())->ud = builder;
  return image;
}

lua_State* StateImage::CopyTo(char* const* blocks, lua_Alloc allocate, void* user_data) const {
  for (size_t source = 0; source < pieces_.size(); ++source) {
    const Piece& piece = pieces_[source];
    char* block = blocks[source];
    memcpy(block, piece.bytes.data(), piece.bytes.size());
    for (const Pointers& pointers : piece.pointers) {
      const auto base = reinterpret_cast<uintptr_t>(blocks[pointers.target]);
      for (uint16_t at : pointers.words) {
        // The words are of many types; the compiler makes an addition of this.
        uintptr_t word;
        memcpy(&word, block + at, sizeof(word));
        word += base;
        memcpy(block + at, &word, sizeof(word));
      }
    }
  }
  auto* state = reinterpret_cast<lua_State*>(blocks[state_piece_] + state_offset_);
  lua_setallocf(state, allocate, user_data);
  return state;
}

}  // namespace skysim
