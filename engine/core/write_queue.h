#ifndef ENGINE_CORE_WRITE_QUEUE_H_
#define ENGINE_CORE_WRITE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "engine/core/fifo.h"
#include "engine/core/message.h"
#include "engine/platform/transport.h"

namespace skysim {

// WriteQueue holds what one socket has still to write: a high and a low queue of whole buffers
// (network.md 1.6). High goes out first; low only while high is empty; a buffer that has begun is
// never cut by another. One thread at a time. It writes nothing itself: whoever writes takes
// front() and tells with Advance() how much went out.
class WriteQueue final {
 public:
  struct Item {
    Payload data;
    size_t sent = 0;              // bytes of `data` that went out already
    uint64_t cause = 0;           // event that sent it
    std::unique_ptr<Address> to;  // UDP only: where to; null = the socket's default

    absl::string_view rest() const { return data.bytes().substr(sent); }
  };

  // True only if BOTH queues are (#744: empty high alone means nothing).
  bool empty() const { return high_.empty() && low_.empty(); }
  // Bytes in both queues that have not gone out.
  size_t bytes() const { return bytes_; }

  void PushHigh(Item item) {
    bytes_ += item.rest().size();
    high_.Push(std::move(item));
  }

  // Into an empty WriteQueue even a low item goes to high, where nothing overtakes it.
  void PushLow(Item item) {
    if (empty()) return PushHigh(std::move(item));
    bytes_ += item.rest().size();
    low_.Push(std::move(item));
  }

  // The item to write next. Not when empty().
  Item& front() { return high_.empty() ? low_.front() : high_.front(); }

  // `bytes` of front().rest() went out. An item that is through is freed (an empty one too, with
  // bytes = 0); a low item that has begun moves to high, which is empty then.
  void Advance(size_t bytes) {
    bytes_ -= bytes;
    Item& item = front();
    item.sent += bytes;
    bool is_low = high_.empty();
    if (item.rest().empty()) {
      (is_low ? low_ : high_).Pop();
    } else if (is_low && bytes > 0) {
      high_.Push(std::move(item));
      low_.Pop();
    }
  }

  // Frees everything.
  void Clear() {
    high_.Clear();
    low_.Clear();
    bytes_ = 0;
  }

 private:
  Fifo<Item> high_;
  Fifo<Item> low_;
  size_t bytes_ = 0;
};

}  // namespace skysim

#endif  // ENGINE_CORE_WRITE_QUEUE_H_
