#include "simnet/live/loopback_transport.h"

#include <string>

#include "absl/strings/match.h"
#include "catch2/catch_test_macros.hpp"
#include "tests/engine/core/fake_transport.h"

namespace skysim {
namespace {

class QuietSink final : public TransportSink {
 public:
  void OnConnected(EndpointId, const Address& peer) override { connected = peer; }
  void OnConnectFailed(EndpointId, absl::string_view error) override { failed = std::string(error); }
  void OnAcceptable(EndpointId) override {}
  void OnReadable(EndpointId) override {}
  void OnWritable(EndpointId) override {}
  void OnBroken(EndpointId, absl::string_view) override {}

  Address connected;
  std::string failed;
};

LoopbackMap TwoNodes() {
  LoopbackMap map(7);
  REQUIRE(map.Add("a", "10.0.0.1").ok());
  REQUIRE(map.Add("b", "10.0.0.2").ok());
  return map;
}

// The transport of node a; b is another.
struct Fixture {
  Fixture() { transport.SetSink(&sink); }

  const LoopbackMap map = TwoNodes();
  FakeTransport sockets;
  LoopbackTransport transport{sockets, map, "a"};
  QuietSink sink;
};

TEST_CASE("each node has an address of its own in 127.0.0.0/8") {
  LoopbackMap map(7);
  REQUIRE(map.Add("a", "10.0.0.1").ok());
  REQUIRE(map.Add("b", "10.0.0.2").ok());

  CHECK(absl::StartsWith(*map.Find("a"), "127."));
  CHECK(*map.Find("a") == *map.Find("10.0.0.1"));
  CHECK(*map.Find("a") != *map.Find("b"));
  CHECK(map.IpOf(*map.Find("b")) == "10.0.0.2");
  CHECK(map.IpOf("127.0.0.1") == "127.0.0.1");
  CHECK(map.Find("c") == nullptr);
}

TEST_CASE("two runs have different addresses") {
  LoopbackMap one(1000), other(1001);
  REQUIRE(one.Add("a", "10.0.0.1").ok());
  REQUIRE(other.Add("a", "10.0.0.1").ok());

  CHECK(*one.Find("a") != *other.Find("a"));
}

TEST_CASE("a 251st node is refused") {
  LoopbackMap map(1);
  for (int i = 0; i < 250; ++i) {
    REQUIRE(map.Add("n" + std::to_string(i), "10.0.0." + std::to_string(i)).ok());
  }
  CHECK(map.Add("last", "10.0.1.1").message() == "more than 250 nodes do not fit on real sockets");
}

TEST_CASE("a node listens on its own loopback address, whatever it calls it") {
  for (const char* host : {"0.0.0.0", "10.0.0.1", "127.0.0.1", "localhost", "a", "::"}) {
    Fixture f;
    auto listening = f.transport.Listen(host, 7001, 32);

    REQUIRE(listening.ok());
    CHECK(f.sockets[listening->endpoint].local == Address{*f.map.Find("a"), 7001});
  }
}

TEST_CASE("a listener tells the address that it was asked for") {
  Fixture f;

  CHECK(f.transport.Listen("0.0.0.0", 7001, 32)->address == Address{"0.0.0.0", 7001});
  CHECK(f.transport.Listen("10.0.0.1", 7002, 32)->address == Address{"10.0.0.1", 7002});
}

TEST_CASE("a node cannot listen on another's address") {
  Fixture f;

  CHECK(f.transport.Listen("10.0.0.2", 7001, 32).status().message() ==
        "Cannot assign requested address");
  CHECK(f.transport.OpenUdp("10.9.9.9", 7001).status().message() ==
        "Cannot assign requested address");
}

TEST_CASE("connects go to the loopback address of a node's name or ip, and tell its ip") {
  for (const char* host : {"b", "10.0.0.2"}) {
    Fixture f;
    EndpointId id = f.transport.Connect(host, 80);
    CHECK(f.sockets[id].peer == Address{*f.map.Find("b"), 80});

    f.sockets.FinishConnect(id, *f.map.Find("b"));

    CHECK(f.sink.connected == Address{"10.0.0.2", 80});
  }
}

TEST_CASE("127.0.0.1 is the node itself") {
  Fixture f;
  CHECK(f.sockets[f.transport.Connect("127.0.0.1", 80)].peer.host == *f.map.Find("a"));
}

TEST_CASE("a host that the scenario does not know is nowhere") {
  Fixture f;

  CHECK(f.sockets[f.transport.Connect("93.184.216.34", 80)].peer.host == "240.0.0.1");
  CHECK(f.sockets[f.transport.Connect("example.com", 80)].peer.host == "240.0.0.1");
  CHECK(f.transport.ResolveHost("example.com").status().message() == "Name or service not known");
}

TEST_CASE("accepted peers have the scenario's ip") {
  Fixture f;
  auto listening = f.transport.Listen("0.0.0.0", 7001, 32);
  f.sockets[listening->endpoint].waiting.push_back({*f.map.Find("b"), 40001});

  CHECK(f.transport.Accept(listening->endpoint)->peer == Address{"10.0.0.2", 40001});
}

TEST_CASE("names resolve to the scenario's ip") {
  Fixture f;
  CHECK(*f.transport.ResolveHost("b") == std::vector<std::string>{"10.0.0.2"});
  CHECK(*f.transport.ResolveHost("localhost") == std::vector<std::string>{"127.0.0.1"});
}

TEST_CASE("datagrams are translated both ways") {
  Fixture f;
  EndpointId id = *f.transport.OpenUdp("", 0);
  CHECK(f.sockets[id].local.host == *f.map.Find("a"));

  f.transport.SendTo(id, {"10.0.0.2", 9}, "out");
  f.sockets[id].datagrams.push_back({{*f.map.Find("b"), 9}, "in"});

  CHECK(f.sockets[id].sent[0].from == Address{*f.map.Find("b"), 9});
  CHECK(f.transport.ReceiveFrom(id)->from == Address{"10.0.0.2", 9});
}

}  // namespace
}  // namespace skysim
