// What a story does by hand: cuts streams at exact bytes, and delivers, drops or holds one message.

#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/simnet/network/fixture.h"

namespace skysim {
namespace {

using Chunks = std::vector<std::string>;

constexpr int64_t kRetryNs = 201 * kMs;
constexpr int64_t kDelay = kMs / 2;

Chunks ChunksOf(TestNode& node, EndpointId endpoint) {
  Chunks chunks;
  for (const auto& [time, bytes] : node.seen[endpoint].chunks) chunks.push_back(bytes);
  return chunks;
}

std::vector<std::string> Kinds(Network& network) {
  std::vector<std::string> kinds;
  for (const MessageInFlight& message : network.ListInFlight()) kinds.push_back(message.kind);
  return kinds;
}

// -- Cuts -----------------------------------------------------------------------------------------

TEST_CASE("held bytes come one at a time, or in pieces") {
  for (const auto& [bytes, expected] :
       std::vector<std::pair<uint64_t, Chunks>>{{1, {"o", "n", "e", "t", "w", "o"}},
                                                {4, {"onet", "wo"}},
                                                {6, {"onetwo"}}}) {
    TestNetwork net;
    const auto [client, server] = net.Open();
    REQUIRE(net.network.Hold("a", "b").ok());
    net.a.Send(client, "one");
    net.RunFor(2 * kMs);
    net.a.Send(client, "two");
    net.RunFor(2 * kMs);
    REQUIRE(net.network.Release("a", "b", {false, bytes, {}}).ok());
    net.RunFor(kMs);
    net.a.Send(client, "later");
    net.RunFor(kMs);

    Chunks all = expected;
    all.push_back("later");
    CHECK(ChunksOf(net.b, server) == all);
  }
}

TEST_CASE("held bytes of each connection are cut where the release says") {
  TestNetwork net;
  const auto [first, first_server] = net.Open();
  const auto [second, second_server] = net.Open();
  REQUIRE(net.network.Hold("a", "b").ok());
  net.a.Send(first, "abcdef");
  net.RunFor(kMs);
  net.a.Send(second, "ghij");
  net.a.transport->Close(second);
  net.RunFor(kMs);
  REQUIRE(net.network.Release("a", "b", {false, 0, {1, 3}}).ok());
  net.RunFor(kMs);

  CHECK(ChunksOf(net.b, first_server) == Chunks{"a", "bc", "def"});
  CHECK(ChunksOf(net.b, second_server) == Chunks{"g", "hi", "j"});
  CHECK(net.b.seen[second_server].is_ended);
}

TEST_CASE("a header of four bytes arrives in each way that it can be cut") {
  for (const std::vector<uint64_t>& lengths :
       std::vector<std::vector<uint64_t>>{{1, 3}, {2, 2}, {3, 1}, {1, 1, 1, 1}, {1, 2, 1}, {4}}) {
    TestNetwork net;
    const auto [client, server] = net.Open();
    net.a.Send(client, "before");
    REQUIRE(net.network.Cut("a", "b", lengths).ok());
    net.a.Send(client, "headbody");
    net.RunFor(kMs);
    net.a.Send(client, "next");
    net.RunFor(kMs);

    Chunks expected = {"before"};
    size_t place = 0;
    for (uint64_t length : lengths) {
      expected.push_back(std::string("head").substr(place, length));
      place += length;
    }
    expected.insert(expected.end(), {"body", "next"});
    CHECK(ChunksOf(net.b, server) == expected);
  }
}

TEST_CASE("a cut is for the connection that writes next, and for one direction") {
  TestNetwork net;
  const auto [first, first_server] = net.Open();
  const auto [second, second_server] = net.Open();
  REQUIRE(net.network.Cut("a", "b", {1}).ok());
  net.b.Send(first_server, "back");
  net.RunFor(kMs);
  net.a.Send(second, "second");
  net.a.Send(first, "first");
  net.RunFor(kMs);

  CHECK(ChunksOf(net.a, first) == Chunks{"back"});
  CHECK(ChunksOf(net.b, second_server) == Chunks{"s", "econd"});
  CHECK(ChunksOf(net.b, first_server) == Chunks{"first"});
}

// -- Messages in flight ---------------------------------------------------------------------------

TEST_CASE("what is in flight is listed: a handshake, then data, then the end") {
  TestNetwork net;
  const EndpointId client = net.a.Connect("b", 80);
  CHECK(Kinds(net.network) == Chunks{"syn"});
  net.RunFor(kDelay);
  CHECK(Kinds(net.network) == Chunks{"syn-ack"});
  net.RunFor(kDelay);
  CHECK(Kinds(net.network) == Chunks{"ack"});
  net.RunFor(kMs);
  CHECK(net.network.ListInFlight().empty());
  const int64_t sent = net.events.NowNs();
  net.a.Send(client, "hello");
  net.RunFor(kDelay / 2);
  net.a.transport->Close(client);

  const std::vector<MessageInFlight> list = net.network.ListInFlight();
  REQUIRE(list.size() == 2);
  CHECK(list[0].kind == std::string("data"));
  CHECK(list[0].from == "a");
  CHECK(list[0].to == "b");
  CHECK(list[0].bytes == 5);
  CHECK(list[0].sent_ns == sent);
  CHECK(list[0].arrival_ns == sent + kDelay);
  CHECK(list[0].connection == net.network.Connections()[0].serial);
  CHECK(list[1].kind == std::string("fin"));
  CHECK(list[1].has_fin);
  CHECK(net.network.ListInFlight()[0].id == list[0].id);  // ids stay
}

TEST_CASE("a message that is delivered by hand takes no more time") {
  TestNetwork net;
  net.network.DefaultLink().delay.min_ns = 100 * kMs;
  const EndpointId client = net.a.Connect("b", 80);
  net.RunFor(kS);
  const int64_t sent = net.events.NowNs();
  net.a.Send(client, "one");
  net.RunFor(10 * kMs);
  net.a.Send(client, "two");
  net.RunFor(10 * kMs);
  const std::vector<MessageInFlight> list = net.network.ListInFlight();
  REQUIRE(list.size() == 2);
  REQUIRE(net.network.Deliver(list[1].id).ok());  // not before "one"
  net.RunFor(kMs);
  CHECK(net.b.seen[net.b.last].chunks.empty());
  REQUIRE(net.network.Deliver(list[0].id).ok());
  net.RunFor(kMs);

  REQUIRE(net.b.seen[net.b.last].chunks.size() == 1);
  CHECK(net.b.seen[net.b.last].chunks[0].first == sent + 21 * kMs);
  CHECK(net.network.Deliver(list[0].id).message() ==
        "message " + std::to_string(list[0].id) + " is not in flight");
}

TEST_CASE("a dropped segment comes again, and what was behind it does not overtake it") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  const int64_t sent = net.events.NowNs();
  net.a.Send(client, "one");
  net.RunFor(kDelay / 4);
  net.a.Send(client, "two");
  net.RunFor(kDelay / 4);
  net.a.Send(client, "three");
  REQUIRE(net.network.Drop(net.network.ListInFlight()[1].id).ok());
  CHECK(net.network.ListInFlight().size() == 1);
  net.RunFor(10 * kS);

