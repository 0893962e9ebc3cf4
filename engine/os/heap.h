#ifndef ENGINE_OS_HEAP_H_
#define ENGINE_OS_HEAP_H_

#include <cstddef>

#include "engine/platform/memory.h"

namespace skysim {

// Heap is the real Memory: the C heap of the process. Any thread.
class Heap final : public Memory {
 public:
  void* Allocate(size_t size) override;
  void* Reallocate(void* block, size_t size) override;
  void Free(void* block) override;
};

}  // namespace skysim

#endif  // ENGINE_OS_HEAP_H_
