#include "engine/os/heap.h"

#include <malloc.h>

#include <cstdlib>

#include "absl/log/log.h"

namespace skysim {

namespace {

constexpr int kMiB = 1 << 20;

}  // namespace

void KeepFreedPages() {
  mallopt(M_TOP_PAD, 1 * kMiB);          // taken from the system at a time
  mallopt(M_TRIM_THRESHOLD, 16 * kMiB);  // free at the end of a heap before it is given back
  mallopt(M_MMAP_THRESHOLD, 4 * kMiB);   // blocks from here on are pages of their own
}

static_assert(alignof(std::max_align_t) >= 16, "malloc must align as Memory promises");

void* Heap::Allocate(size_t size) { return Reallocate(nullptr, size); }

void* Heap::Reallocate(void* block, size_t size) {
  void* resized = std::realloc(block, size);
  if (resized == nullptr) LOG(FATAL) << "heap: out of memory: no room for " << size << " bytes";
  return resized;
}

void Heap::Free(void* block) { std::free(block); }

}  // namespace skysim
