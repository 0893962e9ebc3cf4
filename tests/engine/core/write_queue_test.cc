#include "engine/core/write_queue.h"

#include <string>

#include "catch2/catch_test_macros.hpp"
#include "engine/core/fifo.h"
#include "tests/engine/core/socket_fixture.h"

namespace skysim {
namespace {

struct Queue {
  WriteQueue::Item Item(absl::string_view text) {
    return {Payload::Copy(memory, text), 0, 0, nullptr};
  }
  void High(absl::string_view text) { queue.PushHigh(Item(text)); }
  void Low(absl::string_view text) { queue.PushLow(Item(text)); }
  // Writes at most `bytes`, as a transport with so much room would.
  std::string Write(size_t bytes) {
    std::string out;
    while (!queue.empty() && bytes > 0) {
      absl::string_view part = queue.front().rest().substr(0, bytes);
      out.append(part.data(), part.size());
      bytes -= part.size();
      queue.Advance(part.size());
    }
    return out;
  }
  CountingMemory memory;
  WriteQueue queue;
};

TEST_CASE("write queue gives high before low, and counts what is left") {
  Queue q;
  q.High("h1");
  q.Low("l1");
  q.High("h2");
  CHECK(q.queue.bytes() == 6);

  CHECK(q.Write(3) == "h1h");
  CHECK(q.queue.bytes() == 3);
  CHECK(q.Write(100) == "2l1");
  CHECK(q.queue.empty());
  CHECK(q.queue.bytes() == 0);
}

TEST_CASE("write queue is empty only when both queues are") {
  Queue q;
  q.High("h");
  q.Low("l");

  CHECK(q.Write(1) == "h");

  CHECK_FALSE(q.queue.empty());
}

TEST_CASE("write queue never cuts an item that has begun, whatever the room") {
  for (size_t room = 1; room <= 7; ++room) {
    Queue q;
    q.High("<h>");
    q.Low("[low]");
    q.Low("[LOW]");
    std::string out;
    for (int i = 0; !q.queue.empty(); ++i) {
      out += q.Write(room);
      if (i < 4) q.High("<hh>");
    }

    // Without the whole items nothing is left.
    for (const char* item : {"<hh>", "<h>", "[low]", "[LOW]"}) {
      for (size_t at; (at = out.find(item)) != std::string::npos;) {
        out.erase(at, std::string(item).size());
        out.insert(at, " ");
      }
    }
    CHECK(out.find_first_not_of(' ') == std::string::npos);
  }
}

TEST_CASE("write queue moves to high what low sends into an empty queue") {
  Queue q;
  q.Low("l1");
  q.Low("l2");
  q.High("h1");

  CHECK(q.Write(100) == "l1h1l2");
}

TEST_CASE("write queue frees an empty item and everything on clear") {
  Queue q;
  q.High("");
  q.queue.Advance(0);
  CHECK(q.queue.empty());
  q.High("a");
  q.Low("b");

  q.queue.Clear();

  CHECK(q.memory.blocks == 0);
  CHECK(q.queue.bytes() == 0);
}

TEST_CASE("fifo keeps its order while it grows, shrinks and moves its items down") {
  Fifo<std::string> fifo;
  int pushed = 0;
  int popped = 0;
  for (int round = 0; round < 400; ++round) {
    for (int i = 0; i < round % 7 + 1; ++i) fifo.Push(std::to_string(pushed++));
    for (int i = 0; i < round % 5 + 1 && !fifo.empty(); ++i) {
      REQUIRE(fifo.front() == std::to_string(popped++));
      fifo.Pop();
    }
    REQUIRE(fifo.size() == static_cast<size_t>(pushed - popped));
  }
  REQUIRE(fifo[3] == std::to_string(popped + 3));
}

}  // namespace
}  // namespace skysim
