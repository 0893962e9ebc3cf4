#include "tests/contract/transport_contract.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "tests/contract/contract_node.h"

namespace skysim {
namespace {

// More than the buffers of any kernel on the way hold.
constexpr size_t kMoreThanBuffers = 24u << 20;

// Bytes that do not repeat soon, so that a swap or a hole shows.
std::string Pattern(size_t size) {
  std::string bytes;
  for (uint32_t i = 0; bytes.size() < size; ++i) absl::StrAppend(&bytes, i, ",");
  bytes.resize(size);
  return bytes;
}

// Writes until nothing more goes into `client` and nothing is taken out of it at the far end.
// Returns how much that was.
size_t Fill(ContractNet& net, EndpointId client) {
  const std::string bytes(1 << 20, 'x');
  size_t all = 0;
  while (true) {
    const WriteResult result = net.node0.Write(client, bytes);
    REQUIRE(result.error.empty());
    if (result.size == 0) return all;
    all += result.size;
    REQUIRE(all < kMoreThanBuffers);
    if (result.size < bytes.size()) net.Settle();
  }
}

}  // namespace

void CheckConnecting(const MakeTransportWorld& make) {
  ContractNet net(make);
  const auto& world = net.world;
  ContractNode &node0 = net.node0, &node1 = net.node1;

  SECTION("a connect is told to both ends, each with the address of the other") {
    const Address at = node1.Listen(world->ip(1)).address;
    const EndpointId client = node0.Connect(world->ip(1), at.port);
    REQUIRE(net.WaitUntil([&] { return node1.Accepted().size() == 2; }));
    const Transport::Accepted accepted = node1.Accepted()[1];
    net.Settle();

    CHECK(at.host == world->ip(1));
    CHECK(node0.Of(client).events == Events{absl::StrCat("connected ", at.ToString())});
    CHECK(accepted.peer == node0.LocalAddress(client));
    CHECK(node1.LocalAddress(accepted.endpoint) == at);
    CHECK_FALSE(node0.WasCalledInside());
  }

  SECTION("a connect to a port without a listener is refused, once, outside the call") {
    const Transport::Listening listening = node1.Listen();
    node1.Close(listening.endpoint);
    const EndpointId client = node0.Connect(world->ip(1), listening.address.port);
    REQUIRE(net.WaitUntil([&] { return !node0.Of(client).events.empty(); }));
    net.Settle();

    CHECK(node0.Of(client).events == Events{"failed: Connection refused"});
    CHECK(node0.LocalAddress(client) == Address());  // it is gone by itself
    node0.Close(client);
    CHECK_FALSE(node0.WasCalledInside());
  }

  SECTION("a connection reads from its beginning, and is not asked to write") {
    const uint16_t port = node1.Listen().address.port;
    const EndpointId client = node0.Connect(world->ip(1), port);
    REQUIRE(net.WaitUntil([&] { return node1.Accepted().size() == 2; }));
    node1.Send(node1.Accepted()[1].endpoint, "welcome");

    CHECK(net.WaitUntil([&] { return node0.Received(client) == 7; }));
    CHECK(node0.Of(client).writable == 0);
  }

  SECTION("a connect that is closed at once says nothing more") {
    const uint16_t port = node1.Listen().address.port;
    EndpointId client = 0;
    net.InCallbackOf0([&](Transport& transport) {
      client = transport.Connect(world->ip(1), port);
      transport.Close(client);
    });
    net.Settle();

    CHECK(client != 0);
    CHECK(node0.Of(client).events.empty());
  }

  SECTION("a connect to a name under way is closed without a word") {
    EndpointId client = 0;
    net.InCallbackOf0([&](Transport& transport) {
      client = transport.Connect("nowhere", 80);
      transport.Close(client);
    });
    const EndpointId after = node0.Connect("nowhere", 80);
    REQUIRE(net.WaitUntil([&] { return !node0.Of(after).events.empty(); }));

    CHECK(node0.Of(client).events.empty());
  }

  SECTION("a node connects to itself") {
    const uint16_t port = node1.Listen("0.0.0.0").address.port;
    const EndpointId client = node1.Connect("127.0.0.1", port);
    node1.Send(client, "");
    REQUIRE(net.WaitUntil([&] { return node1.Accepted().size() == 2; }));
    const Transport::Accepted accepted = node1.Accepted()[1];
    node1.Send(accepted.endpoint, "to myself");
    REQUIRE(net.WaitUntil([&] { return node1.Received(client) == 9; }));

    CHECK(accepted.endpoint != client);
    CHECK(accepted.peer.host == "127.0.0.1");
    CHECK(node1.Of(client).bytes == "to myself");
  }

  SECTION("an IPv6 address has no brackets") {
    if (!world->has_ipv6()) {
      CHECK_FALSE(node1.ListenError("::1", 0).ok());
    } else {
      const Address at = node1.Listen("::1").address;
      const EndpointId client = node1.Connect("::1", at.port);
      REQUIRE(net.WaitUntil([&] { return node1.Accepted().size() == 2; }));
      REQUIRE(net.WaitUntil([&] { return !node1.Of(client).events.empty(); }));

      CHECK(at.host == "::1");
      CHECK(node1.Of(client).events == Events{absl::StrCat("connected ::1:", at.port)});
      CHECK(node1.Accepted()[1].peer == node1.LocalAddress(client));
    }
  }

  SECTION("an id is never used again, whatever it named") {
    std::set<EndpointId> ids;
    for (int i = 0; i < 50; ++i) {
      const EndpointId listener = node0.Listen("", 0, false).endpoint, udp = node0.OpenUdp("");
      const EndpointId connecting = node0.Connect("0.0.0.0", 1);
      for (EndpointId id : {listener, udp, connecting}) {
        CHECK(id > 0);
        CHECK(ids.insert(id).second);
        node0.Close(id);
      }
    }
  }
}

void CheckListening(const MakeTransportWorld& make) {
  ContractNet net(make);
  const auto& world = net.world;
  ContractNode &node0 = net.node0, &node1 = net.node1;

  SECTION("port 0 takes a free port, and says which") {
    const Transport::Listening first = node1.Listen(), second = node1.Listen();

    CHECK(first.address.port != 0);
    CHECK(second.address.port != first.address.port);
    CHECK(first.address.host == "0.0.0.0");
    CHECK(node1.LocalAddress(first.endpoint) == first.address);
  }

  SECTION("a port is taken once, and free again when its listener is closed") {
    const Transport::Listening listening = node1.Listen();
    const absl::Status taken = node1.ListenError("0.0.0.0", listening.address.port);
    CHECK(taken.code() == absl::StatusCode::kAlreadyExists);
    CHECK(taken.message() == "Address already in use");

    node1.Close(listening.endpoint);

    CHECK(node1.Listen("0.0.0.0", listening.address.port).address == listening.address);
  }

  SECTION("an address of nobody here cannot be bound") {
    const absl::Status status = node1.ListenError("203.0.113.1", 0);  // RFC 5737: nobody's
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(status.message() == "Cannot assign requested address");
  }

  SECTION("the empty host is every address") {
    CHECK(node1.Listen("").address.host == "0.0.0.0");
  }

  SECTION("a listener is silent until it is read, and then asks until all are accepted") {
    const Transport::Listening listening = node1.Listen("0.0.0.0", 0, false);
    node1.TakeInHand(listening.endpoint);
    const EndpointId client0 = node0.Connect(world->ip(1), listening.address.port);
    const EndpointId client1 = node0.Connect(world->ip(1), listening.address.port);
    REQUIRE(net.WaitUntil([&] {
      return node0.Of(client0).events.size() == 1 && node0.Of(client1).events.size() == 1;
    }));
    net.Settle();
    CHECK(node1.Of(listening.endpoint).acceptable == 0);

    node1.SetReading(listening.endpoint, true);
    REQUIRE(net.WaitUntil([&] { return node1.Of(listening.endpoint).acceptable >= 3; }));
    const auto first = node1.Accept(listening.endpoint), second = node1.Accept(listening.endpoint);
    REQUIRE((first.ok() && second.ok()));
    const std::set<uint16_t> ports = {first->peer.port, second->peer.port};
    CHECK(ports == std::set<uint16_t>{node0.LocalAddress(client0).port,
                                      node0.LocalAddress(client1).port});
    CHECK(node1.Accept(listening.endpoint).status().code() == absl::StatusCode::kNotFound);
    net.Settle();
    const int acceptable = node1.Of(listening.endpoint).acceptable;
    net.Settle();
    CHECK(node1.Of(listening.endpoint).acceptable == acceptable);
  }

  SECTION("a closed listener refuses, and leaves its connections alone") {
    const Transport::Listening listening = node1.Listen();
    const EndpointId client = node0.Connect(world->ip(1), listening.address.port);
    REQUIRE(net.WaitUntil([&] { return node1.Accepted().size() == 2; }));

    node1.Close(listening.endpoint);
    const EndpointId late = node0.Connect(world->ip(1), listening.address.port);
    node1.Send(node1.Accepted()[1].endpoint, "still here");

    CHECK(net.WaitUntil([&] { return node0.Received(client) == 10; }));
    CHECK(net.WaitUntil([&] { return !node0.Of(late).events.empty(); }));
    CHECK(node0.Of(late).events == Events{"failed: Connection refused"});
  }

  SECTION("a connection that waits when its listener is closed is reset") {
    const Transport::Listening listening = node1.Listen("0.0.0.0", 0, false);
    const EndpointId client = node0.Connect(world->ip(1), listening.address.port);
    REQUIRE(net.WaitUntil([&] { return !node0.Of(client).events.empty(); }));
    net.Settle();

    node1.Close(listening.endpoint);

    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() >= 3; }));
    CHECK(node0.Of(client).events[1] == "error: Connection reset by peer");
    CHECK(node0.Of(client).events[2] == "end");
  }

  SECTION("what arrives before an accepted connection is read is kept, the end too") {
    const auto link = net.Link(false);
    const EndpointId client = link.first, server = link.second;
    node0.Send(client, "patience");
    node0.Close(client);
    net.Settle();
    CHECK(node1.Of(server).readable == 0);

    node1.SetReading(server, true);

    REQUIRE(net.WaitUntil([&] { return !node1.Of(server).events.empty(); }));
    CHECK(node1.Of(server).events == Events{"end"});
    CHECK(node1.Of(server).bytes == "patience");
  }
}

