#include "engine/wire/cluster_codec.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/wire/byte_order.h"
#include "engine/wire/netpack.h"

namespace skysim {
namespace {

// Bits of a request's type byte. The four large headers are combinations; a push in one frame has
// no bit, only session 0.
constexpr uint8_t kNameBit = 0x80;
constexpr uint8_t kPushBit = 0x40;
constexpr uint8_t kLargeBit = 0x01;
constexpr uint8_t kPartType = 0x02;
constexpr uint8_t kLastPartType = 0x03;
constexpr uint8_t kTraceType = 0x04;

// Type, session.
constexpr size_t kPartHeadBytes = 5;
// A reply's session and type, before its data.
constexpr size_t kReplyHeadBytes = 5;
constexpr size_t kTotalBytes = 4;

void AppendByte(uint8_t value, ClusterHead& head) {
  head.bytes[head.size++] = static_cast<char>(value);
}

void AppendUint32(uint32_t value, ClusterHead& head) {
  PutLittleEndian(value, head.bytes + head.size);
  head.size += sizeof(value);
}

void AppendAddress(ClusterAddress address, ClusterHead& head) {
  if (!address.IsName()) {
    AppendUint32(address.handle, head);
    return;
  }
  AppendByte(static_cast<uint8_t>(address.name.size()), head);
  std::memcpy(head.bytes + head.size, address.name.data(), address.name.size());
  head.size += address.name.size();
}

absl::Status CheckOutgoing(ClusterAddress address, int64_t session, size_t payload_bytes) {
  if (session < 1 || session > kClusterSessionMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid request session ", session, ", allowed are 1 to 2147483647"));
  }
  if (address.name.size() > kClusterNameBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("Invalid name: ", address.name.size(),
                                                   " bytes, allowed are 1 to 255"));
  }
  if (payload_bytes > kClusterPayloadBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("Message too large: ", payload_bytes, " bytes, allowed are 2147483647"));
  }
  return absl::OkStatus();
}

size_t PartCount(size_t payload_bytes) {
  return (payload_bytes + kClusterPartBytes - 1) / kClusterPartBytes;
}

size_t PartBytes(size_t index, size_t payload_bytes) {
  return std::min(kClusterPartBytes, payload_bytes - index * kClusterPartBytes);
}

absl::Status Malformed(absl::string_view what, absl::string_view frame) {
  return absl::InvalidArgumentError(
      absl::StrCat("Invalid cluster ", what, " of ", frame.size(), " bytes"));
}

absl::Status BadTotal(absl::string_view what, uint32_t total) {
  return absl::InvalidArgumentError(absl::StrCat("Invalid cluster ", what, ": announces ", total,
                                                 " bytes, allowed are 2147483647"));
}

// Takes the address of a type byte with or without kNameBit off the front of `body`; false if it is
// not there whole or the name is empty.
bool TakeAddress(bool is_name, absl::string_view& body, ClusterAddress& address) {
  if (!is_name) {
    if (body.size() < sizeof(uint32_t)) return false;
    address.handle = GetLittleEndian<uint32_t>(body.data());
    body.remove_prefix(sizeof(uint32_t));
    return true;
  }
  const size_t length = body.empty() ? 0 : static_cast<unsigned char>(body[0]);
  if (length == 0 || body.size() < 1 + length) return false;
  address.name = body.substr(1, length);
  body.remove_prefix(1 + length);
  return true;
}

bool TakeUint32(absl::string_view& body, uint32_t& value) {
  if (body.size() < sizeof(value)) return false;
  value = GetLittleEndian<uint32_t>(body.data());
  body.remove_prefix(sizeof(value));
  return true;
}

absl::StatusOr<ClusterRequest> ParseWhole(uint8_t type, absl::string_view frame) {
  ClusterRequest request;
  absl::string_view body = frame.substr(1);
  if (!TakeAddress((type & kNameBit) != 0, body, request.address) ||
      !TakeUint32(body, request.session)) {
    return Malformed("request", frame);
  }
  request.is_push = request.session == 0;
  request.payload = body;
  return request;
}

