#include "simnet/trace/describe.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/core/handle.h"
#include "simnet/trace/event_names.h"

namespace skysim {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

// Message types of skynet (spec/runtime_api.md), as a request and its reply read in a line.
std::string MessageTypeName(uint8_t type) {
  static constexpr absl::string_view kNames[] = {
      "text",   "response", "multicast", "client", "system", "harbor",
      "socket", "error",    "queue",     "debug",  "lua",    "snax",
  };
  if (type < sizeof(kNames) / sizeof(kNames[0])) return std::string(kNames[type]);
  return absl::StrCat("type ", type);
}

std::string Bytes(uint64_t size) { return absl::StrCat(size, size == 1 ? " byte" : " bytes"); }

std::string Session(const RecordedEvent& event) {
  return event.session == 0 ? "" : absl::StrCat(", session ", event.session);
}

std::string DescribeMessage(const RecordedEvent& event, absl::string_view preposition) {
  return absl::StrCat(MessageTypeName(event.type), " ", preposition, " ",
                      event.peer == 0 ? "the system" : FormatHandle(event.peer), Session(event),
                      ", ", Bytes(event.size));
}

std::string DescribeSocket(const RecordedEvent& event) {
  std::string words = absl::StrCat("socket ", event.session);
  if (event.size > 0) absl::StrAppend(&words, ", ", Bytes(event.size));
  return words;
}

// Texts come from services and may hold anything: a line of output stays one line.
std::string OneLine(absl::string_view text) {
  bool is_plain = true;
  for (char c : text) is_plain = is_plain && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  return is_plain ? std::string(text) : absl::Utf8SafeCHexEscape(text);
}

std::string WithText(std::string words, const RecordedEvent& event) {
  if (event.text.empty()) return words;
  if (words.empty()) return OneLine(event.text);
  return absl::StrCat(words, ", ", OneLine(event.text));
}

std::string NodeName(uint32_t node, const std::vector<std::string>& nodes) {
  return node < nodes.size() ? nodes[node] : absl::StrCat("node ", node);
}

}  // namespace

std::string FormatSeconds(int64_t time_ns) {
  // Unsigned, because the most negative number has no opposite.
  uint64_t magnitude = time_ns < 0 ? ~static_cast<uint64_t>(time_ns) + 1 : time_ns;
  return absl::StrFormat("%s%d.%09d", time_ns < 0 ? "-" : "", magnitude / kSecondNs,
                         magnitude % kSecondNs);
}

std::string FormatDuration(int64_t duration_ns) {
  if (duration_ns == 0) return "0s";
  if (duration_ns > -1'000'000 && duration_ns < 1'000'000) {
    return duration_ns % 1000 == 0 ? absl::StrCat(duration_ns / 1000, "us")
                                   : absl::StrCat(duration_ns, "ns");
  }
  if (duration_ns > -kSecondNs && duration_ns < kSecondNs && duration_ns % 1'000'000 == 0) {
    return absl::StrCat(duration_ns / 1'000'000, "ms");
  }
  std::string seconds = FormatSeconds(duration_ns);
  seconds.erase(seconds.find_last_not_of('0') + 1);
  if (seconds.back() == '.') seconds.pop_back();
  return seconds + "s";
}

std::string DescribeWhat(const RecordedEvent& event) {
  switch (event.kind) {
    case EventKind::kSend:
    case EventKind::kDeadLetter:
      return WithText(DescribeMessage(event, "to"), event);
    case EventKind::kDispatch:
      return WithText(DescribeMessage(event, "of"), event);
    case EventKind::kTimer:
      return WithText(absl::StrCat("session ", event.session), event);
    case EventKind::kExit:
      return WithText(event.peer == 0 ? "" : absl::StrCat("by ", FormatHandle(event.peer)), event);
    case EventKind::kAccept:
      return WithText(absl::StrCat("socket ", event.session, " accepted ", event.size), event);
    case EventKind::kListen:
    case EventKind::kConnect:
    case EventKind::kConnected:
    case EventKind::kConnectFailed:
    case EventKind::kWrite:
    case EventKind::kRead:
    case EventKind::kClose:
    case EventKind::kPeerClosed:
    case EventKind::kSocketError:
      return WithText(DescribeSocket(event), event);
    case EventKind::kSegment:
      return WithText(Bytes(event.size), event);
    case EventKind::kLaunch:
    case EventKind::kLog:
    case EventKind::kNodeStart:
    case EventKind::kNodeStop:
    case EventKind::kFault:
    case EventKind::kStory:
    case EventKind::kProbe:
    case EventKind::kProperty:
      return WithText("", event);
  }
  return WithText(absl::StrCat("session ", event.session, ", ", Bytes(event.size)), event);
}

std::string DescribeEvent(const RecordedEvent& event, const std::vector<std::string>& nodes) {
  std::string service = event.service == 0 ? "-" : FormatHandle(event.service);
  std::string line = absl::StrFormat("%7d %14s %-10s %-9s %-14s %s", event.index,
                                     FormatSeconds(event.time_ns), NodeName(event.node, nodes),
                                     service, EventKindName(event.kind), DescribeWhat(event));
  if (event.cause != 0) absl::StrAppend(&line, "  <- ", event.cause);
  return line;
}

std::vector<RecordedEvent> CauseChain(const RecordedEvent& event, const EventLog& events,
                                      size_t steps_max) {
  std::vector<RecordedEvent> chain;
  uint64_t cause = event.cause;
  uint64_t below = event.index;
  // A cause is always older. One that is not would send us round in circles.
  while (chain.size() < steps_max && cause > 0 && cause < below && cause <= events.size()) {
    chain.push_back(events[cause - 1]);
    below = cause;
    cause = chain.back().cause;
  }
  return chain;
}

std::string DescribeDifference(const RecordedEvent& a, const RecordedEvent& b) {
  const std::pair<absl::string_view, bool> kFields[] = {
      {"virtual time", a.time_ns != b.time_ns}, {"node", a.node != b.node},
      {"kind", a.kind != b.kind},               {"type", a.type != b.type},
      {"service", a.service != b.service},      {"peer", a.peer != b.peer},
      {"session", a.session != b.session},      {"size", a.size != b.size},
      {"cause", a.cause != b.cause},            {"text", a.text != b.text},
      {"contents", a.bytes_hash != b.bytes_hash},
  };
  std::vector<absl::string_view> names;
  for (const auto& [name, differs] : kFields) {
    if (differs) names.push_back(name);
  }
  return absl::StrJoin(names, ", ");
}

}  // namespace skysim
