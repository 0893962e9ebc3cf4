// Ids, events and states; closing, writing and the rest are in socket_contract_streams.cc.
#include "tests/contract/socket_contract.h"

#include <fcntl.h>
#include <unistd.h>

#include <limits>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "tests/contract/socket_net.h"

namespace skysim {

void CheckSocketIds(const MakeTransportWorld& make) {
  SECTION("ids count from 1, wrap to 1 and are not reused") {
    constexpr SocketId kMax = std::numeric_limits<SocketId>::max();
    SocketNet net(make, {/*first_id=*/kMax, 0});  // which the fence has
    const auto [id, far] = net.Link();
    net.server.Close(id);
    const auto [next, next_far] = net.Link();
    net.peer.Send(next_far, "to 2");

    CHECK(id == 1);
    CHECK(next == 2);
    CHECK(net.Gets(next, "to 2"));
  }

  SECTION("an id whose slot is busy is skipped, and a stale id reaches nobody") {
    constexpr int kSlots = 65536;
    SocketNet net(make);
    const auto [busy, far] = net.Link();
    const auto [stale, stale_far] = net.Link();
    net.server.Close(stale);
    net.owners.Take(stale);
    SocketId last = stale;
    while (last < kSlots) {  // slots 1, the fence's, and 2 come next
      last = *net.server.Udp(kOwner, "", 0);
      net.server.Close(last);
    }
    const auto [id, id_far] = net.Link();

    REQUIRE(last == kSlots);
    REQUIRE(busy == 2);
    REQUIRE(id == stale + kSlots);
    CHECK_FALSE(net.Send(stale, "x"));
    net.server.Shutdown(stale);
    CHECK(net.Send(id, "mine"));
    CHECK(net.Send(busy, "as before"));
    CHECK(net.PeerGets(id_far, "mine"));
    CHECK(net.PeerGets(far, "as before"));
    CHECK(net.owners.Take(stale).empty());
  }

  SECTION("a node connects to itself under two ids") {
    SocketNet net(make);
    const auto [listener, port] = net.Listen();
    const SocketId id = net.server.Connect(kOwner, net.world->ip(1), port);
    REQUIRE(net.WaitUntil([&] { return net.owners.Accepted().size() == 1; }));
    const SocketId other = net.owners.Accepted()[0];
    net.server.Start(kOwner, other);
    net.Send(id, "forth");
    net.Send(other, "back");

    CHECK(id != other);
    CHECK(net.Gets(other, "forth"));
    CHECK(net.Gets(id, "back"));
  }
}

void CheckSocketEvents(const MakeTransportWorld& make) {
  SocketNet net(make);
  const std::string node_ip = net.world->ip(1), peer_ip = net.world->ip(0);

  SECTION("data is told with its size, complete and in order, both ways at once") {
    const auto [id, far] = net.Link();
    std::string forth, back;
    for (size_t i = 1; i <= 300; ++i) {  // 300 x 301 / 2 x 23 = 1 MiB each way
      const std::string part = SocketNet::Pattern(i * 23);
      CHECK(net.Send(id, part));
      net.peer.Send(far, part + "!");
      forth += part;
      back += part + "!";
    }

    CHECK(net.PeerGets(far, forth));
    CHECK(net.Gets(id, back));
    CHECK(net.Await(id, 1) == Events{"7 DATA"});
    CHECK_FALSE(net.owners.SawEmptyData());
  }

  SECTION("a finished connect is told with the peer's numeric address, without port") {
    const uint16_t port = net.peer.Listen(peer_ip).address.port;
    const SocketId id = net.server.Connect(kOwner, net.world->name(0), port);

    CHECK(net.Await(id, 1) == Events{absl::StrCat("7 CONNECT 0 ", peer_ip)});
  }

  SECTION("listen tells its real port and address") {
    const absl::StatusOr<SocketId> first = net.server.Listen(kOwner, "", 0, 32);
    const absl::StatusOr<SocketId> second = net.server.Listen(kOwner, node_ip, 0, 32);
    REQUIRE((first.ok() && second.ok()));
    const std::string first_at = net.Info(*first)->address, second_at = net.Info(*second)->address;
    const auto event = [](const std::string& at) {
      const size_t colon = at.rfind(':');
      return absl::StrCat("7 CONNECT ", at.substr(colon + 1), " ", at.substr(0, colon));
    };

    CHECK(absl::StartsWith(first_at, "0.0.0.0:"));
    CHECK(absl::StartsWith(second_at, node_ip + ":"));
    CHECK_FALSE(absl::EndsWith(second_at, ":0"));
    CHECK(net.owners.Take(*first) == Events{event(first_at)});
    CHECK(net.owners.Take(*second) == Events{event(second_at)});
  }

  SECTION("listen on a port that is taken fails at once") {
    const auto [listener, port] = net.Listen();

    CHECK(net.server.Listen(kOwner, node_ip, port, 32).status().message() ==
          "Listen error: Address already in use");
  }

  SECTION("start answers start on a listener and an accepted socket, transfer on a running one") {
    const absl::StatusOr<SocketId> listener = net.server.Listen(kOwner, node_ip, 0, 32);
    net.owners.Take(*listener);
    net.server.Start(kOwner, *listener);
    const auto [accepted, client] = net.Accept();
    net.server.Start(kOwner, accepted);
    const auto [id, far] = net.Link();
    net.server.Start(kOwner, id);

    CHECK(net.owners.Take(*listener) == Events{"7 CONNECT 0 start"});
    CHECK(net.owners.Take(accepted) == Events{"7 CONNECT 0 start"});
    CHECK(net.owners.Take(id) == Events{"7 CONNECT 0 transfer"});
  }

  SECTION("bind answers binding, reads and writes, or is refused") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    absl::Cleanup close_reading = [&] { close(ends[0]); };
    const absl::StatusOr<SocketId> id = net.server.Bind(kOwner, ends[0]);
    if (!id.ok()) {
      CHECK(id.status() == absl::UnimplementedError("bind is not available here"));
      close(ends[1]);
      return;
    }
    net.server.Start(kOwner, *id);  // silent
    REQUIRE(write(ends[1], "through the pipe", 16) == 16);
    close(ends[1]);

    CHECK(net.Await(*id, 3) == Events{"7 CONNECT 0 binding", "7 DATA", "7 CLOSE 0"});
    CHECK(net.owners.Bytes(*id) == "through the pipe");
    net.server.Close(*id);
    CHECK(net.IsGone(*id));
    CHECK(fcntl(ends[0], F_GETFD) == 0);  // not ours to close
  }