void CheckReadiness(const MakeTransportWorld& make) {
  ContractNet net(make);
  ContractNode &node0 = net.node0, &node1 = net.node1;
  const auto link = net.Link(false);
  const EndpointId client = link.first, server = link.second;

  SECTION("reading is reported for as long as bytes are left") {
    node1.TakeInHand(server);
    node0.Send(client, "ab");
    node1.SetReading(server, true);
    REQUIRE(net.WaitUntil([&] { return node1.Of(server).readable >= 3; }));

    CHECK(node1.Read(server, 1) == "a");
    const int readable = node1.Of(server).readable;
    REQUIRE(net.WaitUntil([&] { return node1.Of(server).readable >= readable + 2; }));
    CHECK(node1.Read(server, 10) == "b");
    CHECK(node1.Read(server, 10) == "(nothing)");
    net.Settle();
    const int silent = node1.Of(server).readable;
    net.Settle();
    CHECK(node1.Of(server).readable == silent);
  }

  SECTION("reading that is switched off is not reported, and its bytes wait") {
    node1.TakeInHand(server);
    node1.SetReading(server, true);
    node0.Send(client, "later");
    REQUIRE(net.WaitUntil([&] { return node1.Of(server).readable > 0; }));

    node1.SetReading(server, false);
    net.Settle();
    const int readable = node1.Of(server).readable;
    net.Settle();
    CHECK(node1.Of(server).readable == readable);

    node1.SetReading(server, true);
    REQUIRE(net.WaitUntil([&] { return node1.Of(server).readable > readable; }));
    CHECK(node1.Read(server, 10) == "later");
  }

  SECTION("writing is reported while there is room and it is switched on") {
    node0.TakeInHand(client);
    net.Settle();
    CHECK(node0.Of(client).writable == 0);

    node0.SetWriting(client, true);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).writable >= 3; }));

    node0.SetWriting(client, false);
    net.Settle();
    const int writable = node0.Of(client).writable;
    net.Settle();
    CHECK(node0.Of(client).writable == writable);
  }

  SECTION("a full connection takes nothing, and asks again when the far end has read") {
    const size_t filled = Fill(net, client);
    node0.TakeInHand(client);
    node0.SetWriting(client, true);
    net.Settle();
    CHECK(node0.Of(client).writable == 0);

    node1.SetReading(server, true);

    REQUIRE(net.WaitUntil([&] { return node0.Of(client).writable > 0; }));
    REQUIRE(net.WaitUntil([&] { return node1.Received(server) == filled; }));
    CHECK(node0.Write(client, "x").size == 1);
  }

  SECTION("an endpoint that was closed is dead: no callback, and calls find nobody") {
    node1.TakeInHand(server);
    node0.Send(client, "unread");
    node1.SetReading(server, true);
    REQUIRE(net.WaitUntil([&] { return node1.Of(server).readable > 0; }));

    node1.Close(server);
    net.Settle();
    const int readable = node1.Of(server).readable;
    net.Settle();

    CHECK(node1.Of(server).readable == readable);
    node1.SetReading(server, true);
    node1.SetWriting(server, true);
    CHECK(node1.Read(server, 10) == "(nothing)");
    CHECK(node1.Write(server, "x").size == 0);
    CHECK(node1.Accept(server).status().code() == absl::StatusCode::kNotFound);
    CHECK(node1.LocalAddress(server) == Address());
    node1.Close(server);
    net.Settle();
    CHECK(node1.Of(server).readable == readable);
    CHECK(node1.Of(server).writable == 0);
  }
}

