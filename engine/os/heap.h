#ifndef ENGINE_OS_HEAP_H_
#define ENGINE_OS_HEAP_H_

#include <cstddef>

#include "engine/platform/memory.h"

namespace skysim {

// Has the C heap of this process keep some MiB per thread of what is freed instead of giving each
// page back at once: a cluster call of 100 KiB takes 18 page faults otherwise, a fifth of its CPU
// time. For programs that serve; settings of malloc in the environment no longer count. To be
// called before there are other threads.
void KeepFreedPages();

// Heap is the real Memory: the C heap of the process. Any thread.
class Heap final : public Memory {
 public:
  void* Allocate(size_t size) override;
  void* Reallocate(void* block, size_t size) override;
  void Free(void* block) override;
};

}  // namespace skysim

#endif  // ENGINE_OS_HEAP_H_
