// The network made whole after the faults.

#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/simnet/network/fixture.h"

namespace skysim {
namespace {

TEST_CASE("calm ends partitions and holds and allows connects") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  REQUIRE(net.network.Partition("b", "a").ok());
  REQUIRE(net.network.Hold("a", "b").ok());
  REQUIRE(net.network.SetConnectRule("a", "b", ConnectRule::kRefuse).ok());
  net.a.Send(client, "kept");
  net.RunFor(1 * kS);

  net.network.CalmDown();
  net.RunFor(1 * kS);

  CHECK(net.b.seen[server].bytes == "kept");
  CHECK(*net.network.HeldBytes("a", "b") == 0);
  const auto [second_client, second_server] = net.Open();
  CHECK(second_client != client);
  CHECK(second_server != server);
}

TEST_CASE("calm releases single messages and wakes stalled sockets") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.a.Send(client, "kept");
  REQUIRE(net.network.HoldMessage(net.network.ListInFlight()[0].id).ok());
  REQUIRE(net.network.StallSockets("a", true).ok());
  net.b.Send(server, "unread");
  net.RunFor(1 * kS);
  REQUIRE(net.b.seen[server].bytes.empty());
  REQUIRE(net.a.seen[client].bytes.empty());

  net.network.CalmDown();
  net.RunFor(1 * kS);

  CHECK(net.b.seen[server].bytes == "kept");
  CHECK(net.a.seen[client].bytes == "unread");
}

TEST_CASE("a reader whose peer lost its power hears of it when half-dead connections are reset") {
  TestNetwork net;
  const auto [client, server] = net.Open();
  net.network.StopHost("b", /*is_power_off=*/true);
  net.RunFor(3600 * kS);
  REQUIRE(net.a.seen[client].events.size() == 1);  // connected, and nothing since

  CHECK(net.network.ResetHalfDead() == 1);
  net.RunFor(1 * kS);

  CHECK(net.a.seen[client].events[1] == "error: Connection reset by peer");
  CHECK(net.network.ResetHalfDead() == 0);
}

TEST_CASE("a connection that is open at both ends, or still being made, is not reset") {
  TestNetwork net;
  net.Open();
  REQUIRE(net.network.SetConnectRule("a", "b", ConnectRule::kBlackHole).ok());
  net.a.Connect("b", 80);
  net.RunFor(1 * kS);

  CHECK(net.network.ResetHalfDead() == 0);
}

}  // namespace
}  // namespace skysim