void CheckStreams(const MakeTransportWorld& make) {
  ContractNet net(make);
  ContractNode &node0 = net.node0, &node1 = net.node1;
  const auto link = net.Link();
  const EndpointId client = link.first, server = link.second;

  SECTION("bytes arrive complete and in order, both ways at once") {
    std::string forth, back;
    for (size_t i = 1; i <= 300; ++i) {  // 300 x 301 / 2 x 23 = 1 MiB each way
      const std::string part = Pattern(i * 23);
      node0.Send(client, part);
      node1.Send(server, part + "!");
      forth += part;
      back += part + "!";
    }
    REQUIRE(net.WaitUntil([&] {
      return node1.Received(server) >= forth.size() && node0.Received(client) >= back.size();
    }));

    CHECK(node1.Of(server).bytes == forth);
    CHECK(node0.Of(client).bytes == back);
  }

  SECTION("more than the buffers hold goes in parts") {
    const std::string bytes = Pattern(kMoreThanBuffers);
    node0.Send(client, bytes);
    REQUIRE(net.WaitUntil([&] { return node1.Received(server) >= bytes.size(); }));

    CHECK(node1.Of(server).bytes == bytes);
    CHECK(node0.Of(client).events.size() == 1);  // connected
  }

  SECTION("without delay the bytes are the same") {
    node0.Do([&](Transport& t) { t.SetNoDelay(client); });
    for (int i = 0; i < 100; ++i) node0.Send(client, "x");

    CHECK(net.WaitUntil([&] { return node1.Received(server) == 100; }));
  }

  SECTION("closing ends the stream after what was written") {
    const std::string bytes = Pattern(100'000);
    REQUIRE(node0.Write(client, bytes).size == bytes.size());
    node0.Close(client);
    REQUIRE(net.WaitUntil([&] { return !node1.Of(server).events.empty(); }));

    CHECK(node1.Of(server).bytes == bytes);
    CHECK(node1.Of(server).events == Events{"end"});
  }

  SECTION("the end is read again and again, and is reported while reading is on") {
    node1.TakeInHand(server);
    node0.Do([&](Transport& t) { t.ShutdownWrite(client); });
    REQUIRE(net.WaitUntil([&] { return node1.Of(server).readable >= 1; }));
    CHECK(node1.Read(server, 10) == "(end)");
    const int readable = node1.Of(server).readable;
    REQUIRE(net.WaitUntil([&] { return node1.Of(server).readable >= readable + 2; }));
    CHECK(node1.Read(server, 10) == "(end)");
    node1.SetReading(server, false);

    CHECK(node1.Of(server).events.empty());  // nothing broke
  }

  SECTION("a half-closed connection carries bytes the other way") {
    node0.Send(client, "question");
    node0.Do([&](Transport& t) { t.ShutdownWrite(client); });
    REQUIRE(net.WaitUntil([&] { return !node1.Of(server).events.empty(); }));
    CHECK(node1.Of(server).bytes == "question");

    node1.Send(server, "answer");
    node1.Close(server);

    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() >= 2; }));
    CHECK(node0.Of(client).bytes == "answer");
    CHECK(node0.Of(client).events[1] == "end");
  }

  SECTION("a side that is shut for writing breaks the pipe") {
    node0.Do([&](Transport& t) { t.ShutdownWrite(client); });
    const WriteResult result = node0.Write(client, "x");

    CHECK(result.size == 0);
    CHECK(result.error == "Broken pipe");
  }

  SECTION("a side that is shut for reading has ended") {
    node0.Do([&](Transport& t) { t.ShutdownRead(client); });
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() == 2; }));

    CHECK(node0.Of(client).events[1] == "end");
    node0.Send(client, "can still write");
    CHECK(net.WaitUntil([&] { return node1.Received(server) == 15; }));
  }
}

