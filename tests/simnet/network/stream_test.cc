// A calm network: connecting, bytes, ends, and the socket calls around them.

#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/simnet/network/fixture.h"

namespace skysim {
namespace {

using Events = std::vector<std::string>;

TEST_CASE("a connect takes one round trip, an accept half of one more") {
  TestNetwork net;

  const EndpointId client = net.a.Connect("b", 80);
  CHECK(net.a.seen[client].events.empty());  // never inside the call
  net.RunFor(1 * kS);

  REQUIRE(net.a.seen[client].events == Events{"connected 10.0.0.2:80"});
  CHECK(net.a.seen[client].times[0] == 1 * kMs);  // SYN + SYN-ACK
  REQUIRE(net.b.seen[net.b.last].events == Events{"accepted 10.0.0.1:49152"});
  CHECK(net.b.seen[net.b.last].times[0] == kMs * 3 / 2);
}

TEST_CASE("bytes arrive in order, one delay later") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  const int64_t start = net.events.NowNs();

  net.a.Send(client, "hello ");
  net.a.Send(client, "world");
  net.b.Send(server, "hi");
  net.RunFor(1 * kS);

  CHECK(net.b.seen[server].bytes == "hello world");
  CHECK(net.b.seen[server].chunks.size() == 1);  // same arrival time: one chunk
  CHECK(net.b.seen[server].chunks[0].first == start + kMs / 2);
  CHECK(net.a.seen[client].bytes == "hi");
}

TEST_CASE("bytes written at different times arrive as different chunks") {
  TestNetwork net;
  const auto [client, server] = net.Open();

  net.a.Send(client, "one");
  net.RunFor(1 * kMs);
  net.a.Send(client, "two");
  net.RunFor(1 * kMs);

  REQUIRE(net.b.seen[server].chunks.size() == 2);
}

TEST_CASE("a reader gets what its buffer takes and is asked again") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.b.read_bytes = 64;

  net.a.Send(client, std::string(1000, 'x'));
  net.RunFor(1 * kS);

  CHECK(net.b.seen[server].bytes.size() == 1000);
  CHECK(net.b.seen[server].chunks.size() == 16);
}

TEST_CASE("an unread stream fills the receive window and the send buffer, then moves again") {
  TestNetwork net;
  net.b.reads = false;
  const auto [client, server] = net.Open();
  const LinkConfig config = net.network.DefaultLink();

  net.a.Send(client, std::string(8 << 20, 'x'));
  net.RunFor(10 * kS);

  const uint64_t taken = (8 << 20) - net.a.seen[client].pending.size();
  // A socket is called writable from a third of free buffer on, so up to a third may stay free.
  CHECK(taken <= config.receive_window_bytes + config.send_buffer_bytes);
  CHECK(taken > config.receive_window_bytes + config.send_buffer_bytes * 2 / 3);

  net.b.transport->SetReading(server, true);
  net.RunFor(10 * kS);

  CHECK(net.a.seen[client].pending.empty());
  CHECK(net.b.seen[server].bytes.size() == 8 << 20);
}

TEST_CASE("tiny buffers carry everything") {
  TestNetwork net;
  net.network.DefaultLink().send_buffer_bytes = 7;
  net.network.DefaultLink().receive_window_bytes = 5;
  net.b.read_bytes = 3;
  const auto [client, server] = net.Open();
  std::string text;
  for (int i = 0; i < 500; ++i) text += std::to_string(i) + " ";

  net.a.Send(client, text);
  net.RunFor(100 * kS);

  CHECK(net.b.seen[server].bytes == text);
}

TEST_CASE("nobody waits: no connect, no event") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.a.Send(client, "x");
  net.RunFor(1 * kS);

  CHECK(net.events.IsEmpty());  // no acknowledgement, no keepalive, no timer
}

TEST_CASE("a closed port refuses") {
  TestNetwork net;

  const EndpointId client = net.a.Connect("10.0.0.2", 81);
  net.RunFor(1 * kS);

  CHECK(net.a.seen[client].events == Events{"Connection refused"});
  CHECK(net.a.seen[client].times[0] == 1 * kMs);
  CHECK(net.network.Connections().empty());
}

TEST_CASE("an unknown name fails to resolve") {
  TestNetwork net;

  const EndpointId client = net.a.Connect("nowhere", 80);
  CHECK(net.a.seen[client].events.empty());
  net.RunFor(1 * kS);

  CHECK(net.a.seen[client].events == Events{"Name or service not known"});
  CHECK(net.a.transport->ResolveHost("nowhere").status().message() == "Name or service not known");
  CHECK(net.a.transport->ResolveHost("b")->front() == "10.0.0.2");
}

