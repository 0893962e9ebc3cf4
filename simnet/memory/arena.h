#ifndef SIMNET_MEMORY_ARENA_H_
#define SIMNET_MEMORY_ARENA_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/platform/memory.h"

namespace skysim {

struct ArenaOptions {
  // Free under address randomisation, AddressSanitizer and ThreadSanitizer: above where they keep
  // their shadows, below where Linux puts libraries and stacks.
  uintptr_t base = 0x7e9000000000;
  // Reserved addresses, not used memory. A multiple of Arena::kSpanBytes.
  size_t bytes_max = size_t{64} << 30;
};

// Arena is the Memory of a simulated run: a range of addresses that is the same in every process,
// and an allocator whose answers depend on the sequence of calls only. So the addresses that a
// service can see - the order of pairs() over tables, the text of tostring() - repeat with the run.
//
// Blocks of up to 32 KiB come from slabs of one size class each, the block freed last first; bigger
// ones are runs of 16 KiB spans, the lowest that fits. A block has no header: a table of spans
// tells its class. Slabs stay with their class until Reset().
//
// One thread. One arena per process at one address; the second Create() fails.
class Arena final : public Memory {
 public:
  static constexpr size_t kSpanBytes = 16u << 10;
  static constexpr size_t kSmallBytesMax = 32u << 10;

  // FailedPrecondition when the addresses are taken, ResourceExhausted when the system does not let
  // us reserve so many (ulimit -v, strict overcommit).
  static absl::StatusOr<std::unique_ptr<Arena>> Create(const ArenaOptions& options = {});
  ~Arena() override;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // See Memory. A pointer that is not the start of a block in use ends the process, naming it.
  void* Allocate(size_t size) override;
  void* Reallocate(void* block, size_t size) override;
  void Free(void* block) override;

  // Forgets every block: what follows gets the addresses that a new arena would give. Memory that
  // was touched beyond the first 64 MiB goes back to the system.
  void Reset();

  // Bytes of the blocks in use, each rounded up to its class.
  size_t bytes_used() const { return bytes_used_; }
  // Spans that belong to slabs or to large blocks.
  size_t spans_used() const { return spans_used_; }
  std::string DebugString() const;

 private:
  // 32 multiples of 16, then 4 per doubling up to 32 KiB.
  static constexpr int kClasses = 32 + 6 * 4;

  enum class SpanKind : uint8_t { kNoBlock, kSlab, kLarge };

  // What a span holds. Only the first span of a large block has an entry; the others, like free
  // spans, say kNoBlock.
  struct Span {
    SpanKind kind;
    uint8_t size_class;    // kSlab
    uint8_t spans_before;  // kSlab: distance to the slab's first span
    uint8_t unused;
    uint32_t spans;  // kLarge: length of the block
  };

  // What a free block holds. The mark tells a second Free() of it.
  struct FreeBlock {
    FreeBlock* next;
    uintptr_t mark;
  };

  struct SizeClass {
    FreeBlock* free = nullptr;  // the one freed last
    char* fresh = nullptr;      // never used blocks of the newest slab
    char* fresh_end = nullptr;
    size_t block_bytes = 0;
    uint64_t reciprocal = 0;  // 2^40 / block_bytes, rounded up
    uint32_t slab_spans = 0;
    uint32_t blocks_per_slab = 0;
    uint32_t slabs = 0;
  };

  Arena(char* base, size_t bytes_max, Span* spans);

  static int ClassOf(size_t size);
  void* AllocateFresh(SizeClass& size_class, size_t size);
  void* AllocateLarge(size_t size);
  void FreeLarge(void* block, Span& span);
  bool ResizeLargeInPlace(void* block, Span& span, size_t size);
  uint32_t TakeSpans(uint32_t count, size_t size_wanted);
  void GiveSpans(uint32_t first, uint32_t count);
  Span& SpanOf(const void* block);
  void CheckSmall(const void* block, const Span& span, size_t span_index) const;
  bool IsInFreeList(const void* block, const SizeClass& size_class) const;
  size_t BlockBytes(const Span& span) const;
  void ResetClasses();

  char* const base_;
  const size_t bytes_max_;
  const uint32_t spans_max_;
  Span* const spans_;  // spans_max_ entries, zero pages until used
  std::array<SizeClass, kClasses> classes_;
  std::map<uint32_t, uint32_t> holes_;  // free runs below frontier_: first span -> spans
  uint32_t frontier_ = 0;               // this span and all behind it are free
  uint32_t frontier_max_ = 0;           // since memory was last given back
  size_t bytes_used_ = 0;
  size_t spans_used_ = 0;
};

}  // namespace skysim

#endif  // SIMNET_MEMORY_ARENA_H_
