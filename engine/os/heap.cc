#include "engine/os/heap.h"

#include <cstdlib>

#include "absl/log/log.h"

namespace skysim {

static_assert(alignof(std::max_align_t) >= 16, "malloc must align as Memory promises");

void* Heap::Allocate(size_t size) { return Reallocate(nullptr, size); }

void* Heap::Reallocate(void* block, size_t size) {
  void* resized = std::realloc(block, size);
  if (resized == nullptr) LOG(FATAL) << "heap: out of memory: no room for " << size << " bytes";
  return resized;
}

void Heap::Free(void* block) { std::free(block); }

}  // namespace skysim
