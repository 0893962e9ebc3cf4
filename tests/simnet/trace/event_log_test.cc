#include "simnet/trace/event_log.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

// Events whose fields walk through 0, small, and the ends of their ranges.
std::vector<RecordedEvent> ManyEvents(uint64_t count) {
  std::vector<RecordedEvent> events;
  int64_t time_ns = 0;
  for (uint64_t i = 1; i <= count; ++i) {
    RecordedEvent event;
    event.index = i;
    event.time_ns = time_ns += static_cast<int64_t>(i % 5 * 1000);
    event.node = static_cast<uint32_t>(i % 3);
    event.kind = static_cast<EventKind>(i % 24 + 1);
    event.type = static_cast<uint8_t>(i % 7 == 0 ? 255 : i % 2);
    event.service = i % 4 == 0 ? 0 : static_cast<uint32_t>(i * 0x01000193);
    event.peer = i % 11 == 0 ? 0xffffffff : 0;
    event.session = i % 13 == 0 ? std::numeric_limits<int32_t>::min() : static_cast<int32_t>(i);
    event.size = i % 17 == 0 ? std::numeric_limits<uint64_t>::max() : 0;
    event.cause = i % 3 == 0 ? i - 1 : 0;
    event.bytes_hash = i % 5 == 0 ? i * 0x9e3779b97f4a7c15 : 0;
    event.text = i % 6 == 0 ? "text " + std::to_string(i % 9) : "";
    events.push_back(event);
  }
  return events;
}

EventLog LogOf(const std::vector<RecordedEvent>& events) {
  EventLog log;
  for (const RecordedEvent& event : events) log.Append(event);
  return log;
}

TEST_CASE("event log gives back what was appended, in order") {
  std::vector<RecordedEvent> events = ManyEvents(1000);
  EventLog log = LogOf(events);

  std::vector<RecordedEvent> seen(log.begin(), log.end());
  CHECK(log.size() == 1000);
  CHECK(seen == events);
}

TEST_CASE("event log finds an event by its position, across checkpoints") {
  std::vector<RecordedEvent> events = ManyEvents(600);  // checkpoints at 0, 256 and 512
  EventLog log = LogOf(events);

  for (size_t position : {0, 1, 255, 256, 257, 511, 512, 599}) {
    CHECK(log[position] == events[position]);
  }
}

TEST_CASE("empty event log begins at its end") {
  EventLog log;

  CHECK(log.empty());
  CHECK(log.begin() == log.end());
}

TEST_CASE("event log keeps a text once") {
  std::vector<RecordedEvent> events = ManyEvents(1000);

  CHECK(LogOf(events).texts().size() == 1 + 3);  // "" and, of i % 9 for i in 6, 12, ...: 0, 3, 6
}

TEST_CASE("event log takes time that goes back") {
  std::vector<RecordedEvent> events = ManyEvents(3);
  events[1].time_ns = std::numeric_limits<int64_t>::max();
  events[2].time_ns = std::numeric_limits<int64_t>::min();

  EventLog log = LogOf(events);

  CHECK(log[1] == events[1]);
  CHECK(log[2] == events[2]);
}

TEST_CASE("event log reads its own encoding and goes on") {
  std::vector<RecordedEvent> events = ManyEvents(300);
  EventLog log = LogOf({events.begin(), events.begin() + 299});

  auto copy = EventLog::FromEncoded(299, 4, log.texts(), log.encoded(), 3);
  REQUIRE(copy.ok());
  copy->Append(events[299]);

  CHECK(std::vector<RecordedEvent>(copy->begin(), copy->end()) == events);
  CHECK(copy->dropped() == 4);
}

TEST_CASE("event log refuses a node that has no name") {
  EventLog log = LogOf(ManyEvents(5));  // the nodes are 0, 1 and 2; event 2 is of node 2

  auto copy = EventLog::FromEncoded(5, 0, log.texts(), log.encoded(), 2);

  CHECK(copy.status().message() == "event 2 is malformed");
}

TEST_CASE("event log refuses an encoding that holds more or fewer events") {
  EventLog log = LogOf(ManyEvents(5));

  CHECK(EventLog::FromEncoded(4, 0, log.texts(), log.encoded(), 3).status().message() ==
        "there are bytes after event 4");
  CHECK(EventLog::FromEncoded(6, 0, log.texts(), log.encoded(), 3).status().message() ==
        "event 6 is malformed");
}

}  // namespace
}  // namespace skysim
