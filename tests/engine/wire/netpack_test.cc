#include "engine/wire/netpack.h"

#include <cstdint>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

using Frames = std::vector<std::string>;

class Splitting {
 public:
  // The frames that these bytes complete.
  Frames Feed(absl::string_view bytes) {
    Frames frames;
    splitter.Feed(bytes, [&frames](absl::string_view frame) { frames.emplace_back(frame); });
    return frames;
  }

  NetpackSplitter splitter;
};

std::string Frame(const std::string& body) {
  char head[kNetpackHeadBytes];
  PutNetpackHead(body.size(), head);
  return std::string(head, sizeof(head)) + body;
}

}  // namespace

TEST_CASE("a splitter gives whole frames at once and keeps nothing") {
  Splitting s;

  CHECK(s.Feed(Frame("hello") + Frame("") + Frame("x")) == Frames{"hello", "", "x"});
  CHECK_FALSE(s.splitter.HasPartial());
  CHECK(s.Feed("") == Frames{});
}

TEST_CASE("a splitter waits for a frame that comes byte by byte, head included") {
  Splitting s;
  const std::string frame = Frame("ab");

  CHECK(s.Feed(frame.substr(0, 1)) == Frames{});
  CHECK(s.splitter.HasPartial());
  CHECK(s.Feed(frame.substr(1, 1)) == Frames{});
  CHECK(s.Feed(frame.substr(2, 1)) == Frames{});
  CHECK(s.Feed(frame.substr(3, 1)) == Frames{"ab"});
  CHECK_FALSE(s.splitter.HasPartial());
}

TEST_CASE("a splitter finds a zero-length frame that is split in its head") {
  Splitting s;

  CHECK(s.Feed(absl::string_view("\0", 1)) == Frames{});
  CHECK(s.Feed(absl::string_view("\0\0\1", 3)) == Frames{""});
  CHECK(s.Feed("z") == Frames{"z"});
}

TEST_CASE("a splitter carries frames of 65535 bytes") {
  Splitting s;
  const std::string body(65535, 'x');

  const std::string stream = Frame(body) + Frame(body);

  CHECK(s.Feed(stream.substr(0, 70000)) == Frames{body});
  CHECK(s.Feed(stream.substr(70000)) == Frames{body});
}

TEST_CASE("a cleared splitter begins a new stream") {
  Splitting s;
  s.Feed(Frame("abc").substr(0, 4));

  s.splitter.Clear();

  CHECK_FALSE(s.splitter.HasPartial());
  CHECK(s.Feed(Frame("new")) == Frames{"new"});
}

TEST_CASE("any segmentation gives the same frames") {
  uint32_t state = 1;
  const auto draw = [&state](uint32_t bound) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % bound;
  };
  Frames sent;
  std::string stream;
  for (int i = 0; i < 60; ++i) {
    const uint32_t size = draw(4) == 0 ? 0 : draw(draw(10) == 0 ? 65536 : 300);
    sent.push_back(std::string(size, static_cast<char>('a' + i % 26)));
    stream += Frame(sent.back());
  }
  for (int round = 0; round < 40; ++round) {
    Splitting s;
    Frames received;
    const uint32_t step_max = round == 0 ? 1 : 1 + draw(round % 2 == 0 ? 10 : 100000);
    for (size_t at = 0; at < stream.size();) {
      const size_t step = 1 + draw(step_max);
      for (const std::string& frame : s.Feed(absl::string_view(stream).substr(at, step))) {
        received.push_back(frame);
      }
      at += step;
    }
    CHECK(received == sent);
    CHECK_FALSE(s.splitter.HasPartial());
  }
}

}  // namespace skysim
