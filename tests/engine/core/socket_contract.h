#ifndef TESTS_ENGINE_CORE_SOCKET_CONTRACT_H_
#define TESTS_ENGINE_CORE_SOCKET_CONTRACT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/core/socket_server.h"
#include "tests/engine/core/socket_fixture.h"

namespace skysim {

// Two nodes that can reach each other, for the contract below.
class ContractWorld {
 public:
  virtual ~ContractWorld() = default;
  virtual Transport& transport(int node) = 0;  // node: 0 or 1
  virtual std::string ip(int node) = 0;
  // Lets time pass until nothing happens any more.
  virtual void Settle() = 0;
};

using MakeContractWorld = std::function<std::unique_ptr<ContractWorld>()>;

// What services of two nodes see through their socket servers must be the same over every
// transport. Each transport's test calls this within a TEST_CASE; each section begins with a fresh
// world.
inline void CheckSocketContract(const MakeContractWorld& make);

namespace socket_contract {

using Events = std::vector<std::string>;

constexpr Handle kOwner[2] = {7, 8};
constexpr uint16_t kPort = 7000;

// One node's sockets, of service 7 on node 0 and 8 on node 1.
struct Side {
  Side(ContractWorld& world, int node)
      : owner(kOwner[node]),
        server(world.transport(node), executor, memory, observer, clock, sink) {}

  bool Send(SocketId id, absl::string_view text) {
    return server.Send(id, Payload::Copy(memory, text));
  }
  SocketId Listen(uint16_t port) {
    absl::StatusOr<SocketId> id = server.Listen(owner, "0.0.0.0", port, 32);
    REQUIRE(id.ok());
    server.Start(owner, *id);
    sink.Take();
    return *id;
  }
  // Events but those of arrived data, whose cutting means nothing.
  Events TakeEvents() {
    Events events;
    for (std::string& event : sink.Take()) {
      if (!absl::StrContains(event, " DATA ")) events.push_back(std::move(event));
    }
    return events;
  }
  std::string Received(SocketId id) { return std::exchange(sink.received[id], ""); }

  const Handle owner;
  CountingMemory memory;
  FakeExecutor executor;
  FakeClock clock;
  FakeObserver observer;
  FakeSink sink{memory};
  SocketServer server;
};

struct Pair {
  explicit Pair(const MakeContractWorld& make)
      : world(make()), client(*world, 0), host(*world, 1) {}

  // A listener on node 1, a connection from node 0 to it, both ends started; events forgotten.
  void Link() {
    Accept();
    host.server.Start(host.owner, accepted);
    host.TakeEvents();
  }
  // The same, but the accepted socket is not started.
  void Accept() {
    listener = host.Listen(kPort);
    connected = client.server.Connect(client.owner, world->ip(1), kPort);
    world->Settle();
    accepted = listener + 1;
    client.TakeEvents();
    host.TakeEvents();
  }

