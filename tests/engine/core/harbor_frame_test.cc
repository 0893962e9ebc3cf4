#include "engine/core/harbor_frame.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/os/heap.h"
#include "tests/engine/wire/hex.h"

namespace skysim {
namespace {

// A frame as text: "source > type destination session: payload", numbers in hex but the session.
std::string Text(const HarborFrame& frame) {
  return absl::StrCat(absl::Hex(frame.source), " > ", static_cast<int>(frame.type), " ",
                      absl::Hex(frame.destination), " ", frame.session, ": ",
                      frame.payload.bytes());
}

using Texts = std::vector<std::string>;

class Decoding {
 public:
  // The frames that these bytes complete.
  Texts Feed(absl::string_view bytes) {
    Texts texts;
    status = decoder.Feed(bytes, [&](HarborFrame frame) { texts.push_back(Text(frame)); });
    return texts;
  }

  Heap heap;
  HarborFrameDecoder decoder{heap};
  absl::Status status;
};

std::string Encode(Handle source, Handle destination, MessageType type, int32_t session,
                   absl::string_view payload) {
  Heap heap;
  return std::string(
      EncodeHarborFrame(heap, source, destination, type, session, payload).bytes());
}

std::vector<std::string> Golden(const std::string& name) {
  std::ifstream file(absl::StrCat("tests/golden/harbor/", name, ".hex"));
  INFO(name);
  REQUIRE(file.good());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(Bytes(line));
  REQUIRE_FALSE(lines.empty());
  return lines;
}

}  // namespace

TEST_CASE("a frame has its trailer at the end and the type in the destination's high byte") {
  CHECK(Hex(Encode(0x02000006, 0x01000008, MessageType::kLua, 2, "\x34REPORT")) ==
        "00000013" "345245504f5254" "02000006" "0a000008" "00000002");
  CHECK(Hex(Encode(0x02ffff00, 0x01000009, MessageType::kError, 0x1d, "")) ==
        "0000000c" "02ffff00" "07000009" "0000001d");
}

TEST_CASE("a decoder gives what was encoded, without the destination's harbor id") {
  Decoding d;

  CHECK(d.Feed(Encode(0xc8000006, 0xff000008, MessageType::kLua, 0x7fffffff, "hello") +
               Encode(1, 2, MessageType::kResponse, 0, "")) ==
        Texts{"c8000006 > 10 8 2147483647: hello", "1 > 1 2 0: "});
  CHECK_FALSE(d.decoder.HasPartial());
}

TEST_CASE("a stream of frames may be split anywhere") {
  const std::string stream = Encode(0x01000001, 2, MessageType::kLua, 3, "four") +
                             Encode(0x01000005, 6, MessageType::kError, 7, "") +
                             Encode(0x01000008, 9, MessageType::kText, 0, std::string(70, 'x'));
  const Texts all = {"1000001 > 10 2 3: four", "1000005 > 7 6 7: ",
                     absl::StrCat("1000008 > 0 9 0: ", std::string(70, 'x'))};
  for (size_t first = 0; first <= stream.size(); ++first) {
    for (size_t second = first; second <= stream.size(); ++second) {
      Decoding d;
      Texts got;
      for (absl::string_view part :
           {absl::string_view(stream).substr(0, first),
            absl::string_view(stream).substr(first, second - first),
            absl::string_view(stream).substr(second)}) {
        for (std::string& text : d.Feed(part)) got.push_back(std::move(text));
      }
      REQUIRE(got == all);
      REQUIRE_FALSE(d.decoder.HasPartial());
    }
  }
}

TEST_CASE("a decoder has a partial frame from its first byte to its last") {
  Decoding d;
  const std::string frame = Encode(1, 2, MessageType::kLua, 3, "ab");

  for (size_t i = 0; i + 1 < frame.size(); ++i) {
    CHECK(d.Feed(frame.substr(i, 1)).empty());
    CHECK(d.decoder.HasPartial());
  }
  CHECK(d.Feed(frame.substr(frame.size() - 1)) == Texts{"1 > 10 2 3: ab"});
  CHECK_FALSE(d.decoder.HasPartial());
}

TEST_CASE("a decoder with the fault of 2014 forgets the piece of a head that came before") {
  Heap heap;
  const std::string frame = Encode(1, 2, MessageType::kLua, 3, "ab");
  auto feed = [&](size_t cut) {
    HarborFrameDecoder decoder(heap, /*forgets_head_pieces=*/true);
    Texts texts;
    auto add = [&](HarborFrame decoded) { texts.push_back(Text(decoded)); };
    absl::Status status = decoder.Feed(frame.substr(0, cut), add);
    if (status.ok()) status = decoder.Feed(frame.substr(cut), add);
    return status.ok() ? texts : Texts{std::string(status.message())};
  };

  CHECK(feed(2) == Texts{});  // 0x000e and "ab": waits for 942434 bytes
  CHECK(feed(3) == Texts{"a frame of 241263104 bytes, but a frame has 12 to 16777215"});
  CHECK(feed(4) == Texts{"1 > 10 2 3: ab"});
}

TEST_CASE("a length that no frame has is refused as soon as it is there") {
  for (const auto& [head, bytes] : {std::pair<const char*, const char*>{"00000000", "0"},
                                    {"0000000b", "11"},
                                    {"01000000", "16777216"},
                                    {"ffffffff", "4294967295"}}) {
    Decoding d;

    CHECK(d.Feed(Encode(1, 2, MessageType::kLua, 3, "ok") + Bytes(head)) ==
          Texts{"1 > 10 2 3: ok"});
    CHECK(d.status.message() ==
          absl::StrCat("a frame of ", bytes, " bytes, but a frame has 12 to 16777215"));
  }
}

TEST_CASE("the largest frame passes") {
  Decoding d;
  const std::string payload(kHarborPayloadBytesMax, 'x');

  const std::string frame = Encode(1, 2, MessageType::kLua, 3, payload);

  CHECK(Hex(frame.substr(0, 4)) == "00ffffff");
  CHECK(d.Feed(frame) == Texts{absl::StrCat("1 > 10 2 3: ", payload)});
}

TEST_CASE("recorded frames are encoded as skynet did") {
  Heap heap;
  for (const char* name :
       {"harbor_slave2_joins.1to2", "harbor_slave2_joins.2to1", "harbor_call_by_name.1to2",
        "harbor_call_by_name.2to1", "harbor_call_by_handle.1to2", "harbor_call_by_handle.2to1",
        "harbor_send_by_handle.1to2", "harbor_call_error.1to2", "harbor_call_error.2to1",
        "harbor_call_bad_handle.1to2", "harbor_call_bad_handle.2to1",
        "harbor_send_bad_handle.1to2", "harbor_send_bad_handle.2to1", "harbor_call_100k.1to2",
        "harbor_call_100k.2to1", "harbor_call_empty_resp.1to2", "harbor_call_empty_resp.2to1",
        "harbor_call_back.1to2", "harbor_call_back.2to1", "harbor_traced.1to2",
        "harbor_traced.2to1", "harbor_slave2_killed.1to2", "harbor_after_kill.1to2",
        "harbor3_slave1_slave200.out", "harbor3_slave1_slave200.in", "harbor3_slave2_slave200.out",
        "harbor3_slave2_slave200.in"}) {
    HarborFrameDecoder decoder(heap);
    for (const std::string& frame : Golden(name)) {
      if (frame.size() == 1) continue;  // the handshake
      std::string again;
      absl::Status status = decoder.Feed(frame, [&](HarborFrame decoded) {
        again = EncodeHarborFrame(heap, decoded.source, decoded.destination, decoded.type,
                                  decoded.session, decoded.payload.bytes())
                    .bytes();
      });
      INFO(name << " " << Hex(frame.substr(0, 64)));
      CHECK(status.ok());
      CHECK(again == frame);
    }
  }
}

TEST_CASE("a frame on its way keeps its name, and gets its destination later") {
  Heap heap;
  Message message;
  message.source = 0x01000009;
  message.session = 18;
  message.type = MessageType::kLua;
  message.payload = Payload::Copy(heap, "hello");

  OutgoingFrame frame(heap, OutgoingFrame::Pack(heap, message, 0, "GNAME2"));
  CHECK(frame.name() == "GNAME2");
  CHECK(frame.destination() == 0);
  frame.SetDestination(0x02000008);

  CHECK(frame.destination() == 0x02000008);
  CHECK(frame.source() == 0x01000009);
  CHECK(frame.session() == 18);
  CHECK(frame.type() == MessageType::kLua);
  CHECK(frame.payload() == "hello");
  CHECK(frame.TakeFrame().bytes() ==
        Encode(0x01000009, 0x02000008, MessageType::kLua, 18, "hello"));
}

TEST_CASE("what no node packed is told from what one did") {
  Heap heap;
  Message message;
  message.payload = Payload::Copy(heap, "hello");
  const std::string packed(OutgoingFrame::Pack(heap, message, 0, "N").bytes());

  CHECK(OutgoingFrame::IsPacked(packed));
  CHECK(OutgoingFrame::IsPacked(packed.substr(0, packed.size() - 1)));  // without the name
  CHECK_FALSE(OutgoingFrame::IsPacked(packed.substr(0, packed.size() - 2)));
  CHECK_FALSE(OutgoingFrame::IsPacked(std::string(20, '\0')));  // a frame of 0 bytes
  CHECK_FALSE(OutgoingFrame::IsPacked(std::string(100, '\xff')));
  CHECK_FALSE(OutgoingFrame::IsPacked(""));
}

TEST_CASE("what is too large for the wire may still be on its way to a name") {
  Heap heap;
  Message message;
  const std::string bytes(kHarborPayloadBytesMax + 1, 'x');
  message.payload = Payload::Copy(heap, bytes);

  OutgoingFrame frame(heap, OutgoingFrame::Pack(heap, message, 0, "NAME"));

  CHECK_FALSE(frame.FitsOnWire());
  CHECK(frame.payload() == bytes);
}

}  // namespace skysim