  SECTION("an accept is told with the peer's address and port, IPv6 without brackets") {
    const auto [listener, port] = net.Listen();
    const EndpointId client = net.peer.Connect(node_ip, port);
    const Events events = net.Await(listener, 1);
    REQUIRE(net.owners.Accepted().size() == 1);
    const SocketId accepted = net.owners.Accepted()[0];
    REQUIRE(net.WaitUntil([&] { return !net.peer.Of(client).events.empty(); }));

    CHECK(events == Events{absl::StrCat("7 ACCEPT ", accepted, " ",
                                        net.peer.LocalAddress(client).ToString())});
    const absl::StatusOr<SocketId> v6 = net.server.Listen(kOwner, "::1", 0, 32);
    CHECK(v6.ok() == net.world->has_ipv6());
    if (!v6.ok()) return;
    net.server.Start(kOwner, *v6);
    const std::string at = net.Info(*v6)->address;
    const SocketId id = net.server.Connect(
        kOwner, "::1", static_cast<uint16_t>(std::stoi(at.substr(at.rfind(':') + 1))));
    CHECK(net.Await(id, 1) == Events{"7 CONNECT 0 ::1"});
    const Events v6_events = net.Await(*v6, 3);
    REQUIRE(v6_events.size() == 3);
    CHECK(absl::StartsWith(v6_events[2], absl::StrCat("7 ACCEPT ", id + 1, " ::1:")));
  }

