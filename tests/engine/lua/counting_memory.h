// A Memory over the C heap that knows how many of its blocks are alive, so that a test can say that
// nothing leaked.
#ifndef TESTS_ENGINE_LUA_COUNTING_MEMORY_H_
#define TESTS_ENGINE_LUA_COUNTING_MEMORY_H_

#include <cstddef>
#include <cstdlib>

#include "engine/platform/memory.h"

namespace skysim {

class CountingMemory final : public Memory {
 public:
  void* Allocate(size_t size) override {
    ++live_;
    ++allocations_;
    return std::malloc(size);
  }
  void* Reallocate(void* block, size_t size) override {
    if (block == nullptr) ++live_;
    return std::realloc(block, size);
  }
  void Free(void* block) override {
    if (block != nullptr) --live_;
    std::free(block);
  }

  // Blocks not yet freed.
  int live() const { return live_; }
  // Calls of Allocate so far.
  int allocations() const { return allocations_; }

 private:
  int live_ = 0;
  int allocations_ = 0;
};

}  // namespace skysim

#endif  // TESTS_ENGINE_LUA_COUNTING_MEMORY_H_
