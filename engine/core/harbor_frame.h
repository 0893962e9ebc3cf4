// Frames between the slaves of a harbor network (network.md 5.4), and messages on their way to them
// through the harbor service's mailbox.
//
// A frame is: u32 big-endian length of what follows; payload; u32 source; u32 destination, whose
// high byte is the message's type; u32 session. No state but a decoder's, which is its stream's.
#ifndef ENGINE_CORE_HARBOR_FRAME_H_
#define ENGINE_CORE_HARBOR_FRAME_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/handle.h"
#include "engine/core/message.h"
#include "engine/platform/memory.h"

namespace skysim {

constexpr size_t kHarborHeadBytes = 4;
constexpr size_t kHarborTrailerBytes = 12;
// Of a frame on the wire, payload and trailer: the length's high byte is 0.
constexpr size_t kHarborFrameBytesMax = 0xffffff;
constexpr size_t kHarborPayloadBytesMax = kHarborFrameBytesMax - kHarborTrailerBytes;

// One frame as its receiver sees it. The harbor id of `destination` is not on the wire: it is 0.
struct HarborFrame {
  Handle source = 0;
  Handle destination = 0;
  int32_t session = 0;
  MessageType type = MessageType::kText;
  Payload payload;
};

// The whole frame, head included. CHECKs that the payload has at most kHarborPayloadBytesMax bytes.
Payload EncodeHarborFrame(Memory& memory, Handle source, Handle destination, MessageType type,
                          int32_t session, absl::string_view payload);

// Cuts a byte stream into frames. Any segmentation gives the same frames.
class HarborFrameDecoder final {
 public:
  // Payloads are blocks of `memory`, borrowed. `forgets_head_pieces`: see
  // Legacy::reads_harbor_heads_whole; the segmentation matters then.
  explicit HarborFrameDecoder(Memory& memory, bool forgets_head_pieces = false)
      : memory_(memory), forgets_head_pieces_(forgets_head_pieces) {}

  // Takes the next bytes of the stream and calls `on_frame` for each frame that they complete, in
  // order; it must not call back. InvalidArgument: a length that no frame has, "a frame of N bytes,
  // but a frame has 12 to 16777215". The stream makes no sense from there on: forget the decoder.
  absl::Status Feed(absl::string_view bytes, absl::FunctionRef<void(HarborFrame)> on_frame);

  // Whether a frame has begun and not ended.
  bool HasPartial() const { return head_filled_ > 0; }

 private:
  absl::Status BeginBody();
  HarborFrame EndFrame();

  Memory& memory_;
  const bool forgets_head_pieces_;
  char head_[kHarborHeadBytes];
  size_t head_filled_ = 0;
  Payload payload_;  // with the room that the head asked for
  size_t payload_filled_ = 0;
  char trailer_[kHarborTrailerBytes];
  size_t trailer_filled_ = 0;
};

// A message for a service that only the harbor service can reach, as it stands in the harbor
// service's mailbox: encoded already, so that its bytes are copied once. Moves only.
class OutgoingFrame final {
 public:
  // More than fits on the wire: a name may turn out to be local.
  static constexpr size_t kPayloadBytesMax = 0xffffffff - kHarborTrailerBytes;

  // To a handle, or, with `destination` 0, to whoever has the name. CHECKs kPayloadBytesMax.
  static Payload Pack(Memory& memory, const Message& message, Handle destination,
                      absl::string_view name);

  // Whether Pack() can have made these bytes: any service may send some.
  static bool IsPacked(absl::string_view bytes);

  // Reads what Pack() made (IsPacked()). `memory` is the one that it came from.
  OutgoingFrame(Memory& memory, Payload packed);

  Handle source() const;
  Handle destination() const { return destination_; }  // all of it
  MessageType type() const;
  int32_t session() const;
  absl::string_view payload() const;
  absl::string_view name() const;  // empty if it goes to a handle; good while this lives

  void SetDestination(Handle destination);
  bool FitsOnWire() const { return payload().size() <= kHarborPayloadBytesMax; }

  // Gives the frame's bytes away; nothing else may be asked then. Only if FitsOnWire().
  Payload TakeFrame();

 private:
  const char* trailer() const { return packed_.data() + frame_bytes_ - kHarborTrailerBytes; }

  Memory* memory_;
  Payload packed_;  // frame, u32 destination, name
  size_t frame_bytes_;
  Handle destination_;
};

}  // namespace skysim

#endif  // ENGINE_CORE_HARBOR_FRAME_H_