void CheckBreaks(const MakeTransportWorld& make) {
  ContractNet net(make);
  ContractNode &node0 = net.node0, &node1 = net.node1;
  const auto link = net.Link(false);
  const EndpointId client = link.first, server = link.second;
  const std::string connected = node0.Of(client).events[0];

  SECTION("closing with bytes unread resets: the reader gets an error, the end, a hang-up") {
    net.Reset(client, server);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() == 4; }));
    net.Settle();

    CHECK(node0.Of(client).events ==
          Events{connected, "error: Connection reset by peer", "end", "broken: "});
    CHECK(node0.Write(client, "x").error == "Broken pipe");
  }

  SECTION("what came before a reset is read before it") {
    node0.SetReading(client, false);
    node1.Send(server, "last words");
    net.Settle();
    node0.TakeInHand(client);
    node0.SetReading(client, true);
    net.Reset(client, server);
    net.Settle();

    CHECK(node0.Read(client, 100) == "last words");
    CHECK(node0.Read(client, 100) == "(error: Connection reset by peer)");
    CHECK(node0.Read(client, 100) == "(end)");
    node0.SetReading(client, false);
  }

  SECTION("a writer gets the error of a reset, once, and a broken pipe from then on") {
    node0.TakeInHand(client);
    node0.SetReading(client, false);
    Fill(net, client);
    node0.SetWriting(client, true);
    node1.Close(server);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).writable > 0; }));

    CHECK(node0.Write(client, "x").error == "Connection reset by peer");
    CHECK(node0.Write(client, "x").error == "Broken pipe");
    CHECK(node0.Of(client).events == Events{connected});
    node0.SetWriting(client, false);
  }

  SECTION("a reset with nothing switched on is told, once") {
    node0.SetReading(client, false);
    net.Reset(client, server);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() == 2; }));
    net.Settle();

    CHECK(node0.Of(client).events == Events{connected, "broken: Connection reset by peer"});
    CHECK(node0.Write(client, "x").error == "Broken pipe");
    CHECK(node0.Read(client, 10) == "(end)");
  }

  SECTION("a connection that was never read is told of a reset") {
    node0.TakeInHand(client);
    node1.Send(server, "unread");
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).readable > 0; }));
    node0.Close(client);
    REQUIRE(net.WaitUntil([&] { return !node1.Of(server).events.empty(); }));
    net.Settle();

    CHECK(node1.Of(server).events == Events{"broken: Connection reset by peer"});
  }

  SECTION("a connection that ended both ways hangs up, once, when nothing is switched on") {
    node0.Do([&](Transport& t) { t.ShutdownWrite(client); });
    node1.Close(server);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() == 3; }));
    net.Settle();
    CHECK(node0.Of(client).events == Events{connected, "end", "broken: "});

    node0.TakeInHand(client);
    const int readable = node0.Of(client).readable;
    node0.SetReading(client, true);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).readable > readable; }));
    node0.SetReading(client, false);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() == 4; }));
    CHECK(node0.Of(client).events[3] == "broken: ");
  }

  SECTION("a reset after the end is told as a broken pipe, with nothing switched on") {
    node1.Close(server);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() == 2; }));
    REQUIRE(node0.Of(client).events[1] == "end");

    CHECK(node0.Write(client, "to nobody").size == 9);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() == 3; }));
    net.Settle();

    CHECK(node0.Of(client).events == Events{connected, "end", "broken: Broken pipe"});
    CHECK(node0.Write(client, "x").error == "Broken pipe");
  }

  SECTION("a reset after the end is told so with writing switched on as well") {
    node1.Close(server);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() == 2; }));
    node0.TakeInHand(client);
    node0.SetWriting(client, true);

    CHECK(node0.Write(client, "to nobody").size == 9);
    REQUIRE(net.WaitUntil([&] { return node0.Of(client).events.size() == 3; }));
    net.Settle();
    node0.SetWriting(client, false);

    CHECK(node0.Of(client).events[2] == "broken: Broken pipe");
  }
}

