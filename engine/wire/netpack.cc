#include "engine/wire/netpack.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "engine/wire/byte_order.h"

namespace skysim {

void PutNetpackHead(size_t frame_bytes, char* out) {
  CHECK_LE(frame_bytes, kNetpackFrameBytesMax);
  PutBigEndian16(static_cast<uint16_t>(frame_bytes), out);
}

bool NetpackSplitter::FillPartial(absl::string_view& bytes, size_t count) {
  if (partial_.size() < count) {
    const size_t taken = std::min(count - partial_.size(), bytes.size());
    partial_.append(bytes.data(), taken);
    bytes.remove_prefix(taken);
  }
  return partial_.size() >= count;
}

void NetpackSplitter::Feed(absl::string_view bytes,
                           absl::FunctionRef<void(absl::string_view)> on_frame) {
  if (!partial_.empty()) {
    if (!FillPartial(bytes, kNetpackHeadBytes)) return;
    if (!FillPartial(bytes, kNetpackHeadBytes + GetBigEndian16(partial_.data()))) return;
    // Moved out first: on_frame sees a splitter that is between frames.
    const std::string frame = std::move(partial_);
    partial_.clear();
    on_frame(absl::string_view(frame).substr(kNetpackHeadBytes));
  }
  while (bytes.size() >= kNetpackHeadBytes) {
    const size_t end = kNetpackHeadBytes + GetBigEndian16(bytes.data());
    if (bytes.size() < end) break;
    on_frame(bytes.substr(kNetpackHeadBytes, end - kNetpackHeadBytes));
    bytes.remove_prefix(end);
  }
  partial_.assign(bytes.data(), bytes.size());
}

}  // namespace skysim
