#include "engine/wire/cluster_codec.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/wire/hex.h"

namespace skysim {
namespace {

ClusterAddress Handle(uint32_t handle) {
  ClusterAddress address;
  address.handle = handle;
  return address;
}

ClusterAddress Name(absl::string_view name) {
  ClusterAddress address;
  address.name = name;
  return address;
}

ClusterFrames Request(ClusterAddress address, int64_t session, absl::string_view payload) {
  return BuildClusterRequest(ClusterIntent::kRequest, address, session, payload).value();
}

ClusterFrames Push(ClusterAddress address, int64_t session, absl::string_view payload) {
  return BuildClusterRequest(ClusterIntent::kPush, address, session, payload).value();
}

// What the parser gets: a frame without its length.
absl::string_view Body(const std::string& frame) { return absl::string_view(frame).substr(2); }

}  // namespace

TEST_CASE("cluster requests and pushes have the bytes of the annotated captures") {
  CHECK(Hex(Request(Handle(10), 3, Bytes("244543484f2c68656c6c6f0a2a09")).head) ==
        "0017000a00000003000000244543484f2c68656c6c6f0a2a09");
  CHECK(Hex(Request(Name("@echo"), 4, Bytes("244543484f2c68656c6c6f")).head) ==
        "00168005406563686f04000000244543484f2c68656c6c6f");
  CHECK(Hex(Request(Handle(0), 1, Bytes("246563686f")).head) ==
        "000e000000000001000000246563686f");
  CHECK(Hex(Push(Handle(10), 77, Bytes("1c4c454e1c616263")).head) ==
        "0011000a000000000000001c4c454e1c616263");
  CHECK(Hex(Push(Name("@echo"), 77, Bytes("1c4c454e1c616263")).head) ==
        "00138005406563686f000000001c4c454e1c616263");
  CHECK(Hex(BuildClusterTrace("(vm27252-db-23):00000008-1").value()) ==
        "001b0428766d32373235322d64622d3233293a30303030303030382d31");
  CHECK(Hex(BuildClusterTrace("").value()) == "000104");
}

TEST_CASE("a large request is a header and parts of 32768 bytes") {
  const std::string payload(102410, 'x');

  const ClusterFrames frames = Request(Handle(10), 7, payload);

  CHECK(Hex(frames.head) == "000d010a000000070000000a900100");
  REQUIRE(frames.parts.size() == 4);
  CHECK(Hex(frames.parts[0].substr(0, 7)) == "80050207000000");
  CHECK(Hex(frames.parts[2].substr(0, 7)) == "80050207000000");
  CHECK(Hex(frames.parts[3].substr(0, 7)) == "100f0307000000");
  CHECK(frames.parts[3].size() == 7 + 4106);
}

TEST_CASE("large headers tell names and pushes apart by their type byte") {
  const std::string payload(40007, 'x');

  CHECK(Hex(Request(Name("@echo"), 8, payload).head) == "000f8105406563686f08000000479c0000");
  CHECK(Hex(Push(Handle(10), 15, payload).head) == "000d410a0000000f000000479c0000");
  CHECK(Hex(Push(Name("@echo"), 16, payload).head) == "000fc105406563686f10000000479c0000");
}

TEST_CASE("requests are cut from exactly 32768 bytes on, replies from one more") {
  CHECK(Request(Handle(1), 1, std::string(32767, 'x')).parts.empty());
  CHECK(Request(Handle(1), 1, std::string(32768, 'x')).parts.size() == 1);
  CHECK(Request(Handle(1), 1, std::string(32769, 'x')).parts.size() == 2);
  CHECK(Request(Handle(1), 1, std::string(65536, 'x')).parts.size() == 2);

  CHECK(BuildClusterReply(1, std::string(32768, 'x'))->size() == 1);
  CHECK(BuildClusterReply(1, std::string(32769, 'x'))->size() == 3);
  CHECK(BuildClusterReply(1, std::string(65536, 'x'))->size() == 3);
  CHECK(BuildClusterReply(1, std::string(65537, 'x'))->size() == 4);
}

TEST_CASE("requests and large pushes take a session, and 2^31-1 is followed by 1") {
  const std::string large(32768, 'x');

  CHECK(Request(Handle(1), 5, "").session_next == 6);
  CHECK(Push(Handle(1), 5, "").session_next == 5);
  CHECK(Push(Handle(1), 5, large).session_next == 6);
  CHECK(Request(Handle(1), 0x7fffffff, "").session_next == 1);
  CHECK(Request(Handle(1), 0x7fffffff, large).session_next == 1);
  CHECK(Push(Handle(1), 0x7fffffff, "").session_next == 0x7fffffff);
}

TEST_CASE("cluster builders refuse what the wire cannot carry") {
  const auto refusal = [](ClusterAddress address, int64_t session, size_t bytes) {
    return std::string(
        MakeClusterHead(ClusterIntent::kRequest, address, session, bytes).status().message());
  };

  CHECK(refusal(Handle(1), 0, 0) == "Invalid request session 0, allowed are 1 to 2147483647");
  CHECK(refusal(Handle(1), -1, 0) == "Invalid request session -1, allowed are 1 to 2147483647");
  CHECK(refusal(Handle(1), 0x80000000, 0) ==
        "Invalid request session 2147483648, allowed are 1 to 2147483647");
  CHECK(refusal(Name(std::string(256, 'n')), 1, 0) ==
        "Invalid name: 256 bytes, allowed are 1 to 255");
  CHECK(refusal(Handle(1), 1, 0x80000000) ==
        "Message too large: 2147483648 bytes, allowed are 2147483647");
  CHECK(MakeClusterHead(ClusterIntent::kPush, Handle(1), 0, 0).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(BuildClusterTrace(std::string(32769, 't')).status().message() ==
        "Trace tag too long: 32769 bytes, allowed are 32768");
  CHECK(BuildClusterTrace(std::string(32768, 't'))->size() == 2 + 1 + 32768);
}

TEST_CASE("a head announces up to 2 GiB less one byte") {
  const ClusterHead head =
      MakeClusterHead(ClusterIntent::kRequest, Handle(1), 1, kClusterPayloadBytesMax).value();

  CHECK(Hex(head.view()) == "000d010100000001000000ffffff7f");
}

TEST_CASE("the longest frame that is produced has 33028 bytes") {
  const std::string name(255, 'n');

  const ClusterFrames frames = Request(Name(name), 1, std::string(32767, 'x'));

  CHECK(frames.head.size() == 2 + 33028);
  CHECK(ParseClusterRequest(Body(frames.head))->address.name == name);
}

TEST_CASE("parsing a request gives back what was built") {
  const std::string large(70000, 'x');

  const ClusterFrames small = Request(Name("@a"), 9, "payload");
  const ClusterRequest whole = ParseClusterRequest(Body(small.head)).value();
  CHECK(whole.kind == ClusterRequest::Kind::kWhole);
  CHECK(whole.address.name == "@a");
  CHECK(whole.session == 9);
  CHECK(whole.payload == "payload");
  CHECK_FALSE(whole.is_push);

  const ClusterFrames cut = Push(Handle(0xfffffffe), 9, large);
  const ClusterRequest header = ParseClusterRequest(Body(cut.head)).value();
  CHECK(header.kind == ClusterRequest::Kind::kHeader);
  CHECK(header.is_push);
  CHECK(header.address.handle == 0xfffffffe);
  CHECK(header.total == 70000);
  std::string joined;
  for (size_t i = 0; i < cut.parts.size(); ++i) {
    const ClusterRequest part = ParseClusterRequest(Body(cut.parts[i])).value();
    CHECK(part.session == 9);
    CHECK((part.kind == ClusterRequest::Kind::kLastPart) == (i + 1 == cut.parts.size()));
    joined.append(part.payload.data(), part.payload.size());
  }
  CHECK(joined == large);
}

TEST_CASE("a request in one frame is a push if and only if its session is 0") {
  CHECK(ParseClusterRequest(Bytes("000a00000000000000"))->is_push);
  CHECK_FALSE(ParseClusterRequest(Bytes("000a000000ffffffff"))->is_push);
  CHECK(ParseClusterRequest(Bytes("000a000000ffffffff"))->session == 0xffffffff);
  CHECK_FALSE(ParseClusterRequest(Bytes("010a0000000000000001000000"))->is_push);
}

TEST_CASE("malformed requests are refused with a text that says what they are") {
  const std::vector<std::pair<std::string, std::string>> frames = {
      {"", "Invalid cluster request of 0 bytes"},
      {"00", "Invalid cluster request of 1 bytes"},
      {"000a000000000000", "Invalid cluster request of 8 bytes"},
      {"80", "Invalid cluster request of 1 bytes"},
      {"800000000000", "Invalid cluster request of 6 bytes"},
      {"8005406563686f000000", "Invalid cluster request of 10 bytes"},
      {"80ff406563686f00000000", "Invalid cluster request of 11 bytes"},
      {"010a00000001000000000000", "Invalid cluster large request header of 12 bytes"},
      {"010a0000000100000000000000ff", "Invalid cluster large request header of 14 bytes"},
      {"8105406563686f08000000479c00", "Invalid cluster large request header of 14 bytes"},
      {"c100080000004700000000", "Invalid cluster large request header of 11 bytes"},
      {"010a0000000100000000000080",
       "Invalid cluster large request header: announces 2147483648 bytes, allowed are 2147483647"},
      {"0201000000", ""},
      {"02010000", "Invalid cluster request part of 4 bytes"},
      {"03010000", "Invalid cluster request part of 4 bytes"},
      {"050a00000000000000", "Invalid cluster request: unknown type 0x05"},
      {"400a00000000000000", "Invalid cluster request: unknown type 0x40"},
      {"c00a00000000000000", "Invalid cluster request: unknown type 0xc0"},
      {"ff0a00000000000000", "Invalid cluster request: unknown type 0xff"},
  };
  for (const auto& frame : frames) {
    INFO(frame.first);
    CHECK(ParseClusterRequest(Bytes(frame.first)).status().message() == frame.second);
  }
}

TEST_CASE("replies have the bytes of the annotated captures") {
  CHECK(Hex(BuildClusterReply(3, Bytes("2c68656c6c6f0a2a09")).value()[0]) ==
        "000e03000000012c68656c6c6f0a2a09");
  CHECK(Hex(BuildClusterReply(6, "").value()[0]) == "00050600000001");
  CHECK(Hex(BuildClusterError(2, "name not found")) ==
        "001302000000006e616d65206e6f7420666f756e64");
  CHECK(Hex(BuildClusterError(0, "Invalid name")) == "00110000000000496e76616c6964206e616d65");

  const std::vector<std::string> large = BuildClusterReply(7, std::string(102405, 'x')).value();
  REQUIRE(large.size() == 5);
  CHECK(Hex(large[0]) == "0009070000000205900100");
  CHECK(Hex(large[1].substr(0, 7)) == "80050700000003");
  CHECK(Hex(large[4].substr(0, 7)) == "100a0700000004");
}

TEST_CASE("an error text is cut at 32768 bytes") {
  const std::string frame = BuildClusterError(1, std::string(40000, 'e'));

  CHECK(ParseClusterReply(Body(frame))->payload == std::string(32768, 'e'));
}

TEST_CASE("a reply carries all 32 bits of the session") {
  const std::vector<std::string> frames = BuildClusterReply(0xffffffff, "x").value();

  CHECK(ParseClusterReply(Body(frames[0]))->session == 0xffffffff);
}

TEST_CASE("malformed replies are refused with a text that says what they are") {
  const std::vector<std::pair<std::string, std::string>> frames = {
      {"", "Invalid cluster response of 0 bytes"},
      {"03000000", "Invalid cluster response of 4 bytes"},
      {"0300000001", ""},
      {"0300000005", "Invalid cluster response: unknown type 5"},
      {"03000000ff", "Invalid cluster response: unknown type 255"},
      {"0300000002", "Invalid cluster large response header of 5 bytes"},
      {"0300000002000000", "Invalid cluster large response header of 8 bytes"},
      {"03000000020000000000", "Invalid cluster large response header of 10 bytes"},
      {"030000000200000080",
       "Invalid cluster large response header: announces 2147483648 bytes, allowed are "
       "2147483647"},
  };
  for (const auto& frame : frames) {
    INFO(frame.first);
    CHECK(ParseClusterReply(Bytes(frame.first)).status().message() == frame.second);
  }
}

TEST_CASE("requests and replies of every size around the limits come back whole") {
  uint32_t state = 7;
  const auto draw = [&state](uint32_t bound) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % bound;
  };
  std::vector<size_t> sizes = {0, 1, 32766, 32767, 32768, 32769, 65535, 65536, 65537, 98304, 98305};
  for (int i = 0; i < 50; ++i) sizes.push_back(draw(200000));
  for (const size_t size : sizes) {
    INFO(size);
    std::string payload(size, '\0');
    for (char& c : payload) c = static_cast<char>(draw(256));
    const int64_t session = 1 + draw(0x7fffffff);

    const ClusterFrames request = Request(Name("@n"), session, payload);
    std::string received(ParseClusterRequest(Body(request.head))->payload);
    for (const std::string& part : request.parts) {
      received += std::string(ParseClusterRequest(Body(part))->payload);
    }
    CHECK(received == payload);

    received.clear();
    const auto reply = BuildClusterReply(static_cast<uint32_t>(session), payload).value();
    for (const std::string& frame : reply) {
      const ClusterReply parsed = ParseClusterReply(Body(frame)).value();
      CHECK(parsed.session == static_cast<uint32_t>(session));
      received.append(parsed.payload.data(), parsed.payload.size());
    }
    CHECK(received == payload);
  }
}

}  // namespace skysim
