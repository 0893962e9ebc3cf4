#include "simnet/memory/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#if defined(__SANITIZE_ADDRESS__)
#define SKYSIM_ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SKYSIM_ARENA_ASAN 1
#endif
#endif

#ifdef SKYSIM_ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define SKYSIM_ARENA_RAW __attribute__((no_sanitize_address, noinline))
#else
#define SKYSIM_ARENA_RAW
#endif

// A free block carries its links in itself, and under AddressSanitizer it is poisoned. So links are
// only touched by the functions marked SKYSIM_ARENA_RAW, and everything else in this file touches
// blocks that are in use.

namespace skysim {

namespace {

constexpr size_t kSpanShift = 14;
static_assert(Arena::kSpanBytes == size_t{1} << kSpanShift);

// Memory up to here stays with the process over a Reset(): a run touches it again at once.
constexpr size_t kKeepBytes = size_t{64} << 20;

constexpr uintptr_t kFreeMark = 0x5ca1ab1ef4eeb10c;
constexpr int kReciprocalShift = 40;

#ifdef SKYSIM_ARENA_ASAN
void Poison(const void* begin, size_t bytes) { __asan_poison_memory_region(begin, bytes); }
void Unpoison(const void* begin, size_t bytes) { __asan_unpoison_memory_region(begin, bytes); }
#else
void Poison(const void*, size_t) {}
void Unpoison(const void*, size_t) {}
#endif

// Makes the first `size` bytes of a block of `block_bytes` usable, and only them.
inline void OpenBlock([[maybe_unused]] const void* block, [[maybe_unused]] size_t block_bytes,
                      [[maybe_unused]] size_t size) {
#ifdef SKYSIM_ARENA_ASAN
  Poison(block, block_bytes);
  Unpoison(block, size);
#endif
}

// A template because the type is private to Arena.
template <typename Block>
SKYSIM_ARENA_RAW inline Block* UnlinkFirst(Block*& list) {
  Block* block = list;
  list = block->next;
  block->mark = 0;  // else a block whose user never writes there would look freed
  return block;
}

template <typename Block>
SKYSIM_ARENA_RAW inline void LinkFirst(Block*& list, Block* block) {
  block->next = list;
  block->mark = reinterpret_cast<uintptr_t>(block) ^ kFreeMark;
  list = block;
}

template <typename Block>
SKYSIM_ARENA_RAW inline bool LooksFree(const Block* block) {
  return block->mark == (reinterpret_cast<uintptr_t>(block) ^ kFreeMark);
}

template <typename Block>
SKYSIM_ARENA_RAW Block* NextOf(const Block* block) {
  return block->next;
}

size_t ClassBytes(int size_class) {
  if (size_class < 32) return static_cast<size_t>(size_class + 1) * 16;
  int doubling = (size_class - 32) / 4;
  int quarter = (size_class - 32) % 4;
  return static_cast<size_t>(5 + quarter) << (doubling + 7);
}

// The shortest slab that wastes at most an eighth.
uint32_t SlabSpans(size_t block_bytes) {
  uint32_t spans = 1;
  while (spans * Arena::kSpanBytes < block_bytes ||
         (spans * Arena::kSpanBytes) % block_bytes > spans * Arena::kSpanBytes / 8) {
    ++spans;
  }
  return spans;
}

uint32_t SpansFor(size_t size) {
  return static_cast<uint32_t>((size + Arena::kSpanBytes - 1) >> kSpanShift);
}

absl::Status MapError(const ArenaOptions& options, int error) {
  std::string text = absl::StrFormat(
      "cannot reserve %d MiB of addresses at %#x for the simulated services' memory: %s",
      options.bytes_max >> 20, options.base, std::strerror(error));
  if (error == EEXIST) {
    return absl::FailedPreconditionError(absl::StrCat(text, "; something else is mapped there"));
  }
  return absl::ResourceExhaustedError(
      absl::StrCat(text, "; see ulimit -v and /proc/sys/vm/overcommit_memory"));
}

void* Reserve(void* at, size_t bytes, int extra_flags) {
  return mmap(at, bytes, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | extra_flags, -1, 0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Arena>> Arena::Create(const ArenaOptions& options) {
  CHECK_EQ(options.bytes_max % kSpanBytes, 0u);
  CHECK_EQ(options.base % kSpanBytes, 0u);
  void* wanted = reinterpret_cast<void*>(options.base);
  void* base = Reserve(wanted, options.bytes_max, MAP_FIXED_NOREPLACE);
  if (base == MAP_FAILED) return MapError(options, errno);
  if (base != wanted) {  // a kernel before 4.17 takes the address for a hint
    munmap(base, options.bytes_max);
    return MapError(options, EEXIST);
  }
  // Fewer page faults; where the system has no such pages, nothing is lost.
  madvise(base, options.bytes_max, MADV_HUGEPAGE);
  size_t table_bytes = (options.bytes_max >> kSpanShift) * sizeof(Span);
  void* table = Reserve(nullptr, table_bytes, 0);
  if (table == MAP_FAILED) {
    absl::Status status = MapError(options, errno);
    munmap(base, options.bytes_max);
    return status;
  }
  return absl::WrapUnique(
      new Arena(static_cast<char*>(base), options.bytes_max, static_cast<Span*>(table)));
}

Arena::Arena(char* base, size_t bytes_max, Span* spans)
    : base_(base),
      bytes_max_(bytes_max),
      spans_max_(static_cast<uint32_t>(bytes_max >> kSpanShift)),
      spans_(spans) {
  ResetClasses();
}

Arena::~Arena() {
  Unpoison(base_, size_t{frontier_max_} << kSpanShift);  // others may map here later
  munmap(base_, bytes_max_);
  munmap(spans_, size_t{spans_max_} * sizeof(Span));
}

void Arena::ResetClasses() {
  for (int i = 0; i < kClasses; ++i) {
    SizeClass& size_class = classes_[i];
    size_class = SizeClass();
    size_class.block_bytes = ClassBytes(i);
    size_class.reciprocal =
        ((uint64_t{1} << kReciprocalShift) + size_class.block_bytes - 1) / size_class.block_bytes;
    size_class.slab_spans = SlabSpans(size_class.block_bytes);
    size_class.blocks_per_slab =
        static_cast<uint32_t>(size_class.slab_spans * kSpanBytes / size_class.block_bytes);
  }
}

inline int Arena::ClassOf(size_t size) {
  if (size <= 512) return static_cast<int>((size + 15) >> 4) - 1;
  unsigned last = static_cast<unsigned>(size - 1);
  int top_bit = 31 - __builtin_clz(last);
  int quarter = static_cast<int>(last >> (top_bit - 2)) & 3;
  return 32 + (top_bit - 9) * 4 + quarter;
}

void* Arena::Allocate(size_t size) {
  if (size > kSmallBytesMax) return AllocateLarge(size);
  DCHECK_GT(size, 0u);
  SizeClass& size_class = classes_[ClassOf(size)];
  if (size_class.free == nullptr) return AllocateFresh(size_class, size);
  void* block = UnlinkFirst(size_class.free);
  bytes_used_ += size_class.block_bytes;
  OpenBlock(block, size_class.block_bytes, size);
  return block;
}

void* Arena::AllocateFresh(SizeClass& size_class, size_t size) {
  if (size_class.fresh == size_class.fresh_end) {
    uint32_t first = TakeSpans(size_class.slab_spans, size);
    auto index = static_cast<uint8_t>(&size_class - classes_.data());
    for (uint32_t i = 0; i < size_class.slab_spans; ++i) {
      spans_[first + i] = Span{SpanKind::kSlab, index, static_cast<uint8_t>(i), 0, 0};
    }
    ++size_class.slabs;
    size_class.fresh = base_ + (size_t{first} << kSpanShift);
    size_class.fresh_end =
        size_class.fresh + size_class.blocks_per_slab * size_class.block_bytes;
    Poison(size_class.fresh, size_class.slab_spans * kSpanBytes);
  }
  char* block = size_class.fresh;
  size_class.fresh += size_class.block_bytes;
  bytes_used_ += size_class.block_bytes;
  OpenBlock(block, size_class.block_bytes, size);
  return block;
}

void* Arena::AllocateLarge(size_t size) {
  if (size > bytes_max_) {
    LOG(FATAL) << "arena: a block of " << size << " bytes is more than there is: "
               << DebugString();
  }
  uint32_t count = SpansFor(size);
  uint32_t first = TakeSpans(count, size);
  spans_[first] = Span{SpanKind::kLarge, 0, 0, 0, count};
  char* block = base_ + (size_t{first} << kSpanShift);
  bytes_used_ += size_t{count} << kSpanShift;
  OpenBlock(block, size_t{count} << kSpanShift, size);
  return block;
}

// Lowest hole that fits, then the frontier.
uint32_t Arena::TakeSpans(uint32_t count, size_t size_wanted) {
  spans_used_ += count;
  for (auto hole = holes_.begin(); hole != holes_.end(); ++hole) {
    if (hole->second < count) continue;
    uint32_t first = hole->first;
    uint32_t rest = hole->second - count;
    auto after = holes_.erase(hole);
    if (rest > 0) holes_.emplace_hint(after, first + count, rest);
    return first;
  }
  if (count > spans_max_ - frontier_) {
    spans_used_ -= count;
    LOG(FATAL) << "arena: out of memory: no room for a block of " << size_wanted
               << " bytes: " << DebugString();
  }
  uint32_t first = frontier_;
  frontier_ += count;
  frontier_max_ = std::max(frontier_max_, frontier_);
  return first;
}

void Arena::GiveSpans(uint32_t first, uint32_t count) {
  spans_used_ -= count;
  auto after = holes_.lower_bound(first);
  if (after != holes_.begin()) {
    auto before = std::prev(after);
    CHECK_LE(before->first + before->second, first);
    if (before->first + before->second == first) {
      first = before->first;
      count += before->second;
      holes_.erase(before);
    }
  }
  if (after != holes_.end() && first + count == after->first) {
    count += after->second;
    after = holes_.erase(after);
  }
  if (first + count == frontier_) {
    frontier_ = first;
  } else {
    holes_.emplace_hint(after, first, count);
  }
}

inline Arena::Span& Arena::SpanOf(const void* block) {
  size_t offset = static_cast<size_t>(static_cast<const char*>(block) - base_);
  CHECK_LT(offset, bytes_max_) << "arena: " << block << " is not memory of this arena";
  Span& span = spans_[offset >> kSpanShift];
  CHECK(span.kind != SpanKind::kNoBlock)
      << "arena: no block in use starts at " << block << ": freed twice, or never given out";
  if (span.kind == SpanKind::kSlab) {
    CheckSmall(block, span, offset >> kSpanShift);
  } else {
    CHECK_EQ(offset % kSpanBytes, 0u) << "arena: " << block << " is inside a block";
  }
  return span;
}

inline void Arena::CheckSmall(const void* block, const Span& span, size_t span_index) const {
  const SizeClass& size_class = classes_[span.size_class];
  const char* slab = base_ + ((span_index - span.spans_before) << kSpanShift);
  uint64_t offset = static_cast<uint64_t>(static_cast<const char*>(block) - slab);
  uint64_t index = (offset * size_class.reciprocal) >> kReciprocalShift;
  CHECK(index * size_class.block_bytes == offset && index < size_class.blocks_per_slab)
      << "arena: " << block << " is inside a block of " << size_class.block_bytes << " bytes";
  if (LooksFree(static_cast<const FreeBlock*>(block))) {
    CHECK(!IsInFreeList(block, size_class)) << "arena: " << block << " is freed already";
  }
}

bool Arena::IsInFreeList(const void* block, const SizeClass& size_class) const {
  const FreeBlock* free = size_class.free;
  while (free != nullptr && free != block) free = NextOf(free);
  return free != nullptr;
}

size_t Arena::BlockBytes(const Span& span) const {
  if (span.kind == SpanKind::kLarge) return size_t{span.spans} << kSpanShift;
  return classes_[span.size_class].block_bytes;
}

void Arena::Free(void* block) {
  if (block == nullptr) return;
  Span& span = SpanOf(block);
  if (span.kind == SpanKind::kLarge) return FreeLarge(block, span);
  SizeClass& size_class = classes_[span.size_class];
  bytes_used_ -= size_class.block_bytes;
  LinkFirst(size_class.free, static_cast<FreeBlock*>(block));
  Poison(block, size_class.block_bytes);
}

void Arena::FreeLarge(void* block, Span& span) {
  uint32_t count = span.spans;
  span = Span{};
  bytes_used_ -= size_t{count} << kSpanShift;
  Poison(block, size_t{count} << kSpanShift);
  GiveSpans(static_cast<uint32_t>(&span - spans_), count);
}

void* Arena::Reallocate(void* block, size_t size) {
  if (block == nullptr) return Allocate(size);
  Span& span = SpanOf(block);
  size_t block_bytes = BlockBytes(span);
  bool is_large = span.kind == SpanKind::kLarge;
  if (!is_large && size <= kSmallBytesMax && ClassOf(size) == span.size_class) {
    OpenBlock(block, block_bytes, size);
    return block;
  }
  if (is_large && size > kSmallBytesMax && ResizeLargeInPlace(block, span, size)) return block;
  void* moved = Allocate(size);
  Unpoison(block, block_bytes);
  std::memcpy(moved, block, std::min(block_bytes, size));
  Free(block);
  return moved;
}

// Gives back the end of the block, or takes what it needs from free spans right behind it.
bool Arena::ResizeLargeInPlace(void* block, Span& span, size_t size) {
  if (size > bytes_max_) return false;
  auto first = static_cast<uint32_t>(&span - spans_);
  uint32_t old_count = span.spans;
  uint32_t count = SpansFor(size);
  if (count < old_count) {
    Poison(static_cast<char*>(block) + (size_t{count} << kSpanShift),
           size_t{old_count - count} << kSpanShift);
    GiveSpans(first + count, old_count - count);
  } else if (count > old_count) {
    uint32_t more = count - old_count;
    auto hole = holes_.find(first + old_count);
    if (first + old_count == frontier_ && more <= spans_max_ - frontier_) {
      frontier_ += more;
      frontier_max_ = std::max(frontier_max_, frontier_);
    } else if (hole != holes_.end() && hole->second >= more) {
      uint32_t rest = hole->second - more;
      auto after = holes_.erase(hole);
      if (rest > 0) holes_.emplace_hint(after, first + count, rest);
    } else {
      return false;
    }
    spans_used_ += more;
  }
  span.spans = count;
  bytes_used_ += (size_t{count} << kSpanShift) - (size_t{old_count} << kSpanShift);
  OpenBlock(block, size_t{count} << kSpanShift, size);
  return true;
}

void Arena::Reset() {
  size_t touched = size_t{frontier_max_} << kSpanShift;
  Poison(base_, std::min(touched, kKeepBytes));
  std::memset(static_cast<void*>(spans_), 0, size_t{frontier_max_} * sizeof(Span));
  if (touched > kKeepBytes) {
    Unpoison(base_ + kKeepBytes, touched - kKeepBytes);
    PCHECK(madvise(base_ + kKeepBytes, touched - kKeepBytes, MADV_DONTNEED) == 0);
  }
  holes_.clear();
  frontier_ = 0;
  frontier_max_ = static_cast<uint32_t>(std::min(touched, kKeepBytes) >> kSpanShift);
  bytes_used_ = 0;
  spans_used_ = 0;
  ResetClasses();
}

std::string Arena::DebugString() const {
  uint32_t hole_spans = 0;
  for (const auto& [first, count] : holes_) hole_spans += count;
  std::string text = absl::StrFormat(
      "arena at %p: %d bytes in use, %d of %d spans of %d bytes in use, %d free spans in %d holes",
      base_, bytes_used_, spans_used_, spans_max_, kSpanBytes, hole_spans, holes_.size());
  for (const SizeClass& size_class : classes_) {
    if (size_class.slabs == 0) continue;
    absl::StrAppend(&text, "; ", size_class.slabs, " slabs of ", size_class.blocks_per_slab, " x ",
                    size_class.block_bytes);
  }
  return text;
}

}  // namespace skysim
