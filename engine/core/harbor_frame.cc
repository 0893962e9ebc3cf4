#include "engine/core/harbor_frame.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "engine/wire/byte_order.h"

namespace skysim {

namespace {

void PutTrailer(Handle source, Handle destination, MessageType type, int32_t session, char* out) {
  PutBigEndian32(source, out);
  PutBigEndian32(static_cast<uint32_t>(type) << kHarborShift | (destination & kHandleIndexMask),
                 out + 4);
  PutBigEndian32(static_cast<uint32_t>(session), out + 8);
}

// Head, payload and trailer into `out`; returns the bytes written.
size_t PutFrame(Handle source, Handle destination, MessageType type, int32_t session,
                absl::string_view payload, char* out) {
  PutBigEndian32(static_cast<uint32_t>(payload.size() + kHarborTrailerBytes), out);
  if (!payload.empty()) std::memcpy(out + kHarborHeadBytes, payload.data(), payload.size());
  PutTrailer(source, destination, type, session, out + kHarborHeadBytes + payload.size());
  return kHarborHeadBytes + payload.size() + kHarborTrailerBytes;
}

// Moves up to `count - filled` bytes from the front of `bytes`; true: all `count` are there.
bool Fill(char* to, size_t count, size_t& filled, absl::string_view& bytes) {
  const size_t taken = std::min(count - filled, bytes.size());
  if (taken > 0) std::memcpy(to + filled, bytes.data(), taken);
  filled += taken;
  bytes.remove_prefix(taken);
  return filled == count;
}

}  // namespace

Payload EncodeHarborFrame(Memory& memory, Handle source, Handle destination, MessageType type,
                          int32_t session, absl::string_view payload) {
  CHECK_LE(payload.size(), kHarborPayloadBytesMax);
  const size_t size = kHarborHeadBytes + payload.size() + kHarborTrailerBytes;
  char* block = static_cast<char*>(memory.Allocate(size));
  PutFrame(source, destination, type, session, payload, block);
  return Payload(memory, block, size);
}

// -- HarborFrameDecoder ---------------------------------------------------------------------------

absl::Status HarborFrameDecoder::Feed(absl::string_view bytes,
                                      absl::FunctionRef<void(HarborFrame)> on_frame) {
  while (!bytes.empty()) {
    if (head_filled_ < kHarborHeadBytes) {
      if (forgets_head_pieces_) head_filled_ = 0;
      if (!Fill(head_, kHarborHeadBytes, head_filled_, bytes)) return absl::OkStatus();
      absl::Status status = BeginBody();
      if (!status.ok()) return status;
    }
    if (!Fill(payload_.data(), payload_.size(), payload_filled_, bytes)) return absl::OkStatus();
    if (!Fill(trailer_, kHarborTrailerBytes, trailer_filled_, bytes)) return absl::OkStatus();
    on_frame(EndFrame());
  }
  return absl::OkStatus();
}

absl::Status HarborFrameDecoder::BeginBody() {
  const size_t size = GetBigEndian32(head_);
  if (size < kHarborTrailerBytes || size > kHarborFrameBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a frame of ", size, " bytes, but a frame has ",
                                                   kHarborTrailerBytes, " to ",
                                                   kHarborFrameBytesMax));
  }
  const size_t payload_bytes = size - kHarborTrailerBytes;
  if (payload_bytes == 0) return absl::OkStatus();
  char* block = static_cast<char*>(memory_.Allocate(payload_bytes + 1));
  block[payload_bytes] = '\0';
  payload_ = Payload(memory_, block, payload_bytes);
  return absl::OkStatus();
}

HarborFrame HarborFrameDecoder::EndFrame() {
  HarborFrame frame;
  frame.source = GetBigEndian32(trailer_);
  const uint32_t destination = GetBigEndian32(trailer_ + 4);
  frame.destination = destination & kHandleIndexMask;
  frame.type = static_cast<MessageType>(destination >> kHarborShift);
  frame.session = static_cast<int32_t>(GetBigEndian32(trailer_ + 8));
  frame.payload = std::exchange(payload_, Payload());
  head_filled_ = payload_filled_ = trailer_filled_ = 0;
  return frame;
}

// -- OutgoingFrame --------------------------------------------------------------------------------

Payload OutgoingFrame::Pack(Memory& memory, const Message& message, Handle destination,
                            absl::string_view name) {
  const absl::string_view payload = message.payload.bytes();
  CHECK_LE(payload.size(), kPayloadBytesMax);
  const size_t size =
      kHarborHeadBytes + payload.size() + kHarborTrailerBytes + sizeof(Handle) + name.size();
  char* block = static_cast<char*>(memory.Allocate(size));
  char* end = block + PutFrame(message.source, destination, message.type, message.session, payload,
                               block);
  PutBigEndian32(destination, end);
  if (!name.empty()) std::memcpy(end + sizeof(Handle), name.data(), name.size());
  return Payload(memory, block, size);
}

bool OutgoingFrame::IsPacked(absl::string_view bytes) {
  constexpr size_t kAround = kHarborHeadBytes + sizeof(Handle);
  if (bytes.size() < kAround + kHarborTrailerBytes) return false;
  const size_t frame_bytes = GetBigEndian32(bytes.data());
  return frame_bytes >= kHarborTrailerBytes && frame_bytes <= bytes.size() - kAround;
}

OutgoingFrame::OutgoingFrame(Memory& memory, Payload packed)
    : memory_(&memory),
      packed_(std::move(packed)),
      frame_bytes_(kHarborHeadBytes + size_t{GetBigEndian32(packed_.data())}),
      destination_(GetBigEndian32(packed_.data() + frame_bytes_)) {}

Handle OutgoingFrame::source() const { return GetBigEndian32(trailer()); }

MessageType OutgoingFrame::type() const {
  return static_cast<MessageType>(GetBigEndian32(trailer() + 4) >> kHarborShift);
}

int32_t OutgoingFrame::session() const {
  return static_cast<int32_t>(GetBigEndian32(trailer() + 8));
}

absl::string_view OutgoingFrame::payload() const {
  return packed_.bytes().substr(kHarborHeadBytes,
                                frame_bytes_ - kHarborHeadBytes - kHarborTrailerBytes);
}

absl::string_view OutgoingFrame::name() const {
  return packed_.bytes().substr(frame_bytes_ + sizeof(Handle));
}

void OutgoingFrame::SetDestination(Handle destination) {
  destination_ = destination;
  PutTrailer(source(), destination, type(), session(),
             packed_.data() + frame_bytes_ - kHarborTrailerBytes);
}

Payload OutgoingFrame::TakeFrame() {
  CHECK(FitsOnWire());
  return Payload(*memory_, packed_.Release(), frame_bytes_);
}

}  // namespace skysim