  CHECK(ChunksOf(net.b, server) == Chunks{"one", "twothree"});
  CHECK(net.b.seen[server].chunks[1].first == sent + kDelay / 4 + kRetryNs + kDelay);
}

TEST_CASE("a message held by hand waits, and what is behind it in its stream") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  const auto [other, other_server] = net.Open();
  net.a.Send(client, "one");
  const uint64_t id = net.network.ListInFlight()[0].id;
  REQUIRE(net.network.HoldMessage(id).ok());
  net.RunFor(10 * kS);
  net.a.Send(client, "two");
  net.a.Send(other, "other");
  net.RunFor(10 * kS);

  CHECK(net.b.seen[server].chunks.empty());
  CHECK(ChunksOf(net.b, other_server) == Chunks{"other"});
  CHECK(net.network.ListInFlight()[0].is_held);
  REQUIRE(net.network.ReleaseMessage(id).ok());
  net.RunFor(kMs);
  CHECK(net.b.seen[server].bytes == "onetwo");
  CHECK(net.a.seen[client].events.size() == 1);
}

TEST_CASE("what a held link keeps is delivered one by one, in any order of the connections") {
  TestNetwork net;
  const auto [first, first_server] = net.Open();
  const auto [second, second_server] = net.Open();
  REQUIRE(net.network.Hold("a", "b").ok());
  net.a.Send(first, "first");
  net.RunFor(kMs);
  net.a.Send(second, "second");
  net.RunFor(kMs);
  net.a.Send(first, " again");
  net.RunFor(kMs);
  const std::vector<MessageInFlight> list = net.network.ListInFlight();
  REQUIRE(list.size() == 3);
  REQUIRE(net.network.Deliver(list[1].id).ok());
  net.RunFor(kMs);
  CHECK(net.b.seen[second_server].bytes == "second");
  CHECK(net.b.seen[first_server].bytes.empty());
  REQUIRE(net.network.Deliver(list[0].id).ok());
  net.RunFor(kMs);
  CHECK(net.b.seen[first_server].bytes == "first");

  REQUIRE(net.network.Release("a", "b", {}).ok());
  net.RunFor(kMs);
  CHECK(net.b.seen[first_server].bytes == "first again");
}

