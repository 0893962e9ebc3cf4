#include "simnet/trace/trace.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "catch2/catch_test_macros.hpp"
#include "simnet/trace/trace_repair.h"

namespace skysim {
namespace {

constexpr size_t kHeaderBytes = 16;

Trace SmallTrace() {
  Trace trace;
  trace.scenario_path = "scenarios/two.lua";
  trace.scenario_text = "local sim = require \"sim\"\n";
  trace.seed = 0xfedcba9876543210;
  trace.legacy = {"wakeup-unordered"};
  trace.settings = {{"pairs", "20"}, {"empty", ""}};
  trace.any_order = true;
  trace.workers = 4;
  trace.virtual_ns_max = 5'000'000'000;
  trace.dispatches_max = 1000;
  trace.configuration = "a: thread=4\n";
  trace.choices = {{"node/a/schedule", 0, 2, 1}, {"link/a>b/delay", 7, 1'000'000, 999'999},
                   {"node/a/schedule", 5, 2, 1}, {"node/a/schedule", 6, 3, 2}};
  trace.nodes = {"world", "a", "b"};
  for (uint32_t i = 0; i < 40; ++i) {
    RecordedEvent event;
    event.time_ns = 10 * i;
    event.node = i % 3;
    event.kind = EventKind::kSend;
    event.service = i;
    event.cause = i / 2;
    event.text = i % 10 == 0 ? "link a>b" : "";
    event.bytes_hash = i % 4 == 0 ? 0x0123456789abcdef : 0;
    trace.events.Append(event);
  }
  trace.digest = 0x1122334455667788;
  trace.verdict = "failed: both arrive";
  return trace;
}

std::string Message(absl::string_view bytes) {
  absl::StatusOr<Trace> trace = ParseTrace(bytes);
  return trace.ok() ? "" : std::string(trace.status().message());
}

TEST_CASE("trace comes back whole from its file") {
  Trace trace = SmallTrace();

  absl::StatusOr<Trace> copy = ParseTrace(SerializeTrace(trace));

  REQUIRE(copy.ok());
  CHECK(copy->scenario_path == trace.scenario_path);
  CHECK(copy->scenario_text == trace.scenario_text);
  CHECK(copy->seed == trace.seed);
  CHECK(copy->legacy == trace.legacy);
  CHECK(copy->settings == trace.settings);
  CHECK(copy->any_order);
  CHECK(copy->workers == 4);
  CHECK(copy->virtual_ns_max == 5'000'000'000);
  CHECK(copy->dispatches_max == 1000);
  CHECK(copy->configuration == trace.configuration);
  REQUIRE(copy->choices.size() == 4);
  CHECK(copy->choices[1].stream == "link/a>b/delay");
  CHECK(copy->choices[1].ordinal == 7);
  CHECK(copy->choices[1].bound == 1'000'000);
  CHECK(copy->choices[1].value == 999'999);
  CHECK(copy->choices[3].ordinal == 6);
  CHECK(copy->choices[3].bound == 3);
  CHECK(copy->nodes == trace.nodes);
  CHECK(copy->digest == trace.digest);
  CHECK(copy->verdict == trace.verdict);
  CHECK(std::vector<RecordedEvent>(copy->events.begin(), copy->events.end()) ==
        std::vector<RecordedEvent>(trace.events.begin(), trace.events.end()));
}

TEST_CASE("trace that was read is written as the same bytes") {
  std::string bytes = SerializeTrace(SmallTrace());

  CHECK(SerializeTrace(*ParseTrace(bytes)) == bytes);
}

TEST_CASE("large trace is compressed and comes back") {
  Trace trace = SmallTrace();
  for (uint32_t i = 0; i < 100'000; ++i) {
    RecordedEvent event;
    event.kind = EventKind::kDispatch;
    event.time_ns = 400 + 10 * i;
    event.service = i % 8;
    event.cause = 40 + i;
    trace.events.Append(event);
  }

  std::string bytes = SerializeTrace(trace);
  absl::StatusOr<Trace> copy = ParseTrace(bytes);

  CHECK(bytes.size() < 100'000);  // under a byte per event
  REQUIRE(copy.ok());
  CHECK(copy->events.size() == 100'040);
  CHECK(copy->events[100'039] == trace.events[100'039]);
}

TEST_CASE("trace without events, choices or names comes back") {
  Trace trace;
  trace.nodes = {"world"};

  CHECK(ParseTrace(SerializeTrace(trace)).ok());
}

TEST_CASE("trace cut at any byte is refused, and says where it ends") {
  std::string bytes = SerializeTrace(SmallTrace());

  CHECK(Message("") == "this is not a trace of skysim: it does not begin as one");
  for (size_t size = 1; size < bytes.size(); ++size) {
    INFO("cut at " << size);
    std::string message = Message(bytes.substr(0, size));
    CHECK(absl::StartsWith(message, "the trace is cut: it ends at byte " + std::to_string(size) +
                                        ", within "));
  }
  CHECK(absl::EndsWith(Message(bytes.substr(0, 10)), "within the header"));
  CHECK(absl::EndsWith(Message(bytes.substr(0, 100)), "within section run"));
  CHECK(absl::EndsWith(Message(bytes.substr(0, bytes.size() - 1)), "within section end"));
}

TEST_CASE("trace with any bit flipped is refused") {
  std::string bytes = SerializeTrace(SmallTrace());

  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    INFO("bit " << bit);
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    bool names_it = absl::StartsWith(Message(flipped), bit < 64 ? "this is not a trace of skysim"
                                                                : "the trace is corrupt: ");
    CHECK(names_it);
  }
}

TEST_CASE("corrupt trace names the section") {
  std::string bytes = SerializeTrace(SmallTrace());

  std::string in_run = bytes, in_end = bytes;
  in_run[kHeaderBytes + 30] ^= 1;
  in_end[bytes.size() - 6] ^= 1;

  CHECK(Message(in_run) == "the trace is corrupt: section run: its checksum is wrong");
  CHECK(Message(in_end) == "the trace is corrupt: section end: its checksum is wrong");
}

TEST_CASE("trace of a newer version is refused, naming both versions") {
  std::string bytes = SerializeTrace(SmallTrace());
  // The header of version 3: crc32c of "\x89SKYTR\r\n\x03\0\0\0".
  std::string newer = "\x89SKYTR\r\n" + std::string("\x03\0\0\0", 4) + std::string("\x23\xf1\x1f\x67", 4);

  CHECK(Message(newer + bytes.substr(kHeaderBytes)) ==
        "the trace has format version 3; this skysim reads version 2");
}

// So small that nothing of it is compressed: each byte of the file means something.
Trace TinyTrace() {
  Trace trace;
  trace.scenario_path = "x.lua";
  trace.legacy = {"l"};
  trace.settings = {{"k", "v"}};
  trace.choices = {{"s", 1, 2, 1}, {"s", 3, 2, 1}};
  trace.nodes = {"world", "a"};
  RecordedEvent event;
  event.kind = EventKind::kSend;
  event.type = 10;
  event.service = event.peer = 7;
  event.session = -1;
  event.size = 300;
  event.text = "t";
  event.bytes_hash = 1;
  trace.events.Append(event);
  RecordedEvent effect;
  effect.node = 1;
  effect.cause = 1;
  trace.events.Append(effect);
  return trace;
}

TEST_CASE("damage behind right checksums is refused, or read as another trace") {
  const std::string bytes = SerializeTrace(TinyTrace());
  REQUIRE(ParseTrace(RepairChecksums(bytes)).ok());
  int refused = 0, read = 0;

  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(value);
      absl::StatusOr<Trace> trace = ParseTrace(RepairChecksums(damaged));
      trace.ok() ? ++read : ++refused;
      if (!trace.ok()) continue;
      std::string again = SerializeTrace(*trace);
      if (SerializeTrace(*ParseTrace(again)) != again) FAIL("byte " << at << " value " << value);
    }
  }

  CHECK(refused > 0);
  CHECK(read > 0);
}

TEST_CASE("length that promises more than there is costs nothing") {
  std::string bytes = SerializeTrace(TinyTrace());
  size_t events = bytes.find("EVNT");
  std::string damaged = bytes;
  // The payload: how it is stored, then the number of events. 2^63 - 1 of them, in nine bytes.
  damaged.replace(events + 17, 9, std::string(8, '\xff') + '\x7f');

  // The bytes that are left may pass for an event or two.
  CHECK(absl::StartsWith(Message(RepairChecksums(damaged)),
                         "the trace is corrupt: section events: event "));
}

TEST_CASE("bytes after the end are refused") {
  std::string bytes = SerializeTrace(SmallTrace());

  CHECK(Message(bytes + "x") == "the trace is corrupt: 1 bytes follow its end at byte " +
                                    std::to_string(bytes.size()));
}

TEST_CASE("section in the wrong place is refused") {
  std::string bytes = SerializeTrace(SmallTrace());
  std::string header = bytes.substr(0, kHeaderBytes);
  size_t choices = bytes.find("CHOI");

  CHECK(Message(header + bytes.substr(choices)) ==
        "the trace is corrupt: section run: another section stands in its place");
}

TEST_CASE("any other file is not a trace") {
  CHECK(Message("local sim = require \"sim\"\n") ==
        "this is not a trace of skysim: it does not begin as one");
}

}  // namespace
}  // namespace skysim
