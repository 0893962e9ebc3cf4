// Cuts a byte stream into frames of a 16-bit big-endian length and that many bytes.
//
// One splitter per stream; owned by whoever reads the stream, on one thread. Any segmentation gives
// the same frames, and a frame of length 0 is a frame. There is no malformed input: every stream of
// bytes is a stream of frames.
#ifndef ENGINE_WIRE_NETPACK_H_
#define ENGINE_WIRE_NETPACK_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace skysim {

constexpr size_t kNetpackHeadBytes = 2;
constexpr size_t kNetpackFrameBytesMax = 0xffff;

// Writes the two length bytes. `frame_bytes` <= kNetpackFrameBytesMax.
void PutNetpackHead(size_t frame_bytes, char* out);

class NetpackSplitter final {
 public:
  // Takes the next bytes of the stream and calls `on_frame` for each frame that they complete, in
  // order, without its length bytes. A view is good until `on_frame` returns; `on_frame` must not
  // call back into the splitter.
  void Feed(absl::string_view bytes, absl::FunctionRef<void(absl::string_view)> on_frame);

  // Whether a frame has begun and not ended.
  bool HasPartial() const { return !partial_.empty(); }

  // Forgets the partial frame: the stream ended.
  void Clear() { partial_.clear(); }

 private:
  // Moves up to `count` bytes from the front of `bytes` to partial_ and says whether partial_ has
  // `count` now.
  bool FillPartial(absl::string_view& bytes, size_t count);

  std::string partial_;  // the frame that has begun, length bytes and all; empty between frames
};

}  // namespace skysim

#endif  // ENGINE_WIRE_NETPACK_H_
