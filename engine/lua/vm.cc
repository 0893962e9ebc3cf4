#include "engine/lua/vm.h"

#include <cstring>

#include "absl/log/check.h"

namespace skysim {

namespace {

// The request with which our build of Lua asks an allocator for the seed of its string hash; no tag
// that Lua passes as `osize` for a new object has this value (tools/third_party/lua/lua_hooks.h).
constexpr size_t kSeedRequest = 0x5eed;
// From here on `osize` is the address of a C function, whose number is asked for.
constexpr size_t kCodeAddressMin = 0x10000;
// Between two numbers, so that they look like the addresses that they stand for.
constexpr size_t kFunctionStep = 0x10;

}  // namespace

LuaVm::LuaVm(Memory& memory, unsigned seed, VmContext context)
    : memory_(memory), context_(context), seed_(seed) {
  state_ = lua_newstate(&LuaVm::Allocate, this);
  CHECK(state_ != nullptr) << "a new Lua state needs memory";
  *static_cast<VmContext**>(lua_getextraspace(state_)) = context_pointer_;
}

LuaVm::LuaVm(Memory& memory, const StateImage& image, VmContext context)
    : memory_(memory), context_(context), pieces_used_(image.pieces()) {
  std::array<char*, StateImage::kPiecesMax> blocks;
  for (size_t i = 0; i < pieces_used_; ++i) {
    size_t bytes = image.piece_bytes(i);
    blocks[i] = static_cast<char*>(memory_.Allocate(bytes));
    pieces_[i] = Piece{blocks[i], bytes};
    bytes_used_ += bytes;
  }
  state_ = image.CopyTo(blocks.data(), &LuaVm::Allocate, this);
  *static_cast<VmContext**>(lua_getextraspace(state_)) = context_pointer_;
}

LuaVm::~LuaVm() {
  lua_close(state_);
  for (size_t i = 0; i < pieces_used_; ++i) memory_.Free(pieces_[i].begin);
}

void* LuaVm::Allocate(void* self, void* block, size_t old_size, size_t new_size) {
  LuaVm& vm = *static_cast<LuaVm*>(self);
  if (block == nullptr) {
    if (new_size == 0) {
      if (old_size == kSeedRequest) return reinterpret_cast<void*>(uintptr_t{vm.seed_});
      return old_size >= kCodeAddressMin ? vm.FunctionNumber(old_size) : nullptr;
    }
    old_size = 0;  // it was a type tag
  } else if (new_size == 0) {
    if (vm.IsPart(block)) return nullptr;
    vm.bytes_used_.store(vm.bytes_used() - old_size, std::memory_order_relaxed);
    vm.memory_.Free(block);
    return nullptr;
  } else if (vm.IsPart(block)) {
    if (new_size <= old_size) return block;
    void* moved = Allocate(self, nullptr, 0, new_size);
    if (moved != nullptr) std::memcpy(moved, block, old_size);
    return moved;
  }
  size_t bytes = vm.bytes_used() - old_size + new_size;
  if (new_size > old_size) {
    if (vm.bytes_limit_ != 0 && bytes > vm.bytes_limit_) return nullptr;
    if (bytes > vm.bytes_warning_) {
      vm.bytes_warning_ *= 2;
      if (vm.warning_ != nullptr) vm.warning_(vm.context_, bytes);
    }
  }
  vm.bytes_used_.store(bytes, std::memory_order_relaxed);
  return vm.memory_.Reallocate(block, new_size);
}

void* LuaVm::FunctionNumber(size_t address) {
  size_t next = (function_numbers_.size() + 1) * kFunctionStep;
  return reinterpret_cast<void*>(function_numbers_.try_emplace(address, next).first->second);
}

bool LuaVm::SharesCode(lua_State* L, const ChunkRegion& code) {
  void* vm = nullptr;
  return lua_getallocf(L, &vm) == &LuaVm::Allocate && static_cast<LuaVm*>(vm)->code_ == &code;
}

void PreloadModule(lua_State* L, const char* name, lua_CFunction openf) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, openf);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

}  // namespace skysim
