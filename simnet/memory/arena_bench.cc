// Times the arena against the heap with three loads: a block taken and given back at once, a window
// of blocks of mixed sizes, and a buffer that grows by doubling. Prints ns per call.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "absl/strings/str_format.h"
#include "engine/os/heap.h"
#include "simnet/memory/arena.h"

namespace skysim {
namespace {

constexpr int kRounds = 5'000'000;

// Small numbers without a pattern, the same in each run.
class Numbers {
 public:
  uint32_t Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33);
  }

 private:
  uint64_t state_ = 1;
};

template <typename Load>
double NsPerCall(Memory& memory, Load load) {
  auto start = std::chrono::steady_clock::now();
  int64_t calls = load(memory);
  std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / static_cast<double>(calls);
}

int64_t Pairs(Memory& memory) {
  for (int i = 0; i < kRounds; ++i) memory.Free(memory.Allocate(56));
  return 2 * int64_t{kRounds};
}

int64_t Window(Memory& memory) {
  Numbers numbers;
  std::vector<void*> blocks(10'000, nullptr);
  for (int i = 0; i < kRounds; ++i) {
    void*& block = blocks[numbers.Next() % blocks.size()];
    memory.Free(block);
    block = memory.Allocate(16 + numbers.Next() % 240);
  }
  for (void* block : blocks) memory.Free(block);
  return 2 * int64_t{kRounds};
}

int64_t Growth(Memory& memory) {
  int64_t calls = 0;
  for (int i = 0; i < kRounds / 100; ++i) {
    void* block = nullptr;
    for (size_t size = 32; size <= 16'384; size *= 2, ++calls) {
      block = memory.Reallocate(block, size);
    }
    memory.Free(block);
  }
  return calls;
}

int Main() {
  absl::StatusOr<std::unique_ptr<Arena>> arena = Arena::Create();
  if (!arena.ok()) {
    std::fprintf(stderr, "%s\n", arena.status().ToString().c_str());
    return 1;
  }
  Heap heap;
  for (int round = 0; round < 2; ++round) {
    absl::PrintF("pairs   heap %6.2f ns  arena %6.2f ns\n", NsPerCall(heap, Pairs),
                 NsPerCall(**arena, Pairs));
    absl::PrintF("window  heap %6.2f ns  arena %6.2f ns\n", NsPerCall(heap, Window),
                 NsPerCall(**arena, Window));
    absl::PrintF("growth  heap %6.2f ns  arena %6.2f ns\n", NsPerCall(heap, Growth),
                 NsPerCall(**arena, Growth));
  }
  return 0;
}

}  // namespace
}  // namespace skysim

int main() { return skysim::Main(); }
