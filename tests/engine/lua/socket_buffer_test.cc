#include "engine/lua/socket_buffer.h"

#include <cstring>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/core/socket_fixture.h"

namespace skysim {
namespace {

struct Received {
  void Push(absl::string_view text) {
    char* block = static_cast<char*>(memory.Allocate(text.size() + 1));
    std::memcpy(block, text.data(), text.size());
    buffer.Push(block, text.size());
  }
  std::string Take(size_t size) {
    std::string bytes(buffer.Peek(size));
    buffer.Drop(size);
    return bytes;
  }
  CountingMemory memory;
  SocketBuffer buffer{memory};
};

TEST_CASE("socket buffer gives bytes back in order, whatever the blocks and the reads") {
  const std::string text = "The quick brown fox jumps over the lazy dog";
  for (size_t block = 1; block <= text.size(); ++block) {
    for (size_t read = 1; read <= text.size(); ++read) {
      Received received;
      for (size_t i = 0; i < text.size(); i += block) received.Push(text.substr(i, block));
      std::string all;

      while (received.buffer.size() >= read) all += received.Take(read);
      all += received.Take(received.buffer.size());

      REQUIRE(all == text);
    }
  }
}

TEST_CASE("socket buffer reads out of one block without a copy") {
  Received received;
  received.Push("abcdef");

  const char* first = received.buffer.Peek(2).data();
  received.buffer.Drop(2);

  CHECK(received.buffer.Peek(3).data() == first + 2);
}

TEST_CASE("socket buffer finds a separator across any cut of the blocks") {
  const std::string text = "ab\r\r\n\r\ncd\r\n\r\nef";  // "\r\n\r\n" at 3 and 9
  for (size_t block = 1; block <= text.size(); ++block) {
    Received received;
    for (size_t i = 0; i < text.size(); i += block) received.Push(text.substr(i, block));

    REQUIRE(received.buffer.Find("\r\n\r\n") == 3u);
    REQUIRE(received.Take(3) == "ab\r");
    received.buffer.Drop(4);
    REQUIRE(received.buffer.Find("\r\n\r\n") == 2u);
    received.buffer.Drop(6);
    REQUIRE_FALSE(received.buffer.Find("\r\n\r\n").has_value());
    REQUIRE(received.Take(received.buffer.size()) == "ef");
  }
}

TEST_CASE("socket buffer finds a separator that arrives byte by byte between searches") {
  Received received;
  std::vector<size_t> found;
  const std::string text = "xx--x-->yy-->";
  for (char byte : text) {
    received.Push(std::string(1, byte));
    if (std::optional<size_t> at = received.buffer.Find("-->")) {
      found.push_back(*at);
      received.buffer.Drop(*at + 3);
    }
  }

  CHECK(found == std::vector<size_t>{5, 2});
}

TEST_CASE("socket buffer seeks another separator from the beginning") {
  Received received;
  received.Push("one,two\nthree");

  CHECK_FALSE(received.buffer.Find(";").has_value());
  CHECK(received.buffer.Find(",") == 3u);
  CHECK(received.buffer.Find("\n") == 7u);
  received.buffer.Drop(4);
  CHECK(received.buffer.Find("\n") == 3u);
  CHECK_FALSE(received.buffer.Find(",").has_value());
}

TEST_CASE("socket buffer frees its blocks on clear and at its end") {
  Received received;
  received.Push("a");
  received.Push("");
  received.Push("b");

  received.buffer.Clear();

  CHECK(received.memory.blocks == 0);
  CHECK(received.buffer.size() == 0);
  received.Push("freed by the destructor");
}

}  // namespace
}  // namespace skysim
