#ifndef ENGINE_CORE_MESSAGE_H_
#define ENGINE_CORE_MESSAGE_H_

#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/string_view.h"
#include "engine/core/handle.h"
#include "engine/platform/memory.h"

namespace skysim {

// Message types; the numbers are skynet's and travel on the wire.
enum class MessageType : uint8_t {
  kText = 0,       // text commands of native services, log lines
  kResponse = 1,   // replies, and timer expiry
  kMulticast = 2,
  kClient = 3,     // packets of a gate's clients; exit notices to the monitor
  kSystem = 4,
  kHarbor = 5,
  kSocket = 6,
  kError = 7,      // a call failed; with session 0: the source is gone
  kQueue = 8,
  kDebug = 9,
  kLua = 10,
  kSnax = 11,
  kTrace = 12,     // trace tag of the next request from the same source
};

// Whether somebody waits for a reply to a message: a request, that is. Skynet uses the session of a
// multicast message for the number of its channel.
inline bool ExpectsReply(MessageType type, int32_t session) {
  return session > 0 && type != MessageType::kResponse && type != MessageType::kError &&
         type != MessageType::kMulticast;
}

// The bytes of a message: one block of a Memory, or nothing. Move only; frees its block. The bytes
// are followed by one NUL, so that text handlers may read them as a C string.
//
// Share() lets several payloads hold one block; the last one that goes frees it, wherever it goes:
// with its message's dispatch, with a mailbox, with a send to nobody.
class Payload final {
 public:
  Payload() = default;
  // Takes ownership of `data`, a block of `memory` with `size` bytes. Null `data`: empty.
  Payload(Memory& memory, char* data, size_t size)
      : owner_(data == nullptr ? 0 : reinterpret_cast<uintptr_t>(&memory)),
        data_(data),
        size_(data == nullptr ? 0 : size) {}
  Payload(Payload&& other) noexcept { Swap(other); }
  Payload& operator=(Payload&& other) noexcept {
    Payload(std::move(other)).Swap(*this);
    return *this;
  }
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;
  ~Payload() {
    if (data_ == nullptr) return;
    if (is_shared()) {
      Leave();
    } else {
      memory().Free(data_);
    }
  }

  // A copy of `bytes` and a NUL behind them; empty bytes give an empty payload.
  static Payload Copy(Memory& memory, absl::string_view bytes) {
    if (bytes.empty()) return Payload();
    char* block = static_cast<char*>(memory.Allocate(bytes.size() + 1));
    std::memcpy(block, bytes.data(), bytes.size());
    block[bytes.size()] = '\0';
    return Payload(memory, block, bytes.size());
  }

  // A further payload with this block, good on any thread. Nobody may change the bytes any more.
  Payload Share();

  char* data() const { return data_; }  // null if empty
  size_t size() const { return size_; }
  absl::string_view bytes() const { return absl::string_view(data_, size_); }

  // Gives the block to the caller, who frees it through the same Memory. Of a block that others
  // hold too it is a copy.
  char* Release() {
    if (is_shared()) MakeOwn();
    char* data = data_;
    data_ = nullptr;
    size_ = 0;
    return data;
  }

 private:
  struct Holders;  // counts the payloads of a shared block
  static constexpr uintptr_t kSharedBit = 1;

  bool is_shared() const { return (owner_ & kSharedBit) != 0; }
  Memory& memory() const { return *reinterpret_cast<Memory*>(owner_); }  // unless shared
  Holders& holders() const { return *reinterpret_cast<Holders*>(owner_ - kSharedBit); }
  void Leave();
  void MakeOwn();

  void Swap(Payload& other) {
    std::swap(owner_, other.owner_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  uintptr_t owner_ = 0;  // the Memory, or the Holders with kSharedBit: a message stays small
  char* data_ = nullptr;
  size_t size_ = 0;
};

// One message on its way to a service.
struct Message {
  Handle source = 0;
  int32_t session = 0;  // > 0 pairs a reply with its request; 0: no reply wanted
  MessageType type = MessageType::kText;
  Payload payload;
  uint64_t cause = 0;  // index of the event that sent it (engine/platform/observer.h)
};

}  // namespace skysim

#endif  // ENGINE_CORE_MESSAGE_H_
