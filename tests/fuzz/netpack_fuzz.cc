// Any stream in any segmentation: the splitter gives the frames that a plain reading from the front
// gives. The first byte decides the size of the segments, the rest is the stream.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/string_view.h"
#include "engine/wire/netpack.h"

namespace skysim {
namespace {

std::vector<std::string> Expected(absl::string_view stream) {
  std::vector<std::string> frames;
  while (stream.size() >= 2) {
    const size_t size = static_cast<unsigned char>(stream[0]) * size_t{256} +
                        static_cast<unsigned char>(stream[1]);
    if (stream.size() < 2 + size) break;
    frames.emplace_back(stream.substr(2, size));
    stream.remove_prefix(2 + size);
  }
  return frames;
}

void Check(size_t step, absl::string_view stream) {
  std::vector<std::string> frames;
  NetpackSplitter splitter;
  size_t framed_bytes = 0;
  for (size_t at = 0; at < stream.size(); at += step) {
    splitter.Feed(stream.substr(at, step), [&](absl::string_view frame) {
      frames.emplace_back(frame);
      framed_bytes += 2 + frame.size();
    });
  }
  CHECK(frames == Expected(stream));
  CHECK_EQ(splitter.HasPartial(), framed_bytes != stream.size());
}

}  // namespace
}  // namespace skysim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  skysim::Check(size_t{1} + data[0], stream);
  return 0;
}
