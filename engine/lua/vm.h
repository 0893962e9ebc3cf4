#ifndef ENGINE_LUA_VM_H_
#define ENGINE_LUA_VM_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "engine/platform/memory.h"
#include "engine/platform/platform.h"
#include "tools/third_party/lua/frozen_chunk.h"
#include "tools/third_party/lua/lua_api.h"
#include "tools/third_party/lua/state_image.h"

namespace skysim {

class Node;
class ServiceContext;
class TaskScheduler;

// What the C functions of a VM find from their lua_State (VmOf). Filled by whoever made the VM;
// lives as long as the VM. `node`, `service` and `tasks` are null in a VM that runs no service (the
// story of a scenario, a unit test).
struct VmContext {
  Platform* platform = nullptr;
  Node* node = nullptr;
  ServiceContext* service = nullptr;
  TaskScheduler* tasks = nullptr;
};

// One Lua state on a platform's Memory, with a seeded string hash and a count of its bytes. One
// thread at a time. Closing it runs the finalisers.
class LuaVm final {
 public:
  // `memory` must outlive the VM. `seed` decides the order of pairs() over strings.
  LuaVm(Memory& memory, unsigned seed, VmContext context);
  // A copy of `image`, whose seed it has, made in `memory`.
  LuaVm(Memory& memory, const StateImage& image, VmContext context);
  ~LuaVm();
  LuaVm(const LuaVm&) = delete;
  LuaVm& operator=(const LuaVm&) = delete;

  lua_State* state() const { return state_; }
  VmContext& context() { return context_; }

  // What the VM took from its memory; code that it shares is not in it. Any thread.
  size_t bytes_used() const { return bytes_used_.load(std::memory_order_relaxed); }
  // The VM may thaw chunks of `code`, which must outlive it. Before the first, and once.
  void ShareCode(const ChunkRegion& code) { code_ = &code; }
  static bool SharesCode(lua_State* L, const ChunkRegion& code);

  // Growing beyond fails with Lua's "not enough memory". 0 = no limit.
  void SetMemoryLimit(size_t bytes) { bytes_limit_ = bytes; }
  // Called when the VM first uses 32 MiB, then at each doubling. Must not call Lua.
  using MemoryWarning = void (*)(VmContext& context, size_t bytes);
  void SetMemoryWarning(MemoryWarning warning) { warning_ = warning; }

 private:
  // The memory of a copied state. Its parts are never given back alone.
  struct Piece {
    char* begin = nullptr;
    size_t bytes = 0;
  };

  static void* Allocate(void* self, void* block, size_t old_size, size_t new_size);
  // What tostring and %p show of a C function: the same in every build, as its address is not.
  void* FunctionNumber(size_t address);
  // Whether the block is not one of `memory_`: in a piece, or shared code.
  bool IsPart(const void* block) const {
    for (size_t i = 0; i < pieces_used_; ++i) {
      if (static_cast<size_t>(static_cast<const char*>(block) - pieces_[i].begin) <
          pieces_[i].bytes) {
        return true;
      }
    }
    return code_ != nullptr && code_->Contains(block);
  }

  Memory& memory_;
  VmContext context_;
  VmContext* context_pointer_ = &context_;
  unsigned seed_ = 0;
  size_t pieces_used_ = 0;
  std::array<Piece, StateImage::kPiecesMax> pieces_;
  const ChunkRegion* code_ = nullptr;
  std::atomic<size_t> bytes_used_{0};  // written by the VM's thread only
  size_t bytes_limit_ = 0;
  size_t bytes_warning_ = 32u << 20;
  MemoryWarning warning_ = nullptr;
  // Address of a C function -> its number, in the order in which the VM was asked to show them.
  absl::flat_hash_map<size_t, size_t> function_numbers_;
  lua_State* state_ = nullptr;
};

// Any thread (coroutine) of a LuaVm's state.
inline VmContext& VmOf(lua_State* L) { return **static_cast<VmContext**>(lua_getextraspace(L)); }
inline Memory& MemoryOf(lua_State* L) { return VmOf(L).platform->memory; }

// Pushes nothing. Opens `openf` as module `name`, for require() only (package.preload).
void PreloadModule(lua_State* L, const char* name, lua_CFunction openf);

}  // namespace skysim

#endif  // ENGINE_LUA_VM_H_