absl::StatusOr<ClusterRequest> ParseHeader(uint8_t type, absl::string_view frame) {
  ClusterRequest request;
  request.kind = ClusterRequest::Kind::kHeader;
  request.is_push = (type & kPushBit) != 0;
  absl::string_view body = frame.substr(1);
  if (!TakeAddress((type & kNameBit) != 0, body, request.address) ||
      !TakeUint32(body, request.session) || !TakeUint32(body, request.total) || !body.empty()) {
    return Malformed("large request header", frame);
  }
  if (request.total > kClusterPayloadBytesMax) {
    return BadTotal("large request header", request.total);
  }
  return request;
}

absl::StatusOr<ClusterRequest> ParsePart(uint8_t type, absl::string_view frame) {
  if (frame.size() < kPartHeadBytes) return Malformed("request part", frame);
  ClusterRequest request;
  request.kind =
      type == kPartType ? ClusterRequest::Kind::kPart : ClusterRequest::Kind::kLastPart;
  request.session = GetLittleEndian<uint32_t>(frame.data() + 1);
  request.payload = frame.substr(kPartHeadBytes);
  return request;
}

std::string ReplyFrame(uint32_t session, ClusterReplyKind kind, absl::string_view data) {
  char head[kClusterPartHeadBytes];
  PutClusterReplyHead(session, kind, data.size(), head);
  return absl::StrCat(absl::string_view(head, sizeof(head)), data);
}

}  // namespace

int32_t NextClusterSession(int32_t session) {
  return session == kClusterSessionMax ? 1 : session + 1;
}

absl::StatusOr<ClusterHead> MakeClusterHead(ClusterIntent intent, ClusterAddress address,
                                            int64_t session, size_t payload_bytes) {
  const absl::Status checked = CheckOutgoing(address, session, payload_bytes);
  if (!checked.ok()) return checked;
  ClusterHead head;
  head.is_large = payload_bytes >= kClusterLargeRequestBytes;
  const bool is_push = intent == ClusterIntent::kPush;
  const bool takes_session = head.is_large || !is_push;
  const auto number = static_cast<int32_t>(session);
  head.session_next = takes_session ? NextClusterSession(number) : number;

  head.size = kNetpackHeadBytes;
  AppendByte(static_cast<uint8_t>((address.IsName() ? kNameBit : 0) |
                                  (head.is_large ? kLargeBit : 0) |
                                  (head.is_large && is_push ? kPushBit : 0)),
             head);
  AppendAddress(address, head);
  AppendUint32(takes_session ? static_cast<uint32_t>(number) : 0, head);
  if (head.is_large) AppendUint32(static_cast<uint32_t>(payload_bytes), head);
  PutNetpackHead(head.size - kNetpackHeadBytes + (head.is_large ? 0 : payload_bytes), head.bytes);
  return head;
}

size_t PutClusterRequestPartHead(uint32_t session, size_t index, size_t payload_bytes, char* out) {
  const size_t bytes = PartBytes(index, payload_bytes);
  PutNetpackHead(kPartHeadBytes + bytes, out);
  out += kNetpackHeadBytes;
  *out = static_cast<char>(index + 1 == PartCount(payload_bytes) ? kLastPartType : kPartType);
  PutLittleEndian(session, out + 1);
  return bytes;
}

absl::StatusOr<ClusterFrames> BuildClusterRequest(ClusterIntent intent, ClusterAddress address,
                                                  int64_t session, absl::string_view payload) {
  const absl::StatusOr<ClusterHead> head =
      MakeClusterHead(intent, address, session, payload.size());
  if (!head.ok()) return head.status();
  ClusterFrames frames;
  frames.session_next = head->session_next;
  if (!head->is_large) {
    frames.head = absl::StrCat(head->view(), payload);
    return frames;
  }
  frames.head = std::string(head->view());
  for (size_t i = 0; i < PartCount(payload.size()); ++i) {
    char part[kClusterPartHeadBytes];
    const size_t bytes =
        PutClusterRequestPartHead(static_cast<uint32_t>(session), i, payload.size(), part);
    frames.parts.push_back(absl::StrCat(absl::string_view(part, sizeof(part)),
                                        payload.substr(i * kClusterPartBytes, bytes)));
  }
  return frames;
}

