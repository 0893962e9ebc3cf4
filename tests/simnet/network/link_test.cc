// The fields of a link: delay and jitter, loss in bursts, bandwidth with a queue, MTU, buffers.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/simnet/network/fixture.h"

namespace skysim {
namespace {

constexpr int64_t kRetryNs = 201 * kMs;  // 200 ms (TCP_RTO_MIN) above the round trip of 1 ms
constexpr int64_t kDelay = kMs / 2;

// Sends `count` datagrams of `bytes` bytes from a to b, one every 10 ms, and returns the numbers of
// those that arrived.
std::vector<int> SendDatagrams(TestNetwork& net, int count, size_t bytes) {
  const auto from = net.a.transport->OpenUdp("", 0), to = net.b.transport->OpenUdp("", 99);
  REQUIRE((from.ok() && to.ok()));
  std::vector<int> received;
  for (int i = 0; i < count; ++i) {
    std::string text = std::to_string(i) + " ";
    text.resize(std::max(bytes, text.size()), '.');
    net.a.transport->SendTo(*from, {"10.0.0.2", 99}, text);
    net.RunFor(10 * kMs);
    for (auto datagram = net.b.transport->ReceiveFrom(*to); datagram.ok();
         datagram = net.b.transport->ReceiveFrom(*to)) {
      received.push_back(std::stoi(datagram->bytes));
    }
  }
  return received;
}

TEST_CASE("jitter is added to a constant delay, and choice 0 adds none") {
  LinkConfig link;
  link.jitter_ns = 4 * kMs;
  SeededChoices seeded(1, false);
  RecordedChoices calm({});
  const std::string name = "a>b";
  LinkStreams streams(seeded, name, "udp"), usual(calm, name, "udp");
  std::set<int64_t> drawn_ms;
  for (int i = 0; i < 1000; ++i) {
    const int64_t delay_ns = streams.ChooseDelayNs(link);
    REQUIRE(delay_ns >= kDelay);
    REQUIRE(delay_ns <= kDelay + 4 * kMs);
    drawn_ms.insert(delay_ns / kMs);
  }

  CHECK(drawn_ms == std::set<int64_t>{0, 1, 2, 3, 4});
  CHECK(usual.ChooseDelayNs(link) == kDelay);
}

TEST_CASE("jitter delays segments and never reorders a stream") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  LinkConfig link;
  link.jitter_ns = 20 * kMs;
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    expected += std::to_string(i) + " ";
    net.a.Send(client, std::to_string(i) + " ");
    net.RunFor(kMs);
  }
  net.RunFor(kS);

  CHECK(net.b.seen[server].bytes == expected);
  CHECK(net.b.seen[server].chunks.size() < 200);  // many waited for one that was late
}

