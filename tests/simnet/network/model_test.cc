// Whatever the network does short of breaking a connection: the bytes that come out are the bytes
// that went in, in order, for any delay, loss, split, bandwidth, buffer, partition and hold. And
// the same seed gives the same run.

#include <random>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/simnet/network/fixture.h"

namespace skysim {
namespace {

LinkConfig DrawLink(std::mt19937& random) {
  const auto one_in = [&random](uint32_t n) { return random() % n == 0; };
  LinkConfig config;
  config.delay.min_ns = random() % (20 * kMs);
  config.delay.max_ns = config.delay.min_ns + random() % (50 * kMs);
  config.delay.mean_ns = random() % (10 * kMs) + 1;
  config.delay.shape = static_cast<Delay::Shape>(random() % 3);
  if (one_in(2)) config.loss = {random() % 10, 30};
  if (one_in(4)) config.bursts = {{random() % 10, 30}, {1, 3}, {1, 1}, {random() % 2, 30}};
  if (one_in(3)) config.jitter_ns = random() % (20 * kMs);
  if (one_in(3)) config.queue_bytes = 3000 + random() % 20'000;
  if (one_in(2)) config.split = {random() % 10, 10};
  if (one_in(3)) config.bandwidth_bytes_per_s = 50'000 + random() % 1'000'000;
  config.mss_bytes = one_in(3) ? 1 + random() % 50 : 1460;
  if (one_in(2)) config.send_buffer_bytes = 1 + random() % 5000;
  if (one_in(2)) config.receive_window_bytes = 1 + random() % 5000;
  return config;
}

Pieces DrawPieces(std::mt19937& random) {
  switch (random() % 4) {
    case 0: return {true, 0, {}};
    case 1: return {false, 1 + random() % 100, {}};
    case 2: return {false, 0, {1 + random() % 5, 10 + random() % 5}};
    default: return {};
  }
}

// Delivers, drops, holds or releases one of the messages in flight.
void ActOnOne(std::mt19937& random, Network& network) {
  const std::vector<MessageInFlight> list = network.ListInFlight();
  if (list.empty()) return;
  const uint64_t id = list[random() % list.size()].id;
  switch (random() % 4) {
    case 0: REQUIRE(network.Deliver(id).ok()); break;
    case 1: REQUIRE(network.Drop(id).ok()); break;
    case 2: REQUIRE(network.HoldMessage(id).ok()); break;
    default: REQUIRE(network.ReleaseMessage(id).ok()); break;
  }
}

struct Outcome {
  std::vector<std::string> log;
  size_t choices = 0;
};

// Several connections, both ends writing, while the links are changed, partitioned, held and
// brought back. Ends with everything calm and everything delivered.
Outcome RunStory(uint32_t seed) {
  std::mt19937 random(seed);
  TestNetwork net(seed);
  net.a.read_bytes = 1 + random() % 2000;
  net.b.read_bytes = 1 + random() % 2000;
  struct Stream {
    EndpointId client, server;
    std::string forth, back;
  };
  std::vector<Stream> streams;
  for (uint32_t i = 0; i < 1 + random() % 3; ++i) {
    const auto [client, server] = net.Open();
    streams.push_back({client, server, "", ""});
  }
  REQUIRE(net.network.SetLink("a", "b", DrawLink(random)).ok());
  REQUIRE(net.network.SetLink("b", "a", DrawLink(random)).ok());
  for (int step = 0; step < 60; ++step) {
    Stream& stream = streams[random() % streams.size()];
    const bool is_forth = random() % 2 == 0;
    std::string bytes(1 + random() % (random() % 4 == 0 ? 5000 : 50), 'x');
    for (char& byte : bytes) byte = static_cast<char>('a' + random() % 26);
    if (is_forth) {
      stream.forth += bytes;
      net.a.Send(stream.client, bytes);
    } else {
      stream.back += bytes;
      net.b.Send(stream.server, bytes);
    }
    const bool is_ab = random() % 2 == 0;
    const std::string from = is_ab ? "a" : "b", to = is_ab ? "b" : "a";
    switch (random() % 15) {
      case 12: REQUIRE(net.network.Cut(from, to, {1 + random() % 9, 1 + random() % 9}).ok()); break;
      case 13:
      case 14: ActOnOne(random, net.network); break;
      case 0: REQUIRE(net.network.Partition(from, to).ok()); break;
      case 1:
      case 2: REQUIRE(net.network.Heal(from, to).ok()); break;
      case 3: REQUIRE(net.network.Hold(from, to).ok()); break;
      case 4:
      case 5: REQUIRE(net.network.Release(from, to, DrawPieces(random)).ok()); break;
      case 6: REQUIRE(net.network.SetLink(from, to, DrawLink(random)).ok()); break;
      default: break;
    }
    net.RunFor(random() % (random() % 5 == 0 ? 2 * kS : 20 * kMs));
  }
  for (const auto& [from, to] : {std::make_pair("a", "b"), std::make_pair("b", "a")}) {
    REQUIRE(net.network.Heal(from, to).ok());
    REQUIRE(net.network.Release(from, to, {}).ok());
    REQUIRE(net.network.SetLink(from, to, LinkConfig()).ok());
  }
  for (const MessageInFlight& message : net.network.ListInFlight()) {
    REQUIRE(net.network.ReleaseMessage(message.id).ok());
  }
  net.RunFor(20'000 * kS);
  Outcome outcome;
  for (const Stream& stream : streams) {
    INFO("seed " << seed);
    REQUIRE(net.b.seen[stream.server].bytes == stream.forth);
    REQUIRE(net.a.seen[stream.client].bytes == stream.back);
    REQUIRE(net.a.seen[stream.client].events.size() == 1);  // connected, and no error ever
    for (const auto& [time, bytes] : net.b.seen[stream.server].chunks) {
      outcome.log.push_back(std::to_string(time) + " " + bytes);
    }
    net.a.transport->Close(stream.client);
    net.b.transport->Close(stream.server);
  }
  net.RunFor(1000 * kS);
  REQUIRE(net.network.Connections().empty());
  REQUIRE(net.events.IsEmpty());
  outcome.choices = net.choices.Recorded().size();
  return outcome;
}

TEST_CASE("bytes out are bytes in, in order, whatever the network does") {
  for (uint32_t seed = 1; seed <= 1000; ++seed) RunStory(seed);
}

TEST_CASE("the same seed gives the same run") {
  for (uint32_t seed = 1; seed <= 30; ++seed) {
    const Outcome first = RunStory(seed), second = RunStory(seed);

    CHECK(first.log == second.log);
    CHECK(first.choices == second.choices);
  }
}

// Operations in any order, on dead endpoints too: nothing crashes, and all is forgotten in the end.
TEST_CASE("no order of connects, closes, crashes and resets leaves anything behind") {
  for (uint32_t seed = 1; seed <= 1000; ++seed) {
    std::mt19937 random(seed);
    TestNetwork net(seed);
    net.network.DefaultLink() = DrawLink(random);
    bool is_b_running = true;
    std::vector<EndpointId> clients;
    for (int step = 0; step < 100; ++step) {
      const bool is_ab = random() % 2 == 0;
      const std::string from = is_ab ? "a" : "b", to = is_ab ? "b" : "a";
      const EndpointId client = clients.empty() ? 1 : clients[random() % clients.size()];
      const EndpointId server =
          net.b.accepted.empty() ? 1 : net.b.accepted[random() % net.b.accepted.size()];
      switch (random() % 16) {
        case 0:
        case 1:
        case 2: clients.push_back(net.a.Connect(random() % 9 == 0 ? "127.0.0.1" : "b", 80)); break;
        case 3: net.a.Send(client, std::string(random() % 3000, 'x')); break;
        case 4: if (is_b_running) net.b.Send(server, std::string(random() % 3000, 'y')); break;
        case 5: net.a.transport->Close(client); break;
        case 6: if (is_b_running) net.b.transport->Close(server); break;
        case 7: net.a.transport->ShutdownWrite(client); break;
        case 8: if (is_b_running) net.b.transport->SetReading(server, random() % 2 == 0); break;
        case 9: REQUIRE(net.network.ResetConnections("a", "b").ok()); break;
        case 10: REQUIRE(net.network.Partition(from, to).ok()); break;
        case 11: REQUIRE(net.network.Heal(from, to).ok()); break;
        case 12: REQUIRE(net.network.Hold(from, to).ok()); break;
        case 13: REQUIRE(net.network.Release(from, to, DrawPieces(random)).ok()); break;
        case 15: ActOnOne(random, net.network); break;
        case 14:
          if (is_b_running) {
            net.network.StopHost("b", random() % 2 == 0);
          } else {
            net.b.Start(net.network);
            net.b.Listen(80, static_cast<int>(random() % 3));
          }
          is_b_running = !is_b_running;
          break;
        default: break;
      }
      net.RunFor(random() % (random() % 5 == 0 ? 10 * kS : 20 * kMs));
    }
    for (const auto& [from, to] : {std::make_pair("a", "b"), std::make_pair("b", "a")}) {
      REQUIRE(net.network.Heal(from, to).ok());
      REQUIRE(net.network.Release(from, to, {}).ok());
    }
    for (const MessageInFlight& message : net.network.ListInFlight()) {
      REQUIRE(net.network.ReleaseMessage(message.id).ok());
    }
    net.network.StopHost("a", false);
    if (is_b_running) net.network.StopHost("b", false);
    net.RunFor(20'000 * kS);
    INFO("seed " << seed);
    REQUIRE(net.network.Connections().empty());
    REQUIRE(net.events.IsEmpty());
  }
}

}  // namespace
}  // namespace skysim
