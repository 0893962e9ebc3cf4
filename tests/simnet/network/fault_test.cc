// What goes wrong, and exactly what a program sees of it. Figures are Linux's; the constants with
// their kernel names stand in pipe.cc and connection.cc.

#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/simnet/network/fixture.h"

namespace skysim {
namespace {

using Events = std::vector<std::string>;

// The first retransmission: 200 ms (TCP_RTO_MIN) above the round trip of 2 x 0.5 ms.
constexpr int64_t kRetryNs = 201 * kMs;
constexpr int64_t kDelay = kMs / 2;

// -- Partition ------------------------------------------------------------------------------------

TEST_CASE("bytes sent into a partition arrive with the first retransmission after it healed") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Partition("a", "b").ok());
  net.a.Send(client, "late");
  const int64_t sent = net.events.NowNs();
  net.RunUntil(sent + 100 * kMs);
  REQUIRE(net.network.Heal("a", "b").ok());
  net.RunFor(10 * kS);

  REQUIRE(net.b.seen[server].chunks.size() == 1);
  CHECK(net.b.seen[server].chunks[0].first == sent + kRetryNs + kDelay);
}

TEST_CASE("the stall after a heal depends on the back-off") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Partition("a", "b").ok());
  net.a.Send(client, "late");
  const int64_t sent = net.events.NowNs();
  // Retransmissions at 1, 3, 7, 15, ... x 201 ms. Healed just after 15 x 201 ms = 3.015 s, the next
  // one comes at 31 x 201 ms = 6.231 s.
  net.RunUntil(sent + 3020 * kMs);
  REQUIRE(net.network.Heal("a", "b").ok());
  net.RunUntil(sent + 100 * kS);

  REQUIRE(net.b.seen[server].chunks.size() == 1);
  CHECK(net.b.seen[server].chunks[0].first == sent + 31 * kRetryNs + kDelay);
}

TEST_CASE("the back-off goes by the round trip that was measured, not by what a link has become") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.a.Send(client, "measured");
  net.RunFor(kS);
  REQUIRE(net.network.Partition("a", "b").ok());
  net.a.Send(client, ", late");
  const int64_t sent = net.events.NowNs();
  LinkConfig slow = *net.network.GetLink("b", "a");
  slow.delay.min_ns = slow.delay.max_ns = 2 * kS;
  REQUIRE(net.network.SetLink("b", "a", slow).ok());
  net.RunUntil(sent + 500 * kMs);
  REQUIRE(net.network.Heal("a", "b").ok());
  net.RunFor(100 * kS);

  // Retransmissions at 1 and 3 x 201 ms; with the two seconds the second would be at 4.6 s.
  REQUIRE(net.b.seen[server].chunks.size() == 2);
  CHECK(net.b.seen[server].chunks[1].first == sent + 3 * kRetryNs + kDelay);
}

TEST_CASE("what is under way when a partition begins is lost, though it heals before the arrival") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.a.Send(client, "under way");
  const int64_t sent = net.events.NowNs();
  REQUIRE(net.network.Partition("a", "b").ok());
  REQUIRE(net.network.Heal("a", "b").ok());
  net.a.Send(client, ", and behind it");
  net.RunFor(10 * kS);

  CHECK(net.b.seen[server].bytes == "under way, and behind it");
  REQUIRE(net.b.seen[server].chunks.size() == 1);  // head of line
  CHECK(net.b.seen[server].chunks[0].first == sent + kRetryNs + kDelay);
}