// Gilbert-Elliott with enter p = 1/100, leave r = 1/10: a share of p / (p + r) = 1/11 of segments
// is lost, in bursts of 1/r = 10 (tc-netem(8), gemodel).
TEST_CASE("bursty loss has the share and the burst length of Gilbert and Elliott") {
  SeededChoices choices(1, false);
  LinkConfig config;
  config.bursts.enter = {1, 100};
  config.bursts.leave = {1, 10};
  Link link("a>b", config);
  const std::string name = "a>b";
  LinkStreams streams(choices, name, "udp");
  int lost = 0, bursts = 0;
  bool was_lost = false;
  for (int i = 0; i < 110'000; ++i) {
    const bool is_lost = link.ShouldLose(streams);
    lost += is_lost;
    bursts += is_lost && !was_lost;
    was_lost = is_lost;
  }

  CHECK(lost > 9'000);  // 10 000 expected; standard deviation about 420, as losses are correlated
  CHECK(lost < 11'000);
  CHECK(lost / bursts >= 9);
  CHECK(lost / bursts <= 11);
}

TEST_CASE("within a burst and between bursts segments are lost at rates of their own") {
  LinkConfig config;
  config.bursts.enter = {1, 1};
  config.bursts.leave = {1, 1};  // every other segment is in a burst
  config.bursts.loss = {1, 1};
  SeededChoices choices(1, false);
  Link link("a>b", config);
  const std::string name = "a>b";
  LinkStreams streams(choices, name, "udp");
  std::vector<bool> lost;
  for (int i = 0; i < 6; ++i) lost.push_back(link.ShouldLose(streams));

  CHECK(lost == std::vector<bool>{true, false, true, false, true, false});
  config.bursts.loss = {0, 1};
  config.bursts.calm_loss = {1, 1};
  for (int i = 0; i < 6; ++i) CHECK(link.ShouldLose(streams) == lost[static_cast<size_t>(i) ^ 1]);
}

TEST_CASE("a link is in a burst for all that use it") {
  TestNetwork net;
  LinkConfig link;
  link.bursts.enter = {1, 1};
  link.bursts.leave = {0, 1};
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  const EndpointId client = net.a.Connect("b", 80);
  const std::vector<int> received = SendDatagrams(net, 10, 1);

  CHECK(received.empty());
  CHECK(net.a.seen[client].events.empty());
}

TEST_CASE("a stream that meets bursts is late, and whole") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  LinkConfig link;
  link.bursts.enter = {1, 50};
  link.bursts.leave = {1, 3};
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  const std::string bytes(300'000, 'x');
  net.a.Send(client, bytes);
  net.RunFor(3600 * kS);

  CHECK(net.b.seen[server].bytes == bytes);
  CHECK(net.b.seen[server].chunks.size() > 2);
  CHECK(net.a.seen[client].events.size() == 1);  // no error
}

// What was sent behind a lost segment passes through the burst as well: a full window ends it, and
// the first retransmission arrives. A burst of five segments in a window of twenty.
TEST_CASE("a window of segments ends a burst before the first retransmission") {
  std::vector<Choice> choices;
  choices.push_back({"link/a>b/conn/0/burst", 0, 2, 1});  // the first enters
  for (uint64_t i = 1; i <= 4; ++i) choices.push_back({"link/a>b/conn/0/burst", i, 2, 1});
  choices.push_back({"link/a>b/conn/0/loss", 0, 2, 1});
  RecordedChoices recorded(choices);
  EventQueue events;
  Network network(recorded, events);
  TestNode a("a", events), b("b", events);
  REQUIRE(network.AddHost("a", "10.0.0.1").ok());
  REQUIRE(network.AddHost("b", "10.0.0.2").ok());
  a.Start(network);
  b.Start(network);
  b.Listen(80);
  const EndpointId client = a.Connect("b", 80);
  while (!events.IsEmpty()) events.RunNext();
  LinkConfig link;
  link.bursts.enter = {1, 100};
  REQUIRE(network.SetLink("a", "b", link).ok());
  const int64_t sent = events.NowNs();
  a.Send(client, std::string(20 * 1460, 'x'));
  while (!events.IsEmpty()) events.RunNext();

  REQUIRE(!b.seen[b.last].chunks.empty());
  CHECK(b.seen[b.last].bytes.size() == 20 * 1460);
  CHECK(b.seen[b.last].chunks[0].first == sent + kRetryNs + kDelay);
}

TEST_CASE("a full queue loses what comes behind, and what found room arrives in its turn") {
  TestNetwork net;
  LinkConfig link;
  link.bandwidth_bytes_per_s = 100'000;  // 1000 bytes take 10 ms
  link.queue_bytes = 3000;
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  const auto from = net.a.transport->OpenUdp("", 0), to = net.b.transport->OpenUdp("", 99);
  const int64_t sent = net.events.NowNs();
  for (char number = '0'; number <= '5'; ++number) {
    net.a.transport->SendTo(*from, {"10.0.0.2", 99}, std::string(1000, number));
  }
  net.RunUntil(sent + 30 * kMs + kDelay);

  std::string received;
  for (auto datagram = net.b.transport->ReceiveFrom(*to); datagram.ok();
       datagram = net.b.transport->ReceiveFrom(*to)) {
    received += datagram->bytes[0];
  }
  CHECK(received == "012");
  net.RunFor(kS);
  CHECK_FALSE(net.b.transport->ReceiveFrom(*to).ok());
}

TEST_CASE("a stream fills the queue, and a message of another connection waits that long") {
  TestNetwork net;
  const auto [bulk, bulk_server] = net.Open();
  const auto [chat, chat_server] = net.Open();
  LinkConfig link;
  link.bandwidth_bytes_per_s = 146'000;  // a segment of 1460 bytes takes 10 ms
  link.queue_bytes = 30 * 1460;
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  net.a.Send(bulk, std::string(200 * 1460, 'x'));
  net.RunFor(500 * kMs);
  link.queue_bytes += 1000;  // room for the small one
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  const int64_t sent = net.events.NowNs();
  net.a.Send(chat, "hello");
  net.RunFor(10 * kS);

  CHECK(net.b.seen[chat_server].chunks[0].first > sent + 280 * kMs);  // 29 to 30 segments
  CHECK(net.b.seen[chat_server].chunks[0].first < sent + 302 * kMs);
  CHECK(net.b.seen[bulk_server].bytes.size() == 200 * 1460);
}

TEST_CASE("a message that finds the queue full comes by retransmission") {
  TestNetwork net;
  const auto [bulk, bulk_server] = net.Open();
  const auto [chat, chat_server] = net.Open();
  LinkConfig link;
  link.bandwidth_bytes_per_s = 146'000;
  link.queue_bytes = 4 * 1460;
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  net.a.Send(bulk, std::string(10 * 1460, 'x'));  // gone after 100 ms
  const int64_t sent = net.events.NowNs();
  net.a.Send(chat, "hello");
  net.RunFor(10 * kS);

  CHECK(net.b.seen[chat_server].chunks[0].first > sent + kRetryNs);
  CHECK(net.b.seen[chat_server].chunks[0].first < sent + kRetryNs + kMs);
  CHECK(net.b.seen[bulk_server].chunks.back().first < sent + 101 * kMs);
}

TEST_CASE("two streams share a queue without losing anything of their own") {
  TestNetwork net;
  const auto [first, first_server] = net.Open();
  const auto [second, second_server] = net.Open();
  LinkConfig link;
  link.bandwidth_bytes_per_s = 1'460'000;
  link.queue_bytes = 10 * 1460;
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  net.a.Send(first, std::string(100 * 1460, 'x'));
  net.RunFor(5 * kMs);
  net.a.Send(second, std::string(100 * 1460, 'y'));
  const int64_t sent = net.events.NowNs();
  net.RunFor(100 * kS);

  CHECK(net.b.seen[first_server].bytes.size() == 100 * 1460);
  CHECK(net.b.seen[second_server].bytes.size() == 100 * 1460);
  // 200 segments of 1 ms each, and at most one retransmission of the second's first segment.
  CHECK(net.b.seen[first_server].chunks.back().first < sent + 200 * kMs + kRetryNs);
  CHECK(net.b.seen[second_server].chunks.back().first < sent + 200 * kMs + kRetryNs);
}

// RFC 791, section 3.2: a fragment for each 1480 bytes of what an MTU of 1500 carries; the datagram
// is lost if one of them is: with 1/10 each, three fragments arrive with (9/10)^3 = 72.9 %.
TEST_CASE("a datagram above the MTU is lost if any fragment is") {
  TestNetwork net;
  LinkConfig link;
  link.loss = {1, 10};
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  const size_t arrived = SendDatagrams(net, 2000, 2 * 1480 + 1 - 8).size();  // third fragment: 1

  CHECK(arrived > 1398);  // 1458 expected, standard deviation 20
  CHECK(arrived < 1518);
}

TEST_CASE("a datagram that just fits the MTU is lost like a small one") {
  TestNetwork net;
  LinkConfig link;
  link.loss = {1, 10};
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  const std::vector<int> large = SendDatagrams(net, 500, 1472);
  TestNetwork other;
  REQUIRE(other.network.SetLink("a", "b", link).ok());

  CHECK(SendDatagrams(other, 500, 1) == large);  // the same draws
}

TEST_CASE("segments are no longer than the MSS where a link can tell them apart") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  LinkConfig link;
  link.mss_bytes = 536;                  // RFC 879: 576 - 40
  link.bandwidth_bytes_per_s = 536'000;  // a segment takes 1 ms
  REQUIRE(net.network.SetLink("a", "b", link).ok());
  net.a.Send(client, std::string(1000, 'x'));
  net.RunFor(kS);

  REQUIRE(net.b.seen[server].chunks.size() == 2);
  CHECK(net.b.seen[server].chunks[0].second.size() == 536);
}

}  // namespace
}  // namespace skysim
