#include "engine/core/message.h"

#include <string>
#include <utility>

#include "catch2/catch_test_macros.hpp"
#include "engine/core/mailbox.h"
#include "tests/engine/lua/counting_memory.h"

namespace skysim {
namespace {

TEST_CASE("a shared payload is one block, freed with the last that has it") {
  CountingMemory memory;
  {
    Payload first = Payload::Copy(memory, "bytes");
    Payload second = first.Share();
    Payload third = second.Share();

    CHECK(second.data() == first.data());
    CHECK(third.bytes() == "bytes");
    first = Payload();
    second = std::move(third);
    CHECK(second.bytes() == "bytes");
    CHECK(memory.live() == 2);  // the bytes, and their count
  }
  CHECK(memory.live() == 0);
}

TEST_CASE("sharing nothing gives nothing") {
  Payload empty;

  CHECK(empty.Share().data() == nullptr);
  CHECK(empty.Share().size() == 0);
}

TEST_CASE("a block that others hold is released as a copy, which its owner may change") {
  CountingMemory memory;
  Payload first = Payload::Copy(memory, "bytes");
  Payload second = first.Share();

  char* own = second.Release();
  own[0] = 'B';

  CHECK(std::string(own) == "Bytes");
  CHECK(first.bytes() == "bytes");
  memory.Free(own);
  first = Payload();
  CHECK(memory.live() == 0);
}

TEST_CASE("a message that is dropped with its mailbox leaves its shared block") {
  CountingMemory memory;
  {
    Mailbox mailbox;
    Payload payload = Payload::Copy(memory, "bytes");
    for (int i = 0; i < 3; ++i) {
      Message message;
      message.type = MessageType::kMulticast;
      message.payload = payload.Share();
      mailbox.Push(std::move(message));
    }
    payload = Payload();
    CHECK(memory.live() == 2);
  }
  CHECK(memory.live() == 0);
}

TEST_CASE("a reply is expected to a request only, and a multicast message is none") {
  CHECK(ExpectsReply(MessageType::kLua, 1));
  CHECK(!ExpectsReply(MessageType::kLua, 0));
  CHECK(!ExpectsReply(MessageType::kResponse, 1));
  CHECK(!ExpectsReply(MessageType::kError, 1));
  CHECK(!ExpectsReply(MessageType::kMulticast, 256));
}

}  // namespace
}  // namespace skysim