void CheckDatagrams(const MakeTransportWorld& make) {
  ContractNet net(make);
  const auto& world = net.world;
  ContractNode &node0 = net.node0, &node1 = net.node1;
  const EndpointId bound = node1.OpenUdp(world->ip(1));
  const Address to = node1.LocalAddress(bound);

  SECTION("a datagram arrives whole, with an address that answers") {
    node1.SetReading(bound, true);
    const EndpointId unbound = node0.OpenUdp("");
    CHECK(node0.LocalAddress(unbound).port == 0);
    CHECK(node0.SendTo(unbound, to, "ping").size == 4);
    const uint16_t port = node0.LocalAddress(unbound).port;
    CHECK(port != 0);
    REQUIRE(net.WaitUntil([&] { return !node1.Of(bound).events.empty(); }));
    const Address from = {world->ip(0), port};
    CHECK(node1.Of(bound).events == Events{absl::StrCat("from ", from.ToString(), ": ping")});

    node0.SetReading(unbound, true);
    CHECK(node1.SendTo(bound, from, "pong!").size == 5);

    REQUIRE(net.WaitUntil([&] { return !node0.Of(unbound).events.empty(); }));
    CHECK(node0.Of(unbound).events == Events{absl::StrCat("from ", to.ToString(), ": pong!")});
  }

  SECTION("datagrams wait, and are reported, only while reading is on") {
    node1.TakeInHand(bound);
    const EndpointId sender = node0.OpenUdp("");
    node0.SendTo(sender, to, "");
    net.Settle();
    CHECK(node1.Of(bound).readable == 0);

    node1.SetReading(bound, true);
    REQUIRE(net.WaitUntil([&] { return node1.Of(bound).readable >= 3; }));
    auto receive = [&](Transport& t) { return t.ReceiveFrom(bound); };
    const absl::StatusOr<Datagram> datagram = node1.Do(receive);
    REQUIRE(datagram.ok());
    CHECK(datagram->bytes.empty());  // a datagram of nothing is one all the same
    CHECK(datagram->from.port == node0.LocalAddress(sender).port);
    CHECK(node1.Do(receive).status().code() == absl::StatusCode::kNotFound);
    net.Settle();
    const int readable = node1.Of(bound).readable;
    net.Settle();
    CHECK(node1.Of(bound).readable == readable);
  }

  SECTION("the largest datagram has 65507 bytes") {
    node1.SetReading(bound, true);
    const EndpointId sender = node0.OpenUdp("");
    const std::string bytes = Pattern(65'507);  // 65535 - 8 (UDP header) - 20 (IPv4 header)

    const WriteResult refused = node0.SendTo(sender, to, bytes + "!");
    CHECK(refused.size == 0);
    CHECK(refused.error == "Message too long");
    CHECK(node0.SendTo(sender, to, bytes).size == bytes.size());

    REQUIRE(net.WaitUntil([&] { return !node1.Of(bound).events.empty(); }));
    CHECK(node1.Of(bound).events.size() == 1);
    CHECK(absl::EndsWith(node1.Of(bound).events[0], absl::StrCat(": ", bytes)));
  }

  SECTION("a port of UDP is taken once, and is another than TCP's of that number") {
    auto open = [&](Transport& t) { return t.OpenUdp(to.host, to.port); };
    const absl::Status taken = node1.Do(open).status();
    CHECK(taken.code() == absl::StatusCode::kAlreadyExists);
    CHECK(taken.message() == "Address already in use");

    node1.Close(bound);
    CHECK(node1.Do(open).ok());
  }

  SECTION("a UDP socket is writable when asked") {
    CHECK(node1.Of(bound).writable == 0);
    node1.TakeInHand(bound);
    node1.SetWriting(bound, true);
    CHECK(net.WaitUntil([&] { return node1.Of(bound).writable >= 2; }));
    node1.SetWriting(bound, false);
  }

  SECTION("a datagram for a port that nobody has is lost without a word") {
    node1.Close(bound);
    const EndpointId sender = node0.OpenUdp("");
    node0.SetReading(sender, true);

    CHECK(node0.SendTo(sender, to, "anybody?").size == 8);
    net.Settle();

    CHECK(node0.Of(sender).events.empty());
    CHECK(node0.SendTo(sender, to, "anybody?").size == 8);
  }
}

void CheckNames(const MakeTransportWorld& make) {
  ContractNet net(make);
  const auto& world = net.world;
  ContractNode &node0 = net.node0, &node1 = net.node1;
  auto resolve = [&](const std::string& host) {
    return node0.Do([&](Transport& t) { return t.ResolveHost(host); });
  };

  SECTION("a name is connected to, and listened on") {
    const Address at = node1.Listen(world->name(1)).address;
    const EndpointId client = node0.Connect(world->name(1), at.port);
    REQUIRE(net.WaitUntil([&] { return !node0.Of(client).events.empty(); }));

    CHECK(at.host == world->ip(1));
    CHECK(node0.Of(client).events == Events{absl::StrCat("connected ", at.ToString())});
    CHECK_FALSE(node0.WasCalledInside());
  }

  SECTION("a name that nobody has: the connect fails, once, outside the call") {
    const EndpointId client = node0.Connect("nowhere", 80);
    REQUIRE(net.WaitUntil([&] { return !node0.Of(client).events.empty(); }));
    net.Settle();

    CHECK(node0.Of(client).events == Events{"failed: Name or service not known"});
    CHECK_FALSE(node0.WasCalledInside());
  }

  SECTION("a name that nobody has is not found") {
    for (const absl::Status& status :
         {resolve("nowhere").status(), node0.ListenError("nowhere", 0)}) {
      CHECK(status.code() == absl::StatusCode::kNotFound);
      CHECK(status.message() == "Name or service not known");
    }
  }

  SECTION("names have numeric addresses, and a literal is its own") {
    CHECK(*resolve(world->name(1)) == std::vector<std::string>{world->ip(1)});
    CHECK(*resolve("10.1.2.3") == std::vector<std::string>{"10.1.2.3"});
    CHECK(*resolve("::1") == std::vector<std::string>{"::1"});
  }

  SECTION("a machine has a name") {
    CHECK_FALSE(node0.Do([](Transport& t) { return t.HostName(); }).empty());
  }
}

}  // namespace skysim
