#include "engine/core/message.h"

#include <atomic>
#include <new>

namespace skysim {

// A block of the same memory as the bytes.
struct Payload::Holders {
  Memory& memory;
  std::atomic<size_t> count;
};

Payload Payload::Share() {
  if (data_ == nullptr) return Payload();
  if (!is_shared()) {
    Memory& from = memory();
    auto* holders = new (from.Allocate(sizeof(Holders))) Holders{from, {1}};
    owner_ = reinterpret_cast<uintptr_t>(holders) | kSharedBit;
  }
  holders().count.fetch_add(1, std::memory_order_relaxed);
  Payload other;
  other.owner_ = owner_;
  other.data_ = data_;
  other.size_ = size_;
  return other;
}

// Whoever frees sees what the others did with the bytes before they left.
void Payload::Leave() {
  Holders& shared = holders();
  if (shared.count.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  Memory& memory = shared.memory;
  shared.~Holders();
  memory.Free(&shared);
  memory.Free(data_);
}

void Payload::MakeOwn() { *this = Copy(holders().memory, bytes()); }

}  // namespace skysim