// tcp_retries2 = 15: ten time-outs of 201 ms x 2^n, then six of 120 s (TCP_RTO_MAX): about 924 s.
TEST_CASE("a sender gives up after fifteen retransmissions, and its peer notices nothing") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Partition("a", "b").ok());
  REQUIRE(net.network.Partition("b", "a").ok());
  net.a.Send(client, "lost");
  const int64_t sent = net.events.NowNs();
  net.RunUntil(sent + 2000 * kS);

  const auto& seen = net.a.seen[client];
  CHECK(seen.events ==
        Events{"connected 10.0.0.2:80", "error: Connection timed out", "end", "hang-up"});
  CHECK(seen.times[1] == sent + 1023 * kRetryNs + 6 * 120 * kS);
  CHECK(net.b.seen[server].events.size() == 1);  // half-open: accepted, nothing since
  CHECK(net.a.WriteError(client) == "Broken pipe");
}

TEST_CASE("a half-open peer that writes after the heal gets a RST") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Partition("a", "b").ok());
  net.a.Send(client, "lost");
  net.RunFor(2000 * kS);
  REQUIRE(net.network.Heal("a", "b").ok());
  CHECK(net.b.seen[server].events.size() == 1);

  net.b.Send(server, "still there?");
  net.RunFor(1 * kS);

  CHECK(net.b.seen[server].events[1] == "error: Connection reset by peer");
}

TEST_CASE("one-way partition: bytes back arrive, but unacknowledged, and their sender gives up") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Partition("a", "b").ok());
  net.b.Send(server, "hello");
  const int64_t sent = net.events.NowNs();
  net.RunUntil(sent + 2000 * kS);

  CHECK(net.a.seen[client].bytes == "hello");
  CHECK(net.a.seen[client].chunks[0].first == sent + kDelay);
  CHECK(net.b.seen[server].events[1] == "error: Connection timed out");
  CHECK(net.b.seen[server].times[1] == sent + 1023 * kRetryNs + 6 * 120 * kS);
}

TEST_CASE("one-way partition: after the heal the next retransmission is acknowledged") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Partition("a", "b").ok());
  net.b.Send(server, "hello");
  net.RunFor(10 * kS);
  net.b.Send(server, ", world");
  REQUIRE(net.network.Heal("a", "b").ok());
  net.RunFor(2000 * kS);

  CHECK(net.a.seen[client].bytes == "hello, world");
  CHECK(net.a.seen[client].chunks[0].second == "hello");
  CHECK(net.b.seen[server].events.size() == 1);  // no error
  CHECK(net.events.IsEmpty());
}

TEST_CASE("an idle connection survives a partition that ends before its keepalive") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Partition("a", "b").ok());
  REQUIRE(net.network.Partition("b", "a").ok());
  net.RunFor(7'000 * kS);
  REQUIRE(net.network.Heal("a", "b").ok());
  REQUIRE(net.network.Heal("b", "a").ok());

  net.a.Send(client, "still here");
  net.RunFor(1 * kMs);

  CHECK(net.b.seen[server].bytes == "still here");
}

TEST_CASE("a window that opened unseen is found out after the heal") {
  TestNetwork net;
  net.network.DefaultLink().receive_window_bytes = 1000;
  net.b.reads = false;
  const auto [client, server] = net.Open();
  net.a.Send(client, std::string(5000, 'x'));
  net.RunFor(1 * kS);
  REQUIRE(net.network.Partition("b", "a").ok());
  net.b.transport->SetReading(server, true);  // the window update is lost
  net.RunFor(1 * kS);
  CHECK(net.b.seen[server].bytes.size() == 1000);

  REQUIRE(net.network.Heal("b", "a").ok());
  net.RunFor(100 * kS);

  CHECK(net.b.seen[server].bytes.size() == 5000);
}

