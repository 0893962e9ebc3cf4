#include "simnet/trace/event_log.h"

#include <utility>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "simnet/trace/bytes.h"

namespace skysim {
namespace {

constexpr uint64_t kCheckpointEvery = 256;

// Which fields follow: most events leave most of them 0.
enum Field : uint8_t {
  kType = 1,
  kService = 2,
  kPeer = 4,
  kSession = 8,
  kSize = 16,
  kCause = 32,
  kText = 64,
  kBytesHash = 128,
};

// An event has at most this many bytes: kind, fields, type, hash, and eight varints.
constexpr size_t kEventBytesMax = 3 + 8 + 8 * 10;

// Writes a varint at `to`; returns where it ends.
char* PutVarint(char* to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

// Decodes the event after `event` (index and time carry over) and leaves it there.
void ReadEvent(ByteReader& reader, const std::vector<std::string>& texts, uint64_t nodes,
               RecordedEvent& event) {
  constexpr uint64_t kMax32 = 0xffffffff;
  uint64_t kind = reader.U8();
  uint8_t fields = reader.U8();
  if (kind == 0) reader.Fail();
  event.kind = static_cast<EventKind>(kind);
  event.index += 1;
  event.time_ns = static_cast<int64_t>(static_cast<uint64_t>(event.time_ns) +
                                       static_cast<uint64_t>(reader.Signed()));
  event.node = static_cast<uint32_t>(reader.VarintUpTo(nodes - 1));
  event.type = fields & kType ? reader.U8() : 0;
  event.service = fields & kService ? static_cast<uint32_t>(reader.VarintUpTo(kMax32)) : 0;
  event.peer = fields & kPeer ? static_cast<uint32_t>(reader.VarintUpTo(kMax32)) : 0;
  event.session =
      fields & kSession ? static_cast<int32_t>(UnZigZag(reader.VarintUpTo(kMax32))) : 0;
  event.size = fields & kSize ? reader.Varint() : 0;
  event.cause = fields & kCause ? event.index - static_cast<uint64_t>(reader.Signed()) : 0;
  event.text = fields & kText ? texts[reader.VarintUpTo(texts.size() - 1)] : std::string();
  event.bytes_hash = fields & kBytesHash ? reader.U64() : 0;
}

}  // namespace

uint64_t EventLog::TextId(absl::string_view text) {
  if (text.empty()) return 0;
  auto [entry, is_new] = text_ids_.try_emplace(text, texts_.size());
  if (is_new) texts_.emplace_back(text);
  return entry->second;
}

void EventLog::Append(const RecordedEvent& event) {
  Append(event.time_ns, event.node,
         Event{event.kind, event.type, event.service, event.peer, event.session, event.size,
               event.cause, event.text, absl::string_view()},
         event.bytes_hash);
}

void EventLog::Append(int64_t time_ns, uint32_t node, const Event& event, uint64_t bytes_hash) {
  if (count_ % kCheckpointEvery == 0) checkpoints_.push_back({encoded_.size(), last_ns_});
  uint64_t text = TextId(event.text);
  uint64_t index = ++count_;
  uint8_t fields = static_cast<uint8_t>(
      (event.type ? kType : 0) | (event.service ? kService : 0) | (event.peer ? kPeer : 0) |
      (event.session ? kSession : 0) | (event.size ? kSize : 0) | (event.cause ? kCause : 0) |
      (text ? kText : 0) | (bytes_hash ? kBytesHash : 0));
  // Built aside and appended at once: the string looks at its capacity once per event.
  char bytes[kEventBytesMax];
  char* to = bytes;
  *to++ = static_cast<char>(event.kind);
  *to++ = static_cast<char>(fields);
  to = PutVarint(to, ZigZag(static_cast<int64_t>(static_cast<uint64_t>(time_ns) -
                                                 static_cast<uint64_t>(last_ns_))));
  to = PutVarint(to, node);
  if (fields & kType) *to++ = static_cast<char>(event.type);
  if (fields & kService) to = PutVarint(to, event.service);
  if (fields & kPeer) to = PutVarint(to, event.peer);
  if (fields & kSession) to = PutVarint(to, ZigZag(event.session));
  if (fields & kSize) to = PutVarint(to, event.size);
  if (fields & kCause) to = PutVarint(to, ZigZag(static_cast<int64_t>(index - event.cause)));
  if (fields & kText) to = PutVarint(to, text);
  for (int i = 0; fields & kBytesHash && i < 8; ++i) {
    *to++ = static_cast<char>(bytes_hash >> (8 * i));
  }
  encoded_.append(bytes, static_cast<size_t>(to - bytes));
  last_ns_ = time_ns;
}

RecordedEvent EventLog::operator[](size_t position) const {
  CHECK_LT(position, count_) << "the log has fewer events";
  const Checkpoint& checkpoint = checkpoints_[position / kCheckpointEvery];
  uint64_t first = position / kCheckpointEvery * kCheckpointEvery;
  Iterator at(this, checkpoint.offset, first, checkpoint.time_ns);
  for (uint64_t i = first; i < position; ++i) ++at;
  return *at;
}

EventLog::Iterator EventLog::begin() const { return Iterator(this, 0, 0, 0); }

EventLog::Iterator EventLog::end() const {
  return Iterator(this, encoded_.size(), count_, last_ns_);
}

absl::StatusOr<EventLog> EventLog::FromEncoded(uint64_t count, uint64_t dropped,
                                               std::vector<std::string> texts,
                                               std::string encoded, uint64_t nodes) {
  EventLog log;
  ByteReader reader(encoded);
  RecordedEvent event;
  CHECK_GT(nodes, 0u);
  CHECK(!texts.empty() && texts[0].empty()) << "text 0 is the empty one";
  for (uint64_t i = 0; i < count; ++i) {
    if (i % kCheckpointEvery == 0) log.checkpoints_.push_back({reader.offset(), event.time_ns});
    ReadEvent(reader, texts, nodes, event);
    if (!reader.ok()) return absl::DataLossError(absl::StrCat("event ", i + 1, " is malformed"));
  }
  if (!reader.IsAtEnd()) {
    return absl::DataLossError(absl::StrCat("there are bytes after event ", count));
  }
  for (size_t i = 1; i < texts.size(); ++i) {
    if (!log.text_ids_.try_emplace(texts[i], i).second || texts[i].empty()) {
      return absl::DataLossError(absl::StrCat("text ", i, " is empty or there twice"));
    }
  }
  log.texts_ = std::move(texts);
  log.encoded_ = std::move(encoded);
  log.count_ = count;
  log.dropped_ = dropped;
  log.last_ns_ = event.time_ns;
  return log;
}

EventLog::Iterator::Iterator(const EventLog* log, size_t offset, uint64_t index, int64_t time_ns)
    : log_(log), offset_(offset) {
  event_.index = index;
  event_.time_ns = time_ns;
  ++*this;
}

EventLog::Iterator& EventLog::Iterator::operator++() {
  if (offset_ == log_->encoded_.size()) {
    event_.index = log_->count_ + 1;
    return *this;
  }
  ByteReader reader(absl::string_view(log_->encoded_).substr(offset_));
  ReadEvent(reader, log_->texts_, uint64_t{1} << 32, event_);
  CHECK(reader.ok()) << "event " << event_.index << " of a log of our own cannot be read";
  offset_ += reader.offset();
  return *this;
}

}  // namespace skysim
