#include "simnet/trace/trace.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "simnet/trace/bytes.h"
#include "zlib.h"

// A file is a header and six sections in a fixed order. Each header and each payload has a checksum
// of its own, so a wrong length is told from a cut file, and what is behind the checksums was
// written by somebody's SerializeTrace. It is still decoded as if it were not: a checksum is no
// signature.

namespace skysim {
namespace {

// The first byte is not ASCII and the last ones are what text modes rewrite: a transfer that is
// not byte for byte is noticed here.
constexpr absl::string_view kMagic("\x89SKYTR\r\n", 8);
constexpr size_t kFileHeaderBytes = 16;
constexpr size_t kSectionHeaderBytes = 16;
constexpr size_t kChecksumBytes = 4;

// How a payload is stored: its first byte.
constexpr uint8_t kStored = 0;
constexpr uint8_t kDeflated = 1;  // the raw size follows in 8 bytes, then a zlib stream
// Deflate cannot do better than 1032:1, so a raw size beyond that is a lie.
constexpr uint64_t kInflationMax = 1040;
// Most of what there is to win, at several times the speed of the default level.
constexpr int kCompressionLevel = 3;

struct SectionName {
  absl::string_view tag;    // in the file
  absl::string_view words;  // in messages
};
constexpr SectionName kRun = {"RUN.", "run"};
constexpr SectionName kChoices = {"CHOI", "choices"};
constexpr SectionName kNodes = {"NODE", "nodes"};
constexpr SectionName kTexts = {"TEXT", "texts"};
constexpr SectionName kEvents = {"EVNT", "events"};
constexpr SectionName kEnd = {"END.", "end"};

uint32_t Checksum(absl::string_view bytes) {
  return static_cast<uint32_t>(absl::ComputeCrc32c(bytes));
}

// -- Writing ---------------------------------------------------------------------------------

void AppendChecked(std::string& out, absl::string_view bytes) {
  absl::StrAppend(&out, bytes);
  ByteWriter checksum;
  checksum.U32(Checksum(bytes));
  out += checksum.bytes();
}

// The payload as it is stored: compressed if that makes it shorter.
std::string Pack(absl::string_view raw) {
  ByteWriter head;
  std::string packed(compressBound(raw.size()), '\0');
  uLongf size = packed.size();
  int error = compress2(reinterpret_cast<Bytef*>(&packed[0]), &size,
                        reinterpret_cast<const Bytef*>(raw.data()), raw.size(), kCompressionLevel);
  CHECK_EQ(error, Z_OK);
  if (size + sizeof(uint64_t) >= raw.size()) {
    head.U8(kStored);
    return absl::StrCat(head.bytes(), raw);
  }
  head.U8(kDeflated);
  head.U64(raw.size());
  return absl::StrCat(head.bytes(), absl::string_view(packed).substr(0, size));
}

void AppendSection(std::string& out, SectionName name, absl::string_view raw) {
  std::string payload = Pack(raw);
  ByteWriter length;
  length.U64(payload.size());
  AppendChecked(out, absl::StrCat(name.tag, length.bytes()));
  AppendChecked(out, payload);
}

void WriteTexts(ByteWriter& out, const std::vector<std::string>& texts) {
  out.Varint(texts.size());
  for (const std::string& text : texts) out.Text(text);
}

std::string RunPayload(const Trace& trace) {
  ByteWriter out;
  out.Text(trace.scenario_path);
  out.Text(trace.scenario_text);
  out.U64(trace.seed);
  WriteTexts(out, trace.legacy);
  out.Varint(trace.settings.size());
  for (const auto& [key, value] : trace.settings) {
    out.Text(key);
    out.Text(value);
  }
  out.U8(trace.any_order ? 1 : 0);
  out.Signed(trace.workers);
  out.Signed(trace.virtual_ns_max);
  out.Varint(trace.dispatches_max);
  out.Text(trace.configuration);
  return out.Take();
}

// What the choice before it in the same stream was.
struct StreamState {
  uint64_t id = 0;
  uint64_t ordinal = 0;
  uint64_t bound = 0;
};

std::string ChoicesPayload(const std::vector<Choice>& choices) {
  absl::flat_hash_map<std::string, StreamState> streams;
  std::vector<std::string> names;
  ByteWriter body;
  for (const Choice& choice : choices) {
    auto [entry, is_new] = streams.try_emplace(choice.stream);
    StreamState& stream = entry->second;
    if (is_new) {
      stream.id = names.size();
      names.push_back(choice.stream);
    }
    bool same_bound = choice.bound == stream.bound;
    body.Varint(stream.id << 1 | (same_bound ? 0 : 1));
    body.Signed(static_cast<int64_t>(choice.ordinal - stream.ordinal));
    if (!same_bound) body.Varint(choice.bound);
    body.Varint(choice.value);
    stream.ordinal = choice.ordinal;
    stream.bound = choice.bound;
  }
  ByteWriter out;
  WriteTexts(out, names);
  out.Varint(choices.size());
  return absl::StrCat(out.bytes(), body.bytes());
}

std::string TextsPayload(const std::vector<std::string>& texts) {
  ByteWriter out;
  WriteTexts(out, texts);
  return out.Take();
}

std::string EventsPayload(const EventLog& events) {
  ByteWriter out;
  out.Varint(events.size());
  out.Varint(events.dropped());
  return absl::StrCat(out.bytes(), events.encoded());
}

std::string EndPayload(const Trace& trace) {
  ByteWriter out;
  out.U64(trace.digest);
  out.Text(trace.verdict);
  return out.Take();
}

// -- Reading ---------------------------------------------------------------------------------

absl::Status CutAt(size_t size, absl::string_view where) {
  return absl::DataLossError(
      absl::StrCat("the trace is cut: it ends at byte ", size, ", within ", where));
}

absl::Status Corrupt(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the trace is corrupt: ", what));
}

absl::Status Corrupt(SectionName name, absl::string_view what) {
  return Corrupt(absl::StrCat("section ", name.words, ": ", what));
}

// Undoes Pack().
absl::StatusOr<std::string> Unpack(SectionName name, absl::string_view payload) {
  ByteReader head(payload);
  uint8_t method = head.U8();
  if (head.ok() && method == kStored) return std::string(payload.substr(1));
  uint64_t raw_size = head.U64();
  if (!head.ok() || method != kDeflated) return Corrupt(name, "it is stored in no known way");
  absl::string_view packed = payload.substr(head.offset());
  if (raw_size / kInflationMax > packed.size()) return Corrupt(name, "its size cannot be right");
  std::string raw(raw_size, '\0');
  uLongf size = raw.size();
  int error = uncompress(reinterpret_cast<Bytef*>(&raw[0]), &size,
                         reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (error != Z_OK || size != raw_size) return Corrupt(name, "it cannot be decompressed");
  return raw;
}

// Takes the parts of a file one after another.
class FileReader final {
 public:
  explicit FileReader(absl::string_view bytes) : bytes_(bytes) {}

  absl::Status ReadHeader() {
    absl::string_view seen = bytes_.substr(0, kMagic.size());
    if (seen.empty() || seen != kMagic.substr(0, seen.size())) {
      return absl::InvalidArgumentError("this is not a trace of skysim: it does not begin as one");
    }
    if (bytes_.size() < kFileHeaderBytes) return CutAt(bytes_.size(), "the header");
    if (!IsChecked(0, kFileHeaderBytes - kChecksumBytes)) {
      return Corrupt("the checksum of the header is wrong");
    }
    ByteReader version(bytes_.substr(kMagic.size(), 4));
    uint32_t number = version.U32();
    if (number != kTraceVersion) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the trace has format version ", number, "; this skysim reads version ", kTraceVersion));
    }
    at_ = kFileHeaderBytes;
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> ReadSection(SectionName name) {
    std::string where = absl::StrCat("section ", name.words);
    if (left() < kSectionHeaderBytes) return CutAt(bytes_.size(), where);
    if (!IsChecked(at_, kSectionHeaderBytes - kChecksumBytes)) {
      return Corrupt(name, "the checksum of its header is wrong");
    }
    absl::string_view tag = bytes_.substr(at_, 4);
    if (tag != name.tag) return Corrupt(name, "another section stands in its place");
    ByteReader header(bytes_.substr(at_ + 4, 8));
    uint64_t size = header.U64();
    at_ += kSectionHeaderBytes;
    if (left() < kChecksumBytes || size > left() - kChecksumBytes) {
      return CutAt(bytes_.size(), where);
    }
    if (!IsChecked(at_, size)) return Corrupt(name, "its checksum is wrong");
    absl::string_view payload = bytes_.substr(at_, size);
    at_ += size + kChecksumBytes;
    return Unpack(name, payload);
  }

  absl::Status ReadEnd() const {
    if (left() == 0) return absl::OkStatus();
    return Corrupt(absl::StrCat(left(), " bytes follow its end at byte ", at_));
  }

 private:
  size_t left() const { return bytes_.size() - at_; }
  // The `size` bytes at `at` are followed by their checksum. All of it must be there.
  bool IsChecked(size_t at, size_t size) const {
    ByteReader checksum(bytes_.substr(at + size, kChecksumBytes));
    return checksum.U32() == Checksum(bytes_.substr(at, size));
  }

  absl::string_view bytes_;
  size_t at_ = 0;
};

// Grows by what is really there, not by what the count promises.
std::vector<std::string> ReadTexts(ByteReader& in) {
  std::vector<std::string> texts;
  for (uint64_t left = in.Varint(); left > 0 && in.ok(); --left) texts.emplace_back(in.Text());
  return texts;
}

absl::Status ReadRun(absl::string_view payload, Trace& trace) {
  ByteReader in(payload);
  trace.scenario_path = std::string(in.Text());
  trace.scenario_text = std::string(in.Text());
  trace.seed = in.U64();
  trace.legacy = ReadTexts(in);
  for (uint64_t left = in.Varint(); left > 0 && in.ok(); --left) {
    std::string key(in.Text());
    trace.settings.emplace_back(std::move(key), std::string(in.Text()));
  }
  const uint8_t any_order = in.U8();
  if (any_order > 1) return Corrupt(kRun, "it is malformed");
  trace.any_order = any_order == 1;
  trace.workers = static_cast<int>(UnZigZag(in.VarintUpTo(0xffffffff)));
  trace.virtual_ns_max = in.Signed();
  trace.dispatches_max = in.Varint();
  trace.configuration = std::string(in.Text());
  return in.IsAtEnd() ? absl::OkStatus() : Corrupt(kRun, "it is malformed");
}

absl::Status ReadChoices(absl::string_view payload, std::vector<Choice>& choices) {
  ByteReader in(payload);
  std::vector<std::string> names = ReadTexts(in);
  std::vector<StreamState> streams(names.size());
  for (uint64_t left = in.Varint(); left > 0 && in.ok(); --left) {
    uint64_t head = in.Varint();
    if (head >> 1 >= names.size()) return Corrupt(kChoices, "a stream has no name");
    StreamState& stream = streams[head >> 1];
    stream.ordinal += static_cast<uint64_t>(in.Signed());
    if (head & 1) stream.bound = in.Varint();
    choices.push_back(Choice{names[head >> 1], stream.ordinal, stream.bound, in.Varint()});
  }
  return in.IsAtEnd() ? absl::OkStatus() : Corrupt(kChoices, "it is malformed");
}

absl::Status ReadTextSection(SectionName name, absl::string_view payload,
                             std::vector<std::string>& texts) {
  ByteReader in(payload);
  texts = ReadTexts(in);
  return in.IsAtEnd() ? absl::OkStatus() : Corrupt(name, "it is malformed");
}

absl::Status ReadEvents(absl::string_view payload, std::vector<std::string> texts, Trace& trace) {
  ByteReader in(payload);
  uint64_t count = in.Varint();
  uint64_t dropped = in.Varint();
  if (!in.ok()) return Corrupt(kEvents, "it is malformed");
  if (texts.empty() || !texts[0].empty()) return Corrupt(kTexts, "text 0 is not the empty one");
  if (trace.nodes.empty()) return Corrupt(kNodes, "there is no world");
  absl::StatusOr<EventLog> events =
      EventLog::FromEncoded(count, dropped, std::move(texts),
                            std::string(payload.substr(in.offset())), trace.nodes.size());
  if (!events.ok()) return Corrupt(kEvents, events.status().message());
  trace.events = *std::move(events);
  return absl::OkStatus();
}

absl::Status ReadEndSection(absl::string_view payload, Trace& trace) {
  ByteReader in(payload);
  trace.digest = in.U64();
  trace.verdict = std::string(in.Text());
  return in.IsAtEnd() ? absl::OkStatus() : Corrupt(kEnd, "it is malformed");
}

}  // namespace

std::string SerializeTrace(const Trace& trace) {
  ByteWriter version;
  version.U32(kTraceVersion);
  std::string out;
  AppendChecked(out, absl::StrCat(kMagic, version.bytes()));
  AppendSection(out, kRun, RunPayload(trace));
  AppendSection(out, kChoices, ChoicesPayload(trace.choices));
  AppendSection(out, kNodes, TextsPayload(trace.nodes));
  AppendSection(out, kTexts, TextsPayload(trace.events.texts()));
  AppendSection(out, kEvents, EventsPayload(trace.events));
  AppendSection(out, kEnd, EndPayload(trace));
  return out;
}

absl::StatusOr<Trace> ParseTrace(absl::string_view bytes) {
  FileReader file(bytes);
  Trace trace;
  std::vector<std::string> texts;
  absl::Status status = file.ReadHeader();
  if (!status.ok()) return status;
  for (SectionName name : {kRun, kChoices, kNodes, kTexts, kEvents, kEnd}) {
    absl::StatusOr<std::string> payload = file.ReadSection(name);
    if (!payload.ok()) return payload.status();
    if (name.tag == kRun.tag) status = ReadRun(*payload, trace);
    if (name.tag == kChoices.tag) status = ReadChoices(*payload, trace.choices);
    if (name.tag == kNodes.tag) status = ReadTextSection(name, *payload, trace.nodes);
    if (name.tag == kTexts.tag) status = ReadTextSection(name, *payload, texts);
    if (name.tag == kEvents.tag) status = ReadEvents(*payload, std::move(texts), trace);
    if (name.tag == kEnd.tag) status = ReadEndSection(*payload, trace);
    if (!status.ok()) return status;
  }
  status = file.ReadEnd();
  if (!status.ok()) return status;
  return trace;
}

}  // namespace skysim