TEST_CASE("a sender that waits for the window of a dead peer gives up") {
  TestNetwork net;
  net.network.DefaultLink().receive_window_bytes = 1000;
  net.b.reads = false;
  const auto [client, server] = net.Open();
  net.a.Send(client, std::string(5000, 'x'));
  const int64_t closed = net.events.NowNs() + 2 * kDelay;
  net.RunFor(100 * kS);
  net.network.StopHost("b", /*is_power_off=*/true);
  net.RunFor(2000 * kS);

  REQUIRE(net.a.seen[client].events.size() >= 2);
  CHECK(net.a.seen[client].events[1] == "error: Connection timed out");
  // Asked at 201 ms x (2^9 - 1) = 102.7 s, 205.6 s and every 120 s: the sixteenth time it gives up.
  CHECK((net.a.seen[client].times[1] - closed) / kMs == 1023 * 201 + 14 * 120'000);
}

// Linux, tcp_send_probe0: the back-off goes on although each probe is answered.
TEST_CASE("who has waited for a window for hours asks every two minutes") {
  TestNetwork net;
  net.network.DefaultLink().receive_window_bytes = 1000;
  net.b.reads = false;
  const auto [client, server] = net.Open();
  net.a.Send(client, std::string(5000, 'x'));
  const int64_t closed = net.events.NowNs() + 2 * kDelay;
  net.RunFor(3600 * kS);
  REQUIRE(net.network.Partition("b", "a").ok());
  net.b.transport->SetReading(server, true);  // the window update is lost
  net.RunFor(1 * kS);
  REQUIRE(net.network.Heal("b", "a").ok());
  net.RunFor(200 * kS);

  CHECK(net.b.seen[server].bytes.size() == 5000);
  // 205.6 s and every 120 s: the first time after an hour.
  const int64_t asked = closed + 1023 * 201 * kMs + 29 * 120 * kS;
  REQUIRE(asked > closed + 3600 * kS);
  CHECK(net.b.seen[server].chunks[1].first == asked + 3 * kDelay);
}

TEST_CASE("a sender that waits for a window behind a partition gives up") {
  for (const bool is_late : {false, true}) {  // its last bytes are written in silence
    TestNetwork net;
    net.network.DefaultLink().receive_window_bytes = 1000;
    net.b.reads = false;
    const auto [client, server] = net.Open();
    net.a.Send(client, std::string(is_late ? 1000 : 1001, 'x'));
    net.RunFor(kS);
    REQUIRE(net.network.Partition("a", "b").ok());
    const int64_t begin = net.events.NowNs();
    if (is_late) net.a.Send(client, "x");
    net.RunFor(4000 * kS);

    REQUIRE(net.a.seen[client].events.size() >= 2);
    CHECK(net.a.seen[client].events[1] == "error: Connection timed out");
    // Late: as unacknowledged bytes. Else it had asked until 0.6 s, and asks at 1.4, 3.0, ..., 205.6 s
    // and every 120 s: the sixteenth time at 1165.6 s, of which a second was before the partition.
    CHECK((net.a.seen[client].times[1] - begin) / kS == (is_late ? 925 : 1164));
  }
}

// -- Loss -----------------------------------------------------------------------------------------

TEST_CASE("a lost segment comes one retransmission later and holds up all behind it") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  LinkConfig lossy;
  lossy.loss = {1, 1};
  REQUIRE(net.network.SetLink("a", "b", lossy).ok());
  net.a.Send(client, "first");
  const int64_t sent = net.events.NowNs();
  REQUIRE(net.network.SetLink("a", "b", LinkConfig()).ok());
  net.RunUntil(sent + 50 * kMs);
  net.a.Send(client, " second");
  net.RunUntil(sent + 10 * kS);

  REQUIRE(net.b.seen[server].chunks.size() == 1);
  CHECK(net.b.seen[server].chunks[0].second == "first second");
  CHECK(net.b.seen[server].chunks[0].first == sent + kRetryNs + kDelay);
}

TEST_CASE("a lost SYN is sent again after 1, 3, 7, 15, 31 and 63 s") {
  TestNetwork net;
  for (int64_t slot_s : {1, 3, 7, 15, 31, 63}) {
    const int64_t start = net.events.NowNs();
    REQUIRE(net.network.Partition("a", "b").ok());
    const EndpointId client = net.a.Connect("b", 80);
    net.RunUntil(start + slot_s * kS - 1);  // this one passes
    REQUIRE(net.network.Heal("a", "b").ok());
    net.RunUntil(start + 200 * kS);

    REQUIRE(net.a.seen[client].events == Events{"connected 10.0.0.2:80"});
    CHECK(net.a.seen[client].times[0] == start + slot_s * kS + 2 * kDelay);
  }
}

