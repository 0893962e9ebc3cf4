#include "simnet/trace/describe.h"

#include <limits>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "simnet/trace/event_names.h"

namespace skysim {
namespace {

RecordedEvent Send() {
  RecordedEvent event;
  event.index = 12;
  event.time_ns = 1'200'000'000;
  event.node = 1;
  event.kind = EventKind::kSend;
  event.type = 10;
  event.service = 0x0a;
  event.peer = 0x0b;
  event.session = 3;
  event.size = 45;
  event.cause = 9;
  return event;
}

TEST_CASE("event reads as one line: when, where, what, why") {
  CHECK(DescribeEvent(Send(), {"world", "gate"}) ==
        "     12    1.200000000 gate       :0000000a send           "
        "lua to :0000000b, session 3, 45 bytes  <- 9");
}

TEST_CASE("text of an event stays on its line") {
  RecordedEvent event = Send();
  event.kind = EventKind::kLog;
  event.text = "first\nsecond\x1b[31m";

  CHECK(DescribeWhat(event) == "first\\nsecond\\x1b[31m");
}

TEST_CASE("every kind of event has a name of its own") {
  std::vector<std::string> names;
  for (int kind = 1; kind <= static_cast<int>(EventKind::kSegment); ++kind) {
    names.push_back(EventKindName(static_cast<EventKind>(kind)));
    CHECK(names.back().find("event-") == std::string::npos);
  }

  CHECK(names.size() == std::size(kEventNames));
  CHECK(EventKindName(static_cast<EventKind>(77)) == "event-77");
}

TEST_CASE("seconds have nine digits, also before the start and at the ends of time") {
  CHECK(FormatSeconds(0) == "0.000000000");
  CHECK(FormatSeconds(-1) == "-0.000000001");
  CHECK(FormatSeconds(std::numeric_limits<int64_t>::min()) == "-9223372036.854775808");
}

TEST_CASE("duration takes its shortest exact form") {
  CHECK(FormatDuration(0) == "0s");
  CHECK(FormatDuration(1) == "1ns");
  CHECK(FormatDuration(10'000) == "10us");
  CHECK(FormatDuration(350'000'000) == "350ms");
  CHECK(FormatDuration(1'200'000'000) == "1.2s");
  CHECK(FormatDuration(20'000'000'000) == "20s");
  CHECK(FormatDuration(12'345'000) == "0.012345s");
  CHECK(FormatDuration(311'302'966) == "0.311302966s");
}

TEST_CASE("cause chain walks back to the first cause") {
  EventLog events;
  for (uint64_t cause : {0, 1, 1, 3, 4}) {  // 5 <- 4 <- 3 <- 1
    RecordedEvent event;
    event.cause = cause;
    events.Append(event);
  }

  std::vector<uint64_t> chain;
  for (const RecordedEvent& event : CauseChain(events[4], events, 8)) chain.push_back(event.index);

  CHECK(chain == std::vector<uint64_t>{4, 3, 1});
  CHECK(CauseChain(events[4], events, 2).size() == 2);
}

TEST_CASE("cause chain ends at a cause that is not older") {
  EventLog events;
  RecordedEvent event;
  event.cause = 1;
  events.Append(event);

  CHECK(CauseChain(events[0], events, 8).empty());
}

TEST_CASE("difference of two events names the fields") {
  RecordedEvent other = Send();
  other.time_ns += 1;
  other.peer = 7;

  CHECK(DescribeDifference(Send(), other) == "virtual time, peer");
  CHECK(DescribeDifference(Send(), Send()) == "");
}

}  // namespace
}  // namespace skysim
