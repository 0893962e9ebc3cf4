// Cluster frames to bytes and back: what a caller writes (requests, pushes, trace tags) and what a
// callee answers.
//
// Pure functions, any thread, no state: sessions are counted and large messages assembled by the
// caller. Builders return whole frames, their two length bytes (big-endian) included; parsers take
// one frame without them. All integers inside are little-endian. Parsed views point into the frame
// given. Format: docs in the spec, "Cluster" 4.2 and 4.3.
#ifndef ENGINE_WIRE_CLUSTER_CODEC_H_
#define ENGINE_WIRE_CLUSTER_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skysim {

// Payload bytes of a full part; also the longest error text and trace tag.
constexpr size_t kClusterPartBytes = 32768;
// A request of this many payload bytes or more is cut in parts; a reply only if it has more
// (skynet: < and <=).
constexpr size_t kClusterLargeRequestBytes = kClusterPartBytes;
// Payloads end below 2 GiB, because peers keep the total in a signed int.
constexpr size_t kClusterPayloadBytesMax = 0x7fffffff;
// The name's length is one byte.
constexpr size_t kClusterNameBytesMax = 255;
// After this session comes 1.
constexpr int32_t kClusterSessionMax = 0x7fffffff;

// Where a request goes: a handle (0 asks for a name's handle), or a name if `name` is not empty.
struct ClusterAddress {
  uint32_t handle = 0;
  absl::string_view name;

  bool IsName() const { return !name.empty(); }
};

// Whether a message in one frame or a large one expects an answer. Pushes in one frame carry
// session 0.
enum class ClusterIntent { kRequest, kPush };

// The first bytes of a frame, ready to be written, in a fixed place: length, type, address,
// session, total. For a single frame the payload follows; for the header of a large message nothing
// does.
struct ClusterHead {
  // Length 2, type 1, name length 1, name, session 4, total 4.
  static constexpr size_t kBytesMax = 2 + 1 + 1 + kClusterNameBytesMax + 4 + 4;

  absl::string_view view() const { return absl::string_view(bytes, size); }

  char bytes[kBytesMax];
  size_t size = 0;
  // The payload goes out in parts (PutClusterPartHead) behind the header.
  bool is_large = false;
  // The session number for the sender's next message.
  int32_t session_next = 0;
};

// Bytes before the payload of a part: length 2, type 1, session 4 (requests) or length 2, session
// 4, type 1 (replies).
constexpr size_t kClusterPartHeadBytes = 7;

// A message ready to be written: `head`, then `parts` in order (empty unless the message is large).
struct ClusterFrames {
  std::string head;
  std::vector<std::string> parts;
  int32_t session_next = 0;
};

// The type byte of a reply frame.
enum class ClusterReplyKind : uint8_t {
  kError = 0,     // data is the text
  kOk = 1,        // data is the whole payload
  kBegin = 2,     // data is the total; parts follow
  kPart = 3,      // more follow
  kLastPart = 4,
};

// ---- Caller's side: building ----

// The head of a request or push of `payload_bytes`. InvalidArgument names the session (must be 1 to
// 2^31-1), the name (at most 255 bytes) or the payload size (below 2 GiB) that is out of range.
absl::StatusOr<ClusterHead> MakeClusterHead(ClusterIntent intent, ClusterAddress address,
                                            int64_t session, size_t payload_bytes);
// Writes the 7 bytes before part payload number `index` of a large request or push; returns that
// part's payload size.
size_t PutClusterRequestPartHead(uint32_t session, size_t index, size_t payload_bytes, char* out);

// Whole frames, errors as MakeClusterHead.
absl::StatusOr<ClusterFrames> BuildClusterRequest(ClusterIntent intent, ClusterAddress address,
                                                  int64_t session, absl::string_view payload);
// The tag for the next request on the connection. InvalidArgument above kClusterPartBytes.
absl::StatusOr<std::string> BuildClusterTrace(absl::string_view tag);

// The session after `session`: 1 after kClusterSessionMax.
int32_t NextClusterSession(int32_t session);

// ---- Callee's side: parsing ----

struct ClusterRequest {
  enum class Kind {
    kWhole,     // address, session, payload; is_push if the session is 0
    kHeader,    // address, session, total, is_push; parts follow
    kPart,      // session, payload; more follow
    kLastPart,  // session, payload
    kTrace,     // payload is the tag
  };

  Kind kind = Kind::kWhole;
  bool is_push = false;
  uint32_t session = 0;  // any 32 bits; the reply carries them back
  uint32_t total = 0;
  ClusterAddress address;     // borrows from the frame
  absl::string_view payload;  // borrows from the frame
};

// InvalidArgument says what is wrong with the frame: empty, an unknown type, too short or too long
// for its type, an empty name, a total of 2 GiB or more.
absl::StatusOr<ClusterRequest> ParseClusterRequest(absl::string_view frame);

// ---- Callee's side: building ----

// Writes the 7 bytes before `data_bytes` of a reply frame's data, at most kClusterPartBytes.
void PutClusterReplyHead(uint32_t session, ClusterReplyKind kind, size_t data_bytes, char* out);
// One frame up to kClusterPartBytes of payload, else begin and parts, in order. InvalidArgument
// above kClusterPayloadBytesMax.
absl::StatusOr<std::vector<std::string>> BuildClusterReply(uint32_t session,
                                                           absl::string_view payload);
// `text` is cut at kClusterPartBytes. The only frame of its reply.
std::string BuildClusterError(uint32_t session, absl::string_view text);

// ---- Caller's side: parsing ----

struct ClusterReply {
  ClusterReplyKind kind = ClusterReplyKind::kError;
  uint32_t session = 0;
  uint32_t total = 0;         // kBegin
  absl::string_view payload;  // all others; borrows from the frame
};

// InvalidArgument: shorter than 5 bytes, type above 4, a begin frame that is not 9 bytes long or
// announces 2 GiB.
absl::StatusOr<ClusterReply> ParseClusterReply(absl::string_view frame);

}  // namespace skysim

#endif  // ENGINE_WIRE_CLUSTER_CODEC_H_