// tcp_syn_retries = 6: 1 + 2 + 4 + ... + 64 s.
TEST_CASE("a connect into a partition times out after 127 s, in either direction of loss") {
  for (const bool is_forth : {true, false}) {
    TestNetwork net;
    REQUIRE(net.network.Partition(is_forth ? "a" : "b", is_forth ? "b" : "a").ok());
    const EndpointId client = net.a.Connect("b", 80);
    net.RunFor(1000 * kS);

    CHECK(net.a.seen[client].events == Events{"Connection timed out"});
    CHECK(net.a.seen[client].times[0] == 127 * kS);
    CHECK(net.b.accepted.empty());
    CHECK(net.network.Connections().empty());
    CHECK(net.events.IsEmpty());
  }
}

TEST_CASE("when the last part of the handshake is lost, the first bytes complete it") {
  TestNetwork net;
  const EndpointId client = net.a.Connect("b", 80);
  net.RunUntil(3 * kDelay - 1);  // connected at 2 delays; its ACK is under way
  REQUIRE(net.network.Partition("a", "b").ok());
  REQUIRE(net.network.Heal("a", "b").ok());
  net.RunFor(10 * kMs);
  CHECK(net.b.accepted.empty());

  net.a.Send(client, "hello");
  net.RunFor(1 * kMs);

  REQUIRE(net.b.accepted.size() == 1);
  CHECK(net.b.seen[net.b.last].bytes == "hello");
}

TEST_CASE("when the last part of the handshake is lost, the server asks again after a second") {
  TestNetwork net;
  net.a.Connect("b", 80);
  net.RunUntil(3 * kDelay - 1);
  REQUIRE(net.network.Partition("a", "b").ok());
  REQUIRE(net.network.Heal("a", "b").ok());
  net.RunFor(10 * kS);

  REQUIRE(net.b.accepted.size() == 1);
  CHECK(net.b.seen[net.b.last].times[0] == kDelay + 1 * kS + kDelay);
}

TEST_CASE("a server that loses its power in the midst of a handshake is reached when it is back") {
  TestNetwork net;
  REQUIRE(net.network.Partition("b", "a").ok());  // its SYN-ACK is lost
  const EndpointId client = net.a.Connect("b", 80);
  net.RunFor(10 * kMs);
  net.network.StopHost("b", true);
  net.b.Start(net.network);
  net.b.Listen(80);
  REQUIRE(net.network.Heal("b", "a").ok());
  net.RunFor(2 * kS);
  REQUIRE(net.b.accepted.size() == 1);

  net.b.Send(net.b.last, "welcome");
  net.b.transport->Close(net.b.last);
  net.RunFor(1 * kS);

  CHECK(net.a.seen[client].bytes == "welcome");
  CHECK(net.a.seen[client].events == Events{"connected 10.0.0.2:80", "end"});
}

TEST_CASE("a client whose server lost its power after the SYN-ACK is reset once it is back") {
  TestNetwork net;
  const EndpointId client = net.a.Connect("b", 80);
  net.RunUntil(kDelay);  // SYN received, SYN-ACK under way
  net.network.StopHost("b", true);
  net.b.Start(net.network);
  net.b.Listen(80);
  net.RunFor(1 * kS);

  CHECK(net.a.seen[client].events ==
        Events({"connected 10.0.0.2:80", "error: Connection reset by peer", "end", "hang-up"}));
  CHECK(net.b.accepted.empty());
}

// -- Connect rules --------------------------------------------------------------------------------