TEST_CASE("a dropped SYN is sent again after a second, a dropped SYN-ACK too") {
  for (const int64_t when : {int64_t{0}, kDelay}) {
    TestNetwork net;
    const EndpointId client = net.a.Connect("b", 80);
    net.RunUntil(when);
    REQUIRE(net.network.Drop(net.network.ListInFlight()[0].id).ok());
    net.RunFor(100 * kS);

    REQUIRE(net.a.seen[client].events.size() == 1);
    CHECK(net.a.seen[client].times[0] == kS + 2 * kDelay);
    CHECK(net.b.accepted.size() == 1);
  }
}

TEST_CASE("a held SYN waits for its release, or times out") {
  TestNetwork net;
  const EndpointId client = net.a.Connect("b", 80), late = net.a.Connect("b", 80);
  for (const MessageInFlight& message : net.network.ListInFlight()) {
    REQUIRE(net.network.HoldMessage(message.id).ok());
  }
  net.RunFor(20 * kS);
  REQUIRE(net.network.ReleaseMessage(net.network.ListInFlight()[0].id).ok());
  net.RunFor(1000 * kS);

  CHECK(net.a.seen[client].times[0] == 20 * kS + kDelay);  // the SYN-ACK
  CHECK(net.a.seen[late].events == std::vector<std::string>{"Connection timed out"});
}

TEST_CASE("datagrams are held, released, delivered out of order and dropped") {
  TestNetwork net;
  const auto from = net.a.transport->OpenUdp("", 0), to = net.b.transport->OpenUdp("", 99);
  for (const char* text : {"one", "two", "three", "four"}) {
    net.a.transport->SendTo(*from, {"10.0.0.2", 99}, text);
  }
  const std::vector<MessageInFlight> list = net.network.ListInFlight();
  REQUIRE(list.size() == 4);
  CHECK(list[3].kind == std::string("datagram"));
  CHECK(list[3].bytes == 4);
  REQUIRE(net.network.HoldMessage(list[0].id).ok());
  REQUIRE(net.network.Drop(list[1].id).ok());
  REQUIRE(net.network.Deliver(list[3].id).ok());
  net.RunFor(kMs);
  REQUIRE(net.network.ReleaseMessage(list[0].id).ok());
  net.RunFor(kMs);

  Chunks received;
  for (auto datagram = net.b.transport->ReceiveFrom(*to); datagram.ok();
       datagram = net.b.transport->ReceiveFrom(*to)) {
    received.push_back(datagram->bytes);
  }
  CHECK(received == Chunks{"four", "three", "one"});
  CHECK(net.network.Drop(list[1].id).message() ==
        "message " + std::to_string(list[1].id) + " is not in flight");
}

}  // namespace
}  // namespace skysim