  SECTION("a failed connect is one error and no close, and the id is dead") {
    const Transport::Listening gone = net.peer.Listen(peer_ip);
    net.peer.Close(gone.endpoint);
    const SocketId refused = net.server.Connect(kOwner, peer_ip, gone.address.port);
    const SocketId nowhere = net.server.Connect(kOwner, "nowhere", 80);

    CHECK(net.Await(refused, 1) == Events{"7 ERROR 0 Connection refused"});
    CHECK(net.Await(nowhere, 1) == Events{"7 ERROR 0 Name or service not known"});
    net.Settle();
    CHECK(net.owners.Take(refused).empty());
    CHECK(net.owners.Take(nowhere).empty());
    CHECK_FALSE(net.Send(refused, "x"));
    CHECK_FALSE(net.Send(nowhere, "x"));
  }

  SECTION("start is silent while connecting and on a started listener") {
    const uint16_t port = net.peer.Listen(peer_ip).address.port;
    net.tap.HoldNextConnect();
    const SocketId id = net.server.Connect(kOwner, peer_ip, port);
    net.server.Start(kOther, id);
    net.tap.Release();
    const auto [listener, listener_port] = net.Listen();
    net.server.Start(kOwner, listener);
    const EndpointId client = net.peer.Connect(node_ip, listener_port);
    net.WaitUntil([&] { return !net.peer.Of(client).events.empty(); });

    CHECK(net.Await(id, 1) == Events{absl::StrCat("7 CONNECT 0 ", peer_ip)});
    const Events events = net.Await(listener, 1);
    REQUIRE(events.size() == 1);
    CHECK(absl::StartsWith(events[0], "7 ACCEPT "));
  }

  SECTION("start of what is dead or has ended is an error to its caller") {
    const auto [id, far] = net.Link();
    net.peer.Close(far);
    CHECK(net.Await(id, 1) == Events{"7 CLOSE 0"});
    net.server.Start(kOther, id);
    net.server.Start(kOther, 12345);

    CHECK(net.owners.Take(id) == Events{"8 ERROR 0 socket closed"});
    CHECK(net.owners.Take(12345) == Events{"8 ERROR 0 invalid socket"});
  }
}