// Linux: three ARP requests, one second apart, then EHOSTUNREACH.
TEST_CASE("an address that no host has gives no route after three seconds") {
  TestNetwork net;

  const EndpointId client = net.a.Connect("10.9.9.9", 80);
  net.RunFor(10 * kS);

  CHECK(net.a.seen[client].events == Events{"No route to host"});
  CHECK(net.a.seen[client].times[0] == 3 * kS);
}

TEST_CASE("a host reaches itself by loopback and by its own address, quickly") {
  TestNetwork net;

  for (const char* host : {"127.0.0.1", "localhost", "10.0.0.2", "b"}) {
    const int64_t start = net.events.NowNs();
    const EndpointId client = net.b.Connect(host, 80);
    net.RunFor(1 * kMs);
    REQUIRE(net.b.seen[client].times.size() == 1);
    CHECK(net.b.seen[client].times[0] == start + 40'000);  // two loopback delays
    net.b.Send(net.b.accepted.back(), "to client");
    net.RunFor(1 * kMs);
    CHECK(net.b.seen[client].bytes == "to client");
  }
}

TEST_CASE("a listener on loopback is closed to others") {
  TestNetwork net;
  REQUIRE(net.b.transport->Listen("127.0.0.1", 90, 5).ok());

  const EndpointId other = net.a.Connect("b", 90), own = net.b.Connect("127.0.0.1", 90);
  net.RunFor(1 * kS);

  CHECK(net.a.seen[other].events == Events{"Connection refused"});
  CHECK(net.b.seen[own].events == Events{"connected 127.0.0.1:90"});
}

TEST_CASE("a port is listened on once per address, and port 0 takes a free one") {
  TestNetwork net;

  CHECK(net.b.transport->Listen("10.0.0.2", 80, 5).status().message() == "Address already in use");
  CHECK(net.b.transport->Listen("10.0.0.1", 81, 5).status().message() ==
        "Cannot assign requested address");
  const auto first = net.b.transport->Listen("", 0, 5), second = net.b.transport->Listen("", 0, 5);
  REQUIRE(first.ok());
  CHECK(first->address.port == 49152);
  CHECK(second->address.port == 49153);

  net.b.transport->Close(first->endpoint);
  CHECK(net.b.transport->Listen("10.0.0.2", 49152, 5).ok());
}

TEST_CASE("closing ends the stream after what was written, and both ends are forgotten") {
  TestNetwork net;
  const auto [client, server] = net.Open();

  net.a.Send(client, "bye");
  net.a.transport->Close(client);
  net.RunFor(1 * kS);
  CHECK(net.b.seen[server].bytes == "bye");
  CHECK(net.b.seen[server].events.back() == "end");
  CHECK(net.network.Connections().size() == 1);

  net.b.transport->Close(server);
  net.RunFor(1 * kS);
  CHECK(net.network.Connections().empty());
  CHECK(net.events.IsEmpty());
}

TEST_CASE("after a half-close the other direction still carries bytes") {
  TestNetwork net;
  const auto [client, server] = net.Open();

  net.a.Send(client, "question");
  net.a.transport->ShutdownWrite(client);
  CHECK(net.a.WriteError(client) == "Broken pipe");
  net.RunFor(1 * kS);
  CHECK(net.b.seen[server].events.back() == "end");
  net.b.Send(server, "answer");
  net.b.transport->Close(server);
  net.RunFor(1 * kS);

  CHECK(net.a.seen[client].bytes == "answer");
  CHECK(net.a.seen[client].events == Events{"connected 10.0.0.2:80", "end", "hang-up"});
}

TEST_CASE("closing with unread bytes resets the peer") {
  TestNetwork net;
  net.b.reads = false;
  const auto [client, server] = net.Open();

  net.a.Send(client, "unread");
  net.RunFor(1 * kS);
  net.b.transport->Close(server);
  net.RunFor(1 * kS);

  CHECK(net.a.seen[client].events ==
        Events{"connected 10.0.0.2:80", "error: Connection reset by peer", "end", "hang-up"});
  CHECK(net.a.WriteError(client) == "Broken pipe");
}

// Linux, tcp_reset(): EPIPE in CLOSE_WAIT, and the end of the stream stays readable.
TEST_CASE("the first write to a closed peer succeeds and draws a RST, the next fails") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.b.transport->Close(server);
  net.RunFor(1 * kS);
  CHECK(net.a.seen[client].events.back() == "end");

  CHECK(net.a.WriteError(client).empty());
  net.RunFor(1 * kS);

  CHECK(net.a.seen[client].events.back() == "broken: Broken pipe");
  CHECK(net.a.WriteError(client) == "Broken pipe");
}

