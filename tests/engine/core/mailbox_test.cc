#include "engine/core/mailbox.h"

#include <utility>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

Message Numbered(int32_t session) {
  Message message;
  message.session = session;
  return message;
}

// Session of the oldest message, 0 if there is none.
int32_t Take(Mailbox& mailbox) {
  Message message;
  return mailbox.Pop(&message) ? message.session : 0;
}

TEST_CASE("mailbox pops in arrival order while it grows") {
  Mailbox mailbox;
  int32_t pushed = 0, popped = 0;

  // Three in, two out: the ring wraps and grows many times.
  for (int round = 0; round < 500; ++round) {
    for (int i = 0; i < 3; ++i) mailbox.Push(Numbered(++pushed));
    for (int i = 0; i < 2; ++i) REQUIRE(Take(mailbox) == ++popped);
  }

  CHECK(mailbox.size() == 500);
  while (popped < pushed) REQUIRE(Take(mailbox) == ++popped);
  CHECK(Take(mailbox) == 0);
}

TEST_CASE("a new mailbox is shut: its mail waits and nobody is told to run it") {
  Mailbox mailbox;

  CHECK(!mailbox.Push(Numbered(1)));
  CHECK(mailbox.KeepsScheduled());
}

TEST_CASE("the first message to an idle mailbox schedules it, the next ones do not") {
  Mailbox mailbox;
  REQUIRE(!mailbox.KeepsScheduled());

  CHECK(mailbox.Push(Numbered(1)));
  CHECK(!mailbox.Push(Numbered(2)));
  Take(mailbox);
  CHECK(mailbox.KeepsScheduled());
  Take(mailbox);
  CHECK(!mailbox.Push(Numbered(3)));  // the turn has not ended
  CHECK(mailbox.KeepsScheduled());
  Take(mailbox);
  CHECK(!mailbox.KeepsScheduled());
  CHECK(mailbox.Push(Numbered(4)));
}

TEST_CASE("a popped message takes its bytes along") {
  Mailbox mailbox;
  Message message;
  message.source = 7;
  message.type = MessageType::kLua;

  mailbox.Push(std::move(message));

  Message popped;
  REQUIRE(mailbox.Pop(&popped));
  CHECK(popped.source == 7);
  CHECK(popped.type == MessageType::kLua);
}

TEST_CASE("overload is reported beyond 1024 waiting messages, then at each doubling") {
  Mailbox mailbox;
  for (int i = 1; i <= 1025; ++i) mailbox.Push(Numbered(i));

  Take(mailbox);  // 1024 are left: not beyond
  CHECK(mailbox.TakeOverload() == 0);
  mailbox.Push(Numbered(1));
  mailbox.Push(Numbered(1));
  Take(mailbox);
  CHECK(mailbox.TakeOverload() == 1025);
  CHECK(mailbox.TakeOverload() == 0);
  Take(mailbox);
  CHECK(mailbox.TakeOverload() == 0);

  while (mailbox.size() < 5000) mailbox.Push(Numbered(1));
  Take(mailbox);  // beyond 2048 and 4096 at once: one report
  CHECK(mailbox.TakeOverload() == 4999);
  Take(mailbox);
  CHECK(mailbox.TakeOverload() == 0);
}

TEST_CASE("an empty mailbox watches for 1024 messages again") {
  Mailbox mailbox;
  for (int i = 1; i <= 1500; ++i) mailbox.Push(Numbered(i));
  Take(mailbox);
  CHECK(mailbox.TakeOverload() == 1499);
  while (Take(mailbox) != 0) {
  }
  CHECK(!mailbox.KeepsScheduled());

  for (int i = 1; i <= 1500; ++i) mailbox.Push(Numbered(i));
  Take(mailbox);

  CHECK(mailbox.TakeOverload() == 1499);
}

}  // namespace
}  // namespace skysim
