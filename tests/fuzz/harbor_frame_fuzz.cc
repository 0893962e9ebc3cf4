// Any stream in any segmentation: the decoder gives the frames that a plain reading from the front
// gives, stops at the same length that no frame has, and what it gives is encoded as it came. The
// first byte decides the size of the segments, the rest is the stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/string_view.h"
#include "engine/core/harbor_frame.h"
#include "engine/os/heap.h"

namespace skysim {
namespace {

// The whole frames at the front of the stream; whether a bad length follows them.
std::pair<std::vector<std::string>, bool> Expected(absl::string_view stream) {
  std::vector<std::string> frames;
  while (stream.size() >= 4) {
    size_t size = 0;
    for (size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(stream[i]);
    if (size < 12 || size > 0xffffff) return {frames, true};
    if (stream.size() < 4 + size) break;
    frames.emplace_back(stream.substr(0, 4 + size));
    stream.remove_prefix(4 + size);
  }
  return {frames, false};
}

void Check(size_t step, absl::string_view stream) {
  Heap heap;
  HarborFrameDecoder decoder(heap);
  std::vector<std::string> frames;
  size_t framed_bytes = 0;
  bool is_bad = false;
  for (size_t at = 0; at < stream.size() && !is_bad; at += step) {
    is_bad = !decoder.Feed(stream.substr(at, step), [&](HarborFrame frame) {
      Payload again = EncodeHarborFrame(heap, frame.source, frame.destination, frame.type,
                                        frame.session, frame.payload.bytes());
      frames.emplace_back(again.bytes());
      framed_bytes += again.size();
    }).ok();
  }
  CHECK(std::make_pair(frames, is_bad) == Expected(stream));
  if (!is_bad) CHECK_EQ(decoder.HasPartial(), framed_bytes != stream.size());
}

}  // namespace
}  // namespace skysim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  skysim::Check(size_t{1} + data[0], stream);
  return 0;
}