TEST_CASE("refused connects fail after a round trip, until allowed again") {
  TestNetwork net;
  REQUIRE(net.network.SetConnectRule("a", "b", Network::ConnectRule::kRefuse).ok());
  const EndpointId refused = net.a.Connect("b", 80);
  net.RunFor(1 * kS);
  CHECK(net.a.seen[refused].events == Events{"Connection refused"});

  REQUIRE(net.network.SetConnectRule("a", "b", Network::ConnectRule::kAllow).ok());
  const EndpointId allowed = net.a.Connect("b", 80);
  net.RunFor(1 * kS);
  CHECK(net.a.seen[allowed].events == Events{"connected 10.0.0.2:80"});
}

TEST_CASE("a black hole gives no answer, and open connections stay") {
  TestNetwork net;
  const auto [open, server] = net.Open();
  REQUIRE(net.network.SetConnectRule("a", "b", Network::ConnectRule::kBlackHole).ok());
  const int64_t start = net.events.NowNs();
  const EndpointId client = net.a.Connect("b", 80);
  net.a.Send(open, "fine");
  net.RunFor(1000 * kS);

  CHECK(net.a.seen[client].events == Events{"Connection timed out"});
  CHECK(net.a.seen[client].times[0] == start + 127 * kS);
  CHECK(net.b.seen[server].bytes == "fine");
}

TEST_CASE("a delayed connect is late by itself: others overtake it") {
  TestNetwork net;
  REQUIRE(net.network.DelayConnects("a", "b", 300 * kMs, 1).ok());
  const EndpointId slow = net.a.Connect("b", 80), fast = net.a.Connect("b", 80);
  net.RunFor(10 * kS);

  CHECK(net.a.seen[slow].times[0] == 300 * kMs + 2 * kDelay);
  CHECK(net.a.seen[fast].times[0] == 2 * kDelay);
}

TEST_CASE("a connect that is closed before it ends leaves nothing behind") {
  for (int64_t when : {int64_t{0}, kDelay, 3 * kDelay / 2, 2 * kDelay - 1}) {
    TestNetwork net;
    const EndpointId client = net.a.Connect("b", 80);
    net.RunUntil(when);
    net.a.transport->Close(client);
    net.RunFor(1000 * kS);

    CHECK(net.a.seen[client].events.empty());
    CHECK(net.b.accepted.empty());
    CHECK(net.network.Connections().empty());
    CHECK(net.events.IsEmpty());
  }
}

// -- Hold -----------------------------------------------------------------------------------------

TEST_CASE("held bytes are counted and released as one chunk") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Hold("a", "b").ok());
  for (const char* part : {"one", "two", "three"}) {
    net.a.Send(client, part);
    net.RunFor(2 * kMs);
  }
  net.RunFor(5000 * kS);  // a hold is no loss: nobody times out
  CHECK(*net.network.HeldBytes("a", "b") == 11);
  CHECK(net.b.seen[server].bytes.empty());

  REQUIRE(net.network.Release("a", "b", {true, 0, {}}).ok());
  CHECK(*net.network.HeldBytes("a", "b") == 0);
  net.RunFor(1 * kMs);

  REQUIRE(net.b.seen[server].chunks.size() == 1);
  CHECK(net.b.seen[server].bytes == "onetwothree");
}