TEST_CASE("bytes that came before a RST can still be read, then the error comes once") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.a.transport->SetReading(client, false);
  net.b.Send(server, "last words");
  net.RunFor(1 * kMs);
  CHECK(*net.network.ResetConnections("a", "b") == 1);
  net.a.transport->SetReading(client, true);
  net.RunFor(1 * kMs);

  CHECK(net.a.seen[client].bytes == "last words");
  CHECK(net.a.seen[client].events ==
        Events{"connected 10.0.0.2:80", "error: Connection reset by peer", "end", "hang-up"});
  CHECK(net.b.seen[server].events.back() == "hang-up");
}

TEST_CASE("a RST is reported although nothing is asked for") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.a.transport->SetReading(client, false);

  REQUIRE(net.network.ResetConnections("a", "b").ok());
  net.RunFor(1 * kMs);

  CHECK(net.a.seen[client].events.back() == "broken: Connection reset by peer");
}

TEST_CASE("closing a listener resets who waits in its queue") {
  TestNetwork net;
  net.b.accepts = false;
  const EndpointId client = net.a.Connect("b", 80);
  net.RunFor(1 * kS);

  net.b.transport->Close(net.listener);
  net.RunFor(1 * kS);

  CHECK(net.a.seen[client].events[1] == "error: Connection reset by peer");
}

TEST_CASE("bytes wait for a connection to be accepted") {
  TestNetwork net;
  net.b.accepts = false;
  const EndpointId client = net.a.Connect("b", 80);
  net.RunFor(1 * kS);
  net.a.Send(client, "early");
  net.RunFor(1 * kS);

  net.b.accepts = true;
  net.b.transport->SetReading(net.listener, true);
  net.RunFor(1 * kS);

  CHECK(net.b.seen[net.b.last].bytes == "early");
}

// Linux: the queue holds backlog + 1; a SYN beyond is dropped and comes again after a second.
TEST_CASE("a full backlog drops the SYN, and the client comes again") {
  TestNetwork net;
  net.b.accepts = false;
  const EndpointId listener = net.b.Listen(81, /*backlog=*/1);
  std::vector<EndpointId> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(net.a.Connect("b", 81));

  net.RunFor(kS / 2);
  CHECK(net.a.seen[clients[1]].events.size() == 1);
  CHECK(net.a.seen[clients[2]].events.empty());

  net.b.accepts = true;
  net.b.transport->SetReading(listener, true);
  net.RunFor(1 * kS);
  REQUIRE(net.a.seen[clients[2]].times.size() == 1);
  CHECK(net.a.seen[clients[2]].times[0] == 1 * kS + 1 * kMs);
  CHECK(*net.network.AcceptedConnections("a", "b") == 3);
}

TEST_CASE("each delivery is an event with its link, size and cause") {
  TestNetwork net;
  const auto [client, server] = net.Open();

  net.a.transport->SetCause(77);
  net.a.Send(client, "12345");
  net.RunFor(1 * kS);

  REQUIRE(net.b.recorded.size() == 1);
  CHECK(net.b.recorded[0].first.kind == EventKind::kSegment);
  CHECK(net.b.recorded[0].first.size == 5);
  CHECK(net.b.recorded[0].first.cause == 77);
  CHECK(net.b.recorded[0].second == "a>b");
  CHECK(net.b.causes == std::vector<uint64_t>{1});  // the index of that event, while it is read
}

TEST_CASE("wrong names are told with the name in it") {
  TestNetwork net;

  CHECK(net.network.Partition("a", "c").message() == "no host is called \"c\"");
  CHECK(net.network.AddHost("c", "10.0.0").message() ==
        "host \"c\": \"10.0.0\" is no IPv4 or IPv6 address");
  CHECK(net.network.AddHost("c", "10.0.0.1").message() ==
        "host \"c\": 10.0.0.1 belongs to \"a\"");
  CHECK(net.network.AddHost("a", "10.0.0.3").message() == "host \"a\" is there already");
}

TEST_CASE("a UDP datagram arrives whole, with its sender") {
  TestNetwork net;
  const auto from = net.a.transport->OpenUdp("", 0);
  const auto to = net.b.transport->OpenUdp("0.0.0.0", 99);

  CHECK(net.a.transport->SendTo(*from, {"10.0.0.2", 99}, "ping").size == 4);
  CHECK(net.a.transport->SendTo(*from, {"10.0.0.2", 99}, std::string(65508, 'x')).error ==
        "Message too long");
  net.RunFor(1 * kS);

  const auto datagram = net.b.transport->ReceiveFrom(*to);
  REQUIRE(datagram.ok());
  CHECK(datagram->bytes == "ping");
  CHECK(datagram->from == Address{"10.0.0.1", 49152});
  CHECK_FALSE(net.b.transport->ReceiveFrom(*to).ok());
}

}  // namespace
}  // namespace skysim