  std::unique_ptr<ContractWorld> world;
  Side client;
  Side host;
  SocketId listener = 0;
  SocketId connected = 0;  // of client
  SocketId accepted = 0;   // of host
};

// Bytes that do not repeat soon, so that a swap or a hole shows.
inline std::string Pattern(size_t size) {
  std::string bytes;
  for (uint32_t i = 0; bytes.size() < size; ++i) absl::StrAppend(&bytes, i, ",");
  bytes.resize(size);
  return bytes;
}

}  // namespace socket_contract

inline void CheckSocketContract(const MakeContractWorld& make) {
  using socket_contract::Events;
  using socket_contract::kPort;
  using socket_contract::Pattern;
  socket_contract::Pair pair(make);
  auto& [world, client, host, listener, connected, accepted] = pair;

  SECTION("a connect is told to both sides, and each end has its own id") {
    listener = host.Listen(kPort);
    connected = client.server.Connect(client.owner, world->ip(1), kPort);
    CHECK(client.TakeEvents().empty());
    world->Settle();

    CHECK(client.TakeEvents() == Events{absl::StrCat("7 CONNECT 1 0 ", world->ip(1))});
    Events events = host.TakeEvents();
    REQUIRE(events.size() == 1);
    CHECK(absl::StartsWith(events[0], absl::StrCat("8 ACCEPT 1 2 ", world->ip(0), ":")));
  }

  SECTION("a connect to a port without a listener is refused") {
    client.server.Connect(client.owner, world->ip(1), kPort);
    world->Settle();

    CHECK(client.TakeEvents() == Events{"7 ERROR 1 0 Connection refused"});
  }

  SECTION("a connect to a name that nobody has fails") {
    client.server.Connect(client.owner, "no-such-host.invalid", kPort);
    world->Settle();

    CHECK(client.TakeEvents() == Events{"7 ERROR 1 0 Name or service not known"});
  }

  SECTION("a port is taken once; port 0 picks a free one that can be connected to") {
    host.Listen(kPort);
    CHECK(host.server.Listen(host.owner, "0.0.0.0", kPort, 32).status().message() ==
          "Listen error: Address already in use");

    REQUIRE(host.server.Listen(host.owner, "0.0.0.0", 0, 32).ok());
    host.server.Start(host.owner, 2);
    SocketInfo info = host.server.Info()[1];
    int port = std::stoi(info.address.substr(info.address.rfind(':') + 1));
    CHECK(host.TakeEvents() ==
          Events{absl::StrCat("8 CONNECT 2 ", port, " 0.0.0.0"), "8 CONNECT 2 0 start"});
    client.server.Connect(client.owner, world->ip(1), static_cast<uint16_t>(port));
    world->Settle();

    CHECK(client.TakeEvents() == Events{absl::StrCat("7 CONNECT 1 0 ", world->ip(1))});
  }

  SECTION("bytes arrive complete and in order, both ways at once") {
    pair.Link();
    std::string forth, back;
    for (size_t i = 1; i <= 300; ++i) {  // 300 x 301 / 2 x 23 = 1 MiB each way
      std::string part = Pattern(i * 23);
      CHECK(client.Send(connected, part));
      CHECK(host.Send(accepted, part + "!"));
      forth += part;
      back += part + "!";
    }
    world->Settle();

    CHECK(host.Received(accepted) == forth);
    CHECK(client.Received(connected) == back);
  }

  SECTION("data sent before the connect has ended arrives") {
    listener = host.Listen(kPort);
    connected = client.server.Connect(client.owner, world->ip(1), kPort);
    CHECK(client.Send(connected, "early "));
    CHECK(client.Send(connected, "bird"));
    world->Settle();
    host.server.Start(host.owner, listener + 1);
    world->Settle();

    CHECK(host.Received(listener + 1) == "early bird");
  }

  SECTION("close with 8 MiB queued delivers all of them, then the end") {
    pair.Link();
    std::string bytes = Pattern(8 << 20);
    client.Send(connected, bytes);

    client.server.Close(connected);
    CHECK(client.TakeEvents() == Events{"7 CLOSE 1 0"});
    world->Settle();

    CHECK(host.Received(accepted) == bytes);
    CHECK(host.TakeEvents() == Events{"8 CLOSE 2 0"});
    CHECK(client.TakeEvents().empty());
    CHECK(client.server.Info().empty());
  }

  SECTION("an accepted socket keeps what came until it is started, the end too") {
    pair.Accept();
    client.Send(connected, "patience");
    client.server.Close(connected);
    world->Settle();
    CHECK(host.TakeEvents().empty());

    host.server.Start(host.owner, accepted);
    world->Settle();

    CHECK(host.TakeEvents() == Events{"8 CONNECT 2 0 start", "8 CLOSE 2 0"});
    CHECK(host.Received(accepted) == "patience");
  }

  SECTION("a paused receiver holds the sender up, and gets everything once resumed") {
    pair.Link();
    host.server.Pause(accepted);
    std::string part = Pattern(1 << 20);
    std::string all;
    for (int i = 0; i < 24; ++i) {  // more than the buffers of any kernel on the way hold
      client.Send(connected, part);
      all += part;
    }
    world->Settle();
    CHECK(client.server.Info()[0].queued_bytes > 1 << 20);
    CHECK(client.server.Info()[0].writing);
    CHECK_FALSE(client.TakeEvents().empty());  // warnings

    host.server.Start(host.owner, accepted);
    world->Settle();

    CHECK(host.Received(accepted) == all);
    CHECK(client.TakeEvents() == Events{"7 WARNING 1 0"});
    CHECK_FALSE(client.server.Info()[0].writing);
  }

  SECTION("writing to a peer that has closed: the close, an error, and the id is dead") {
    pair.Link();
    client.server.Close(connected);
    world->Settle();
    CHECK(host.TakeEvents() == Events{"8 CLOSE 2 0"});

    CHECK(host.Send(accepted, "x"));
    world->Settle();

    CHECK(host.TakeEvents() == Events{"8 ERROR 2 0 Broken pipe"});
    CHECK_FALSE(host.Send(accepted, "y"));
  }

  SECTION("a peer that closes with bytes unread resets: an error, then the close") {
    pair.Link();
    host.server.Pause(accepted);
    client.Send(connected, "unread");
    world->Settle();

    host.server.Shutdown(accepted);
    world->Settle();

    CHECK(client.TakeEvents() == Events{"7 ERROR 1 0 Connection reset by peer", "7 CLOSE 1 0"});
    client.server.Close(connected);
    world->Settle();
    CHECK(client.TakeEvents().empty());
    CHECK(client.server.Info().empty());
  }

  SECTION("a paused socket notices a reset") {
    pair.Link();
    client.server.Pause(connected);
    host.server.Pause(accepted);
    client.Send(connected, "unread");
    world->Settle();

    host.server.Shutdown(accepted);
    world->Settle();

    CHECK(client.TakeEvents() == Events{"7 ERROR 1 0 Connection reset by peer", "7 CLOSE 1 0"});
    CHECK(client.server.Info().empty());
  }

  SECTION("both sides may close at once") {
    pair.Link();
    client.server.Close(connected);
    host.server.Close(accepted);
    world->Settle();

    CHECK(client.TakeEvents() == Events{"7 CLOSE 1 0"});
    CHECK(host.TakeEvents() == Events{"8 CLOSE 2 0"});
    CHECK(client.server.Info().empty());
  }

  SECTION("a closed listener refuses, and leaves its connections alone") {
    pair.Link();
    host.server.Close(listener);
    client.server.Connect(client.owner, world->ip(1), kPort);
    client.Send(connected, "still here");
    world->Settle();

    CHECK(client.TakeEvents() == Events{"7 ERROR 2 0 Connection refused"});
    CHECK(host.Received(accepted) == "still here");
  }

  SECTION("a connect that is closed under way says nothing more") {
    listener = host.Listen(kPort);
    connected = client.server.Connect(client.owner, world->ip(1), kPort);
    client.server.Close(connected);
    world->Settle();

    CHECK(client.TakeEvents() == Events{"7 CLOSE 1 0"});
    CHECK(client.server.Info().empty());
  }

  SECTION("a node connects to itself, under two ids") {
    listener = host.Listen(kPort);
    SocketId id = host.server.Connect(host.owner, "127.0.0.1", kPort);
    world->Settle();
    SocketId other = id + 1;
    host.server.Start(host.owner, other);
    host.Send(id, "to myself");
    world->Settle();

    CHECK(host.Received(other) == "to myself");
  }

  SECTION("datagrams arrive with an address that answers") {
    REQUIRE(host.server.UdpListen(host.owner, "0.0.0.0", 9000).ok());
    absl::StatusOr<SocketId> dialled = client.server.UdpDial(client.owner, world->ip(1), 9000);
    REQUIRE(dialled.ok());
    client.Send(*dialled, "ping");
    world->Settle();
    CHECK(host.TakeEvents() == Events{"8 UDP 1 4 ping"});

    CHECK(host.server.UdpSend(1, host.sink.last_udp_address, Payload::Copy(host.memory, "pong!")));
    world->Settle();

    CHECK(client.TakeEvents() == Events{"7 UDP 1 5 pong!"});
  }
}

}  // namespace skysim

#endif  // TESTS_ENGINE_CORE_SOCKET_CONTRACT_H_