TEST_CASE("held bytes are released as they came") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Hold("a", "b").ok());
  for (const char* part : {"one", "two", "three"}) {
    net.a.Send(client, part);
    net.RunFor(2 * kMs);
  }
  REQUIRE(net.network.Release("a", "b", {}).ok());
  net.RunFor(1 * kMs);

  std::vector<std::string> chunks;
  for (const auto& [time, bytes] : net.b.seen[server].chunks) chunks.push_back(bytes);
  CHECK(chunks == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("bytes of several held connections are released in the order of their arrival") {
  TestNetwork net;
  const auto [first, first_server] = net.Open();
  const auto [second, second_server] = net.Open();
  REQUIRE(net.network.Hold("a", "b").ok());
  net.a.Send(first, "1");
  net.RunFor(2 * kMs);
  net.a.Send(first, "2");
  net.RunFor(2 * kMs);
  net.a.Send(second, "3");
  net.RunFor(2 * kMs);
  net.a.Send(first, "4");
  net.RunFor(2 * kMs);
  net.b.recorded.clear();
  REQUIRE(net.network.Release("a", "b", {}).ok());
  net.RunFor(1 * kMs);

  REQUIRE(net.b.seen[first_server].chunks.size() == 3);
  REQUIRE(net.b.seen[second_server].chunks.size() == 1);
  CHECK(net.b.seen[first_server].chunks[1].first < net.b.seen[second_server].chunks[0].first);
  CHECK(net.b.seen[second_server].chunks[0].first < net.b.seen[first_server].chunks[2].first);
}

TEST_CASE("a hold keeps the end of a stream and the handshake too") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Hold("a", "b").ok());
  net.a.Send(client, "bye");
  net.a.transport->Close(client);
  const EndpointId late = net.a.Connect("b", 80);
  net.RunFor(10 * kS);
  CHECK(net.b.seen[server].events.size() == 1);
  CHECK(net.b.accepted.size() == 1);

  REQUIRE(net.network.Release("a", "b", {true, 0, {}}).ok());
  net.RunFor(1 * kS);

  CHECK(net.b.seen[server].bytes == "bye");
  CHECK(net.b.seen[server].events.back() == "end");
  CHECK(net.a.seen[late].events == Events{"connected 10.0.0.2:80"});
}

TEST_CASE("a handshake held for too long times out") {
  TestNetwork net;
  REQUIRE(net.network.Hold("b", "a").ok());
  const EndpointId client = net.a.Connect("b", 80);
  net.RunFor(1000 * kS);

  CHECK(net.a.seen[client].events == Events{"Connection timed out"});
  REQUIRE(net.network.Release("b", "a", {}).ok());
  net.RunFor(1000 * kS);
  CHECK(net.network.Connections().empty());
}

TEST_CASE("what is held has crossed the link: a later partition does not lose it") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Hold("a", "b").ok());
  net.a.Send(client, "safe");
  net.RunFor(2 * kMs);
  REQUIRE(net.network.Partition("a", "b").ok());
  REQUIRE(net.network.Release("a", "b", {}).ok());
  net.RunFor(1 * kMs);

  CHECK(net.b.seen[server].bytes == "safe");
}

TEST_CASE("a held SYN has crossed the link too") {
  TestNetwork net;
  REQUIRE(net.network.Hold("a", "b").ok());
  const EndpointId client = net.a.Connect("b", 80);
  net.RunFor(2 * kMs);
  REQUIRE(net.network.Partition("a", "b").ok());
  REQUIRE(net.network.Release("a", "b", {}).ok());
  net.RunFor(2 * kDelay);

  CHECK(net.a.seen[client].events == Events{"connected 10.0.0.2:80"});
}

// -- Hosts ----------------------------------------------------------------------------------------

TEST_CASE("a process that dies ends its streams, and its port refuses") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.b.Send(server, "last");
  net.network.StopHost("b", /*is_power_off=*/false);
  net.RunFor(1 * kMs);

  CHECK(net.a.seen[client].bytes == "last");
  CHECK(net.a.seen[client].events.back() == "end");
  const EndpointId again = net.a.Connect("b", 80);
  net.RunFor(1 * kS);
  CHECK(net.a.seen[again].events == Events{"Connection refused"});

  CHECK(net.a.WriteError(client).empty());
  net.RunFor(1 * kS);
  CHECK(net.a.seen[client].events.back() == "broken: Broken pipe");
}

TEST_CASE("a process that dies with unread bytes resets") {
  TestNetwork net;
  net.b.reads = false;
  const auto [client, server] = net.Open();
  net.a.Send(client, "unread");
  net.RunFor(1 * kMs);
  net.network.StopHost("b", false);
  net.RunFor(1 * kMs);

  CHECK(net.a.seen[client].events[1] == "error: Connection reset by peer");
}