void CheckSocketStates(const MakeTransportWorld& make) {
  SocketNet net(make);
  const std::string node_ip = net.world->ip(1), peer_ip = net.world->ip(0);

  SECTION("data sent before the connect has begun arrives, in order (B1)") {
    const uint16_t port = net.peer.Listen(peer_ip).address.port;
    net.executor.is_deferring = true;
    const SocketId id = net.server.Connect(kOwner, peer_ip, port);
    CHECK(net.Send(id, "one "));
    CHECK(net.Send(id, "two "));
    CHECK(net.Send(id, "three"));
    net.executor.is_deferring = false;
    net.executor.RunEffects();
    REQUIRE(net.WaitUntil([&] { return net.peer.Accepted().size() == 2; }));

    CHECK(net.PeerGets(net.peer.Accepted()[1].endpoint, "one two three"));
  }

  SECTION("data sent while connecting arrives once connected, high before low") {
    const uint16_t port = net.peer.Listen(peer_ip).address.port;
    net.tap.HoldNextConnect();
    const SocketId id = net.server.Connect(kOwner, net.world->name(0), port);
    CHECK(net.Send(id, "an "));
    CHECK(net.SendLow(id, "bird"));
    CHECK(net.Send(id, "early "));
    REQUIRE(net.WaitUntil([&] { return net.peer.Accepted().size() == 2; }));
    net.Settle();
    CHECK(net.Info(id)->write_bytes == 0);
    net.tap.Release();

    CHECK(net.PeerGets(net.peer.Accepted()[1].endpoint, "an early bird"));
  }

  SECTION("data sent while connecting is dropped if the connect fails") {
    const SocketId id = net.server.Connect(kOwner, "nowhere", 80);
    net.Send(id, "lost");  // false if the answer was quicker

    CHECK(net.Await(id, 1) == Events{"7 ERROR 0 Name or service not known"});
    CHECK(net.IsGone(id));
  }

  SECTION("a paused socket reads nothing until it is started, and then everything") {
    const auto [id, far] = net.Link();
    net.server.Pause(id);
    net.peer.Send(far, "patience");
    net.Settle();
    CHECK(net.owners.Take(id).empty());

    net.server.Start(kOwner, id);
    CHECK(net.Gets(id, "patience"));
    CHECK(net.Await(id, 2) == Events{"7 CONNECT 0 transfer", "7 DATA"});
  }

  SECTION("an accepted socket delivers nothing before start, and drops what is sent to it") {
    const auto [id, client] = net.Accept();
    net.peer.Send(client, "patience");
    CHECK(net.Send(id, "dropped"));
    net.Settle();
    CHECK(net.owners.Take(id).empty());

    net.server.Start(kOwner, id);
    CHECK(net.Send(id, "told"));
    CHECK(net.Gets(id, "patience"));
    CHECK(net.PeerGets(client, "told"));
    CHECK(net.Await(id, 2) == Events{"7 CONNECT 0 start", "7 DATA"});
  }

  SECTION("an accepted socket keeps what came until it is started, the end too") {
    const auto [id, client] = net.Accept();
    net.peer.Send(client, "patience");
    net.peer.Close(client);
    net.Settle();
    CHECK(net.owners.Take(id).empty());

    net.server.Start(kOwner, id);
    CHECK(net.Await(id, 3) == Events{"7 CONNECT 0 start", "7 DATA", "7 CLOSE 0"});
    CHECK(net.owners.Bytes(id) == "patience");
  }

  SECTION("a listener accepts only after start") {
    const absl::StatusOr<SocketId> listener = net.server.Listen(kOwner, node_ip, 0, 32);
    const std::string at = net.Info(*listener)->address;
    net.owners.Take(*listener);
    const EndpointId client = net.peer.Connect(
        node_ip, static_cast<uint16_t>(std::stoi(at.substr(at.rfind(':') + 1))));
    net.WaitUntil([&] { return !net.peer.Of(client).events.empty(); });
    net.Settle();
    CHECK(net.owners.Take(*listener).empty());

    net.server.Start(kOther, *listener);
    const Events events = net.Await(*listener, 2);
    REQUIRE(events.size() == 2);
    CHECK(events[0] == "8 CONNECT 0 start");
    CHECK(absl::StartsWith(events[1], "8 ACCEPT "));
  }

  SECTION("data sent to a listener is dropped and logged") {
    const auto [listener, port] = net.Listen();

    CHECK(net.Send(listener, "x"));
    CHECK(net.owners.Logs() ==
          Events{absl::StrCat("7 error: socket ", listener, " is a listener: write is dropped")});
    CHECK(net.owners.Take(listener).empty());
    CHECK(net.Info(listener)->write_bytes == 0);
  }

  SECTION("after a failed write sends are dropped silently, and reading goes on until the end") {
    const SocketId id = net.LinkWriteFailed();
    const Events failed = net.owners.Take(id);
    REQUIRE(failed.size() == 1);
    CHECK((failed[0] == "7 ERROR 0 Broken pipe" ||
           failed[0] == "7 ERROR 0 Connection reset by peer"));

    CHECK(net.Send(id, "dropped"));
    net.server.Start(kOther, id);  // silent: it only reads on, and changes no owner
    CHECK(net.owners.Take(id).empty());
    net.server.Pause(id);
    net.tap.Release();
    net.server.Start(kOwner, id);

    CHECK(net.Await(id, 1) == Events{"7 CLOSE 0"});
    CHECK(net.WaitUntil([&, id = id] { return net.IsGone(id); }));
    CHECK_FALSE(net.Send(id, "x"));
  }

  SECTION("whoever starts a socket owns it, and what came before stays with the old owner") {
    const auto [id, far] = net.Link();
    net.peer.Send(far, "old");
    CHECK(net.Await(id, 1) == Events{"7 DATA"});
    net.server.Start(kOther, id);
    net.peer.Send(far, "new");
    REQUIRE(net.Gets(id, "oldnew"));
    net.peer.Close(far);

    CHECK(net.Await(id, 3) == Events{"8 CONNECT 0 transfer", "8 DATA", "8 CLOSE 0"});
    CHECK(net.Info(id)->owner == kOther);
  }
}

}  // namespace skysim
