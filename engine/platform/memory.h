#ifndef ENGINE_PLATFORM_MEMORY_H_
#define ENGINE_PLATFORM_MEMORY_H_

#include <cstddef>

namespace skysim {

// Memory is where everything that a service can see the address of comes from: Lua objects and
// message payloads. In reality it is the C heap; in a simulation it is an arena at a fixed address
// with a deterministic free list, so that addresses repeat from run to run.
//
// Threads: the implementation decides; the heap may be called from any thread, the arena from one.
class Memory {
 public:
  virtual ~Memory() = default;

  // Returns a block of at least `size` > 0 bytes, aligned to 16. Never null: running out of memory
  // ends the process with a message.
  virtual void* Allocate(size_t size) = 0;

  // Resizes `block` (null: allocates) to `size` > 0 bytes and keeps the common prefix.
  virtual void* Reallocate(void* block, size_t size) = 0;

  // Gives `block` back. Null is allowed.
  virtual void Free(void* block) = 0;
};

}  // namespace skysim

#endif  // ENGINE_PLATFORM_MEMORY_H_