TEST_CASE("a power-off is silent; old segments draw a RST once the host is back") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.network.StopHost("b", /*is_power_off=*/true);
  net.RunFor(10 * kS);
  CHECK(net.a.seen[client].events.size() == 1);
  net.a.Send(client, "anybody?");
  const int64_t sent = net.events.NowNs();
  net.RunUntil(sent + 1 * kS);
  CHECK(net.a.seen[client].events.size() == 1);

  net.b.Start(net.network);
  net.RunUntil(sent + 10 * kS);

  REQUIRE(net.a.seen[client].events.size() == 4);  // the end and a hang-up behind the error
  CHECK(net.a.seen[client].events[1] == "error: Connection reset by peer");
  CHECK(net.a.seen[client].times[1] == sent + 7 * kRetryNs + 2 * kDelay);  // the third retry
}

TEST_CASE("a SYN to a host without power is sent again, and finds it when it is back") {
  TestNetwork net;
  net.network.StopHost("b", true);
  const EndpointId client = net.a.Connect("b", 80);
  net.RunFor(2 * kS);
  net.b.Start(net.network);
  net.b.Listen(80);
  net.RunFor(10 * kS);

  CHECK(net.a.seen[client].events == Events{"connected 10.0.0.2:80"});
  CHECK(net.a.seen[client].times[0] == 3 * kS + 2 * kDelay);
}

TEST_CASE("a closed socket gives up on a dead peer after eight retransmissions") {
  TestNetwork net;  // tcp_orphan_retries = 0 means 8: 511 x 201 ms
  const auto [client, server] = net.Open();
  net.network.StopHost("b", true);
  net.a.transport->Close(client);
  const int64_t closed = net.events.NowNs();
  net.RunUntil(closed + 511 * kRetryNs - 1);
  CHECK(net.network.Connections().size() == 1);

  net.RunUntil(closed + 511 * kRetryNs);

  CHECK(net.network.Connections().empty());
}

TEST_CASE("a closed socket waits a minute for its peer's end") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.a.transport->Close(client);
  net.RunFor(61 * kS);  // tcp_fin_timeout; b has not closed
  CHECK(net.network.Connections().size() == 1);
  CHECK(net.network.Connections()[0].state == "closing");

  net.b.transport->Close(server);
  net.RunFor(10 * kS);

  CHECK(net.network.Connections().empty());
}

TEST_CASE("endpoints of an earlier life are dead") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.network.StopHost("b", false);
  net.b.Start(net.network);
  net.b.Listen(80);
  const auto [again, again_server] = net.Open();

  CHECK(again_server != server);
  net.a.Send(again, "new");
  net.RunFor(1 * kMs);
  CHECK(net.b.seen[again_server].bytes == "new");
  CHECK(net.b.transport->Write(server, "old").size == 0);
}

// -- Links ----------------------------------------------------------------------------------------