absl::StatusOr<std::string> BuildClusterTrace(absl::string_view tag) {
  if (tag.size() > kClusterPartBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("Trace tag too long: ", tag.size(), " bytes, allowed are 32768"));
  }
  char head[kNetpackHeadBytes + 1];
  PutNetpackHead(1 + tag.size(), head);
  head[kNetpackHeadBytes] = static_cast<char>(kTraceType);
  return absl::StrCat(absl::string_view(head, sizeof(head)), tag);
}

absl::StatusOr<ClusterRequest> ParseClusterRequest(absl::string_view frame) {
  if (frame.empty()) return Malformed("request", frame);
  const auto type = static_cast<uint8_t>(frame[0]);
  switch (type) {
    case 0:
    case kNameBit:
      return ParseWhole(type, frame);
    case kLargeBit:
    case kLargeBit | kPushBit:
    case kLargeBit | kNameBit:
    case kLargeBit | kNameBit | kPushBit:
      return ParseHeader(type, frame);
    case kPartType:
    case kLastPartType:
      return ParsePart(type, frame);
    case kTraceType: {
      ClusterRequest request;
      request.kind = ClusterRequest::Kind::kTrace;
      request.payload = frame.substr(1);
      return request;
    }
    default:
      return absl::InvalidArgumentError(absl::StrCat("Invalid cluster request: unknown type 0x",
                                                     absl::Hex(type, absl::kZeroPad2)));
  }
}

void PutClusterReplyHead(uint32_t session, ClusterReplyKind kind, size_t data_bytes, char* out) {
  PutNetpackHead(kReplyHeadBytes + data_bytes, out);
  out += kNetpackHeadBytes;
  PutLittleEndian(session, out);
  out[sizeof(session)] = static_cast<char>(kind);
}

absl::StatusOr<std::vector<std::string>> BuildClusterReply(uint32_t session,
                                                           absl::string_view payload) {
  if (payload.size() > kClusterPayloadBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("Reply too large: ", payload.size(), " bytes, allowed are 2147483647"));
  }
  std::vector<std::string> frames;
  if (payload.size() <= kClusterPartBytes) {
    frames.push_back(ReplyFrame(session, ClusterReplyKind::kOk, payload));
    return frames;
  }
  char total[kTotalBytes];
  PutLittleEndian(static_cast<uint32_t>(payload.size()), total);
  frames.push_back(
      ReplyFrame(session, ClusterReplyKind::kBegin, absl::string_view(total, sizeof(total))));
  while (payload.size() > kClusterPartBytes) {
    frames.push_back(
        ReplyFrame(session, ClusterReplyKind::kPart, payload.substr(0, kClusterPartBytes)));
    payload.remove_prefix(kClusterPartBytes);
  }
  frames.push_back(ReplyFrame(session, ClusterReplyKind::kLastPart, payload));
  return frames;
}

std::string BuildClusterError(uint32_t session, absl::string_view text) {
  return ReplyFrame(session, ClusterReplyKind::kError, text.substr(0, kClusterPartBytes));
}

absl::StatusOr<ClusterReply> ParseClusterReply(absl::string_view frame) {
  if (frame.size() < kReplyHeadBytes) return Malformed("response", frame);
  ClusterReply reply;
  reply.session = GetLittleEndian<uint32_t>(frame.data());
  const auto type = static_cast<uint8_t>(frame[kReplyHeadBytes - 1]);
  if (type > static_cast<uint8_t>(ClusterReplyKind::kLastPart)) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid cluster response: unknown type ", type));
  }
  reply.kind = static_cast<ClusterReplyKind>(type);
  if (reply.kind != ClusterReplyKind::kBegin) {
    reply.payload = frame.substr(kReplyHeadBytes);
    return reply;
  }
  if (frame.size() != kReplyHeadBytes + kTotalBytes) {
    return Malformed("large response header", frame);
  }
  reply.total = GetLittleEndian<uint32_t>(frame.data() + kReplyHeadBytes);
  if (reply.total > kClusterPayloadBytesMax) {
    return BadTotal("large response header", reply.total);
  }
  return reply;
}

}  // namespace skysim