TEST_CASE("bandwidth spreads bytes over time, and connections share it") {
  TestNetwork net;
  LinkConfig slow;
  slow.bandwidth_bytes_per_s = 146'000;  // a segment of 1460 bytes takes 10 ms
  const auto [first, first_server] = net.Open();
  const auto [second, second_server] = net.Open();
  REQUIRE(net.network.SetLink("a", "b", slow).ok());
  const int64_t start = net.events.NowNs();

  net.a.Send(first, std::string(146'000, 'x'));
  net.a.Send(second, "small");
  net.RunUntil(start + 10 * kS);

  CHECK(net.b.seen[first_server].chunks.size() == 100);
  CHECK(net.b.seen[first_server].chunks.back().first >= start + 1 * kS);
  CHECK(net.b.seen[first_server].chunks.back().first < start + 1 * kS + 10 * kMs);
  // It waits for a few segments of the other connection, not for all hundred.
  CHECK(net.b.seen[second_server].chunks[0].first < start + 100 * kMs);
}

TEST_CASE("jitter never reorders within one direction of a connection") {
  TestNetwork net;
  net.network.DefaultLink().delay = {Delay::Shape::kUniform, 1 * kMs, 100 * kMs, 0};
  const auto [client, server] = [&net] {
    const EndpointId made = net.a.Connect("b", 80);
    net.RunFor(1 * kS);
    return std::make_pair(made, net.b.last);
  }();
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    net.a.Send(client, std::to_string(i) + " ");
    expected += std::to_string(i) + " ";
    net.RunFor(1 * kMs);
  }
  net.RunFor(1 * kS);

  CHECK(net.b.seen[server].bytes == expected);
  CHECK(net.b.seen[server].chunks.size() > 10);
}

TEST_CASE("split deliveries cut the stream at chosen bytes") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  LinkConfig cut;
  cut.split = {1, 1};
  REQUIRE(net.network.SetLink("a", "b", cut).ok());
  net.a.Send(client, std::string(100, 'x'));
  net.RunFor(1 * kS);

  CHECK(net.b.seen[server].bytes.size() == 100);
  CHECK(net.b.seen[server].chunks.size() > 2);
}

TEST_CASE("an exponential delay has its mean, its minimum and its cap") {
  SeededChoices choices(1, false);
  const std::string link = "a>b";
  LinkStreams streams(choices, link, "udp");
  const Delay delay = {Delay::Shape::kExponential, 1000, 20'000, 2000};
  int64_t sum = 0, most = 0, least = 1 << 30;
  for (int i = 0; i < 100'000; ++i) {
    const int64_t drawn = streams.ChooseDelayNs(delay);
    sum += drawn;
    most = std::max(most, drawn);
    least = std::min(least, drawn);
  }

  CHECK(least >= 1000);
  CHECK(least < 1010);
  CHECK(most == 20'000);              // e^-9.5 of 100 000 draws: about seven
  CHECK(sum / 100'000 > 2960);        // 3000 expected, standard error 6
  CHECK(sum / 100'000 < 3040);
  RecordedChoices calm({});
  LinkStreams usual(calm, link, "udp");
  CHECK(usual.ChooseDelayNs(delay) == 1000);
}

TEST_CASE("certain outcomes ask no choice") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.a.Send(client, std::string(1 << 20, 'x'));
  net.RunFor(1 * kS);

  CHECK(net.choices.Recorded().empty());
  CHECK(net.choices.Stream("first") == 0);  // not even a stream was looked up
}

TEST_CASE("UDP loses, duplicates and reorders as configured") {
  TestNetwork net;
  LinkConfig bad;
  bad.loss = {1, 10};
  bad.duplicate = {1, 10};
  bad.reorder = {1, 10};
  REQUIRE(net.network.SetLink("a", "b", bad).ok());
  const auto from = net.a.transport->OpenUdp("", 0), to = net.b.transport->OpenUdp("", 99);
  std::vector<int> received;
  for (int i = 0; i < 2000; ++i) {
    net.a.transport->SendTo(*from, {"10.0.0.2", 99}, std::to_string(i));
    net.RunFor(kMs / 10);
    for (auto datagram = net.b.transport->ReceiveFrom(*to); datagram.ok();
         datagram = net.b.transport->ReceiveFrom(*to)) {
      received.push_back(std::stoi(datagram->bytes));
    }
  }
  std::map<int, int> copies;
  int backward = 0;
  for (size_t i = 0; i < received.size(); ++i) {
    ++copies[received[i]];
    backward += i > 0 && received[i] < received[i - 1];
  }
  int twice = 0;
  for (const auto& [number, count] : copies) twice += count == 2;

  CHECK(copies.size() > 1700);  // 1800 expected, standard deviation 13
  CHECK(copies.size() < 1900);
  CHECK(twice > 100);           // 180 expected
  CHECK(twice < 260);
  CHECK(backward > 100);
}

}  // namespace
}  // namespace skysim
