// Closing, writing, warnings and datagrams of tests/contract/socket_contract.h.
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "tests/contract/socket_contract.h"
#include "tests/contract/socket_net.h"

namespace skysim {

void CheckSocketClosing(const MakeTransportWorld& make) {
  SocketNet net(make);

  SECTION("close with nothing to send closes now, and tells it") {
    const auto [id, far] = net.Link();
    net.server.Close(id);

    CHECK(net.owners.Take(id) == Events{"7 CLOSE 0"});
    CHECK(net.IsGone(id));
    CHECK_FALSE(net.Send(id, "x"));
    CHECK(net.WaitUntil([&, far = far] { return net.peer.Of(far).events == Events{"end"}; }));
  }

  SECTION("close after a failed write closes now, and tells it") {
    const SocketId id = net.LinkWriteFailed();
    net.owners.Take(id);
    net.server.Close(id);

    CHECK(net.owners.Take(id) == Events{"7 CLOSE 0"});
    CHECK(net.IsGone(id));
  }

  SECTION("close with 8 MiB queued tells it at once, and delivers all of them, then the end") {
    SocketNet::Stuck stuck = net.LinkStuck();
    const std::string bytes = SocketNet::Pattern(8 * kMiB);
    CHECK(net.Send(stuck.id, bytes));
    net.owners.Take(stuck.id);  // a warning
    net.server.Close(stuck.id);

    CHECK(net.owners.Take(stuck.id) == Events{"7 CLOSE 0"});
    CHECK_FALSE(net.Send(stuck.id, "x"));
    CHECK_FALSE(net.SendLow(stuck.id, "x"));
    net.Unstick(stuck);
    CHECK(net.PeerGets(stuck.far, stuck.sent + bytes));
    CHECK(net.WaitUntil([&] { return net.peer.Of(stuck.far).events == Events{"end"}; }));
    CHECK(net.IsGone(stuck.id));
    CHECK(net.owners.Take(stuck.id).empty());
  }

  SECTION("a send under way behind a close is dropped") {
    SocketNet::Stuck stuck = net.LinkStuck();
    net.executor.is_deferring = true;
    CHECK(net.Send(stuck.id, "last"));
    net.server.Close(stuck.id);
    CHECK(net.Send(stuck.id, "dropped"));
    net.executor.is_deferring = false;
    net.executor.RunEffects();
    net.Unstick(stuck);

    CHECK(net.WaitUntil([&] { return net.peer.Of(stuck.far).events == Events{"end"}; }));
    CHECK(net.peer.Of(stuck.far).bytes == stuck.sent + "last");
  }

  SECTION("a closing socket reads no more") {
    SocketNet::Stuck stuck = net.LinkStuck();
    net.server.Close(stuck.id);
    net.peer.Send(stuck.far, "too late");
    net.Settle();

    CHECK(net.owners.Take(stuck.id) == Events{"7 CLOSE 0"});
  }

  SECTION("shutdown throws queued data away, closes now, and tells it") {
    SocketNet::Stuck stuck = net.LinkStuck();
    net.server.Shutdown(stuck.id);

    CHECK(net.owners.Take(stuck.id) == Events{"7 CLOSE 0"});
    CHECK(net.IsGone(stuck.id));
    net.Unstick(stuck);
    CHECK(net.WaitUntil([&] { return !net.peer.Of(stuck.far).events.empty(); }));
    CHECK(net.peer.Received(stuck.far) < stuck.sent.size());
  }

  SECTION("shutdown while a close waits for its queue is silent") {
    SocketNet::Stuck stuck = net.LinkStuck();
    net.server.Close(stuck.id);
    net.server.Shutdown(stuck.id);

    CHECK(net.owners.Take(stuck.id) == Events{"7 CLOSE 0"});
    CHECK(net.IsGone(stuck.id));
  }

  SECTION("the peer's end is told once, and the socket stays until it is closed") {
    const auto [id, far] = net.Link();
    net.peer.Close(far);

    CHECK(net.Await(id, 1) == Events{"7 CLOSE 0"});
    net.Settle();
    CHECK_FALSE(net.IsGone(id));
    net.server.Close(id);
    CHECK(net.IsGone(id));
    CHECK(net.owners.Take(id).empty());
  }

  SECTION("after the peer's end writing goes on") {
    const auto [id, far] = net.Link();
    net.peer.Do([far = far](Transport& transport) { transport.ShutdownWrite(far); });
    CHECK(net.Await(id, 1) == Events{"7 CLOSE 0"});
    CHECK(net.Send(id, "still "));
    CHECK(net.Send(id, "here"));

    CHECK(net.PeerGets(far, "still here"));
    net.server.Close(id);
    CHECK(net.WaitUntil([&, far = far] { return !net.peer.Of(far).events.empty(); }));
    CHECK(net.peer.Of(far).events[0] == "end");
    CHECK(net.owners.Take(id).empty());
  }

  SECTION("the peer's end after a failed write closes, and tells it") {
    const SocketId id = net.LinkWriteFailed();
    net.owners.Take(id);
    net.server.Pause(id);
    net.tap.Release();
    net.server.Start(kOwner, id);  // finds the end

    CHECK(net.Await(id, 1) == Events{"7 CLOSE 0"});
    CHECK(net.WaitUntil([&, id = id] { return net.IsGone(id); }));
  }

  SECTION("a failed write is an error, and a close brings the close") {
    const SocketId id = net.LinkWriteFailed();
    const Events failed = net.owners.Take(id);
    REQUIRE(failed.size() == 1);
    CHECK(absl::StartsWith(failed[0], "7 ERROR 0 "));
    CHECK_FALSE(net.IsGone(id));
    net.server.Shutdown(id);

    CHECK(net.owners.Take(id) == Events{"7 CLOSE 0"});
  }

  SECTION("a write that fails while flushing, after the peer's end, closes silently") {
    SocketNet::Stuck stuck = net.LinkStuck();
    net.peer.Do([&](Transport& transport) { transport.ShutdownWrite(stuck.far); });
    CHECK(net.Await(stuck.id, 1) == Events{"7 CLOSE 0"});
    net.peer.Close(stuck.far);  // with bytes unread

    CHECK(net.WaitUntil([&] { return net.IsGone(stuck.id); }));
    CHECK(net.owners.Take(stuck.id).empty());
  }

  SECTION("a write that fails while closing closes silently") {
    SocketNet::Stuck stuck = net.LinkStuck();
    net.server.Close(stuck.id);
    CHECK(net.owners.Take(stuck.id) == Events{"7 CLOSE 0"});
    net.peer.Close(stuck.far);  // with bytes unread

    CHECK(net.WaitUntil([&] { return net.IsGone(stuck.id); }));
    CHECK(net.owners.Take(stuck.id).empty());
  }

  SECTION("a reset after the peer's end is an error, and the socket is gone without a close") {
    const auto [id, far] = net.Link();
    net.peer.Do([far = far](Transport& transport) { transport.ShutdownWrite(far); });
    CHECK(net.Await(id, 1) == Events{"7 CLOSE 0"});
    net.Reset(id, far);

    CHECK(net.Await(id, 1) == Events{"7 ERROR 0 Broken pipe"});
    CHECK(net.WaitUntil([&, id = id] { return net.IsGone(id); }));
    CHECK(net.owners.Take(id).empty());
    CHECK_FALSE(net.Send(id, "x"));
  }

  SECTION("a reset that reading finds is an error, then the close") {
    const auto [id, far] = net.Link();
    net.Reset(id, far);

    CHECK(net.Await(id, 2) == Events{"7 ERROR 0 Connection reset by peer", "7 CLOSE 0"});
    net.server.Close(id);
    CHECK(net.IsGone(id));
    CHECK(net.owners.Take(id).empty());
  }

  SECTION("an error is not final: the socket waits for its owner to close it") {
    const SocketId id = net.LinkWriteFailed();
    net.Settle();

    CHECK_FALSE(net.IsGone(id));
    CHECK(net.Send(id, "dropped"));
  }

  SECTION("accepts without a descriptor are one error of the listener, which goes on") {
    const auto [listener, port] = net.Listen();
    const auto connect = [&, port = port] {
      const EndpointId client = net.peer.Connect(net.world->ip(1), port);
      REQUIRE(net.WaitUntil([&] { return !net.peer.Of(client).events.empty(); }));
      return client;
    };
    net.tap.FailNextAccepts(2);
    const EndpointId refused[2] = {connect(), connect()};
    for (EndpointId client : refused) {
      REQUIRE(net.WaitUntil([&] { return net.peer.Of(client).events.size() >= 2; }));
    }
    connect();
    Events events = net.Await(listener, 2);
    REQUIRE(events.size() == 2);
    CHECK(events[0] == "7 ERROR 0 Too many open files");
    CHECK(absl::StartsWith(events[1], "7 ACCEPT "));

    net.tap.FailNextAccepts(1);
    connect();
    CHECK(net.Await(listener, 1) == Events{"7 ERROR 0 Too many open files"});
  }

  SECTION("close, shutdown, pause and nodelay of a dead id are ignored") {
    const auto [id, far] = net.Link();
    net.server.Close(id);
    net.owners.Take(id);
    net.server.Close(id);
    net.server.Shutdown(id);
    net.server.Pause(id);
    net.server.NoDelay(id);
    net.Settle();

    CHECK(net.owners.Take(id).empty());
  }

  SECTION("data before the end is told before the close") {
    const auto [id, far] = net.Link();
    const std::string bytes = SocketNet::Pattern(kMiB);
    net.peer.Send(far, bytes);
    REQUIRE(net.WaitUntil([&, far = far] { return net.peer.Of(far).unsent.empty(); }));
    net.peer.Close(far);

    CHECK(net.WaitUntil([&, id = id] { return net.owners.Count(id) == 2; }));
    CHECK(net.owners.Take(id) == Events{"7 DATA", "7 CLOSE 0"});
    CHECK(net.owners.Bytes(id) == bytes);
  }

  SECTION("the owner hears of a close, whoever called it, once") {
    const auto [id, far] = net.Link();
    net.server.Start(kOther, id);
    net.owners.Take(id);
    net.server.Close(id);  // by whom does not matter
    net.peer.Close(far);
    net.Settle();

    CHECK(net.owners.Take(id) == Events{"8 CLOSE 0"});
  }

  SECTION("both sides may close at once") {
    const auto [id, far] = net.Link();
    net.peer.Close(far);
    net.server.Close(id);
    net.Settle();

    CHECK(net.owners.Take(id) == Events{"7 CLOSE 0"});
    CHECK(net.IsGone(id));
  }

  SECTION("a paused or idle socket notices a reset, not an end") {
    const auto [idle, idle_client] = net.Accept();
    const auto [paused, paused_far] = net.Link();
    const auto [broken, broken_far] = net.Link();
    net.server.Pause(paused);
    net.server.Pause(broken);
    net.peer.Close(idle_client);
    net.peer.Close(paused_far);
    net.Reset(broken, broken_far);

    CHECK(net.Await(broken, 2) == Events{"7 ERROR 0 Connection reset by peer", "7 CLOSE 0"});
    CHECK(net.WaitUntil([&, id = broken] { return net.IsGone(id); }));
    net.Settle();
    CHECK(net.owners.Take(idle).empty());
    CHECK(net.owners.Take(paused).empty());
    net.server.Start(kOwner, idle);
    net.server.Start(kOwner, paused);
    CHECK(net.Await(idle, 2) == Events{"7 CONNECT 0 start", "7 CLOSE 0"});
    CHECK(net.Await(paused, 2) == Events{"7 CONNECT 0 transfer", "7 CLOSE 0"});
  }

  SECTION("a connect that is closed under way says no more than the close") {
    const uint16_t port = net.peer.Listen(net.world->ip(0)).address.port;
    net.tap.HoldNextConnect();
    const SocketId id = net.server.Connect(kOwner, net.world->ip(0), port);
    net.server.Close(id);
    net.Settle();
    net.tap.Release();

    CHECK(net.owners.Take(id) == Events{"7 CLOSE 0"});
    CHECK(net.IsGone(id));
  }

  SECTION("a connect that is closed with bytes queued sends them, after one event") {
    const uint16_t port = net.peer.Listen(net.world->ip(0)).address.port;
    net.tap.HoldNextConnect();
    const SocketId id = net.server.Connect(kOwner, net.world->ip(0), port);
    CHECK(net.Send(id, "good bye"));
    net.server.Close(id);
    CHECK_FALSE(net.Send(id, "too late"));
    REQUIRE(net.WaitUntil([&] { return net.peer.Accepted().size() == 2; }));
    const EndpointId far = net.peer.Accepted()[1].endpoint;
    net.Settle();
    net.tap.Release();

    CHECK(net.WaitUntil([&] { return net.peer.Of(far).events == Events{"end"}; }));
    CHECK(net.peer.Of(far).bytes == "good bye");
    CHECK(net.WaitUntil([&] { return net.IsGone(id); }));
    CHECK(net.owners.Take(id) == Events{"7 CLOSE 0"});
  }

  SECTION("close of a listener is told, refuses, and leaves its connections alone") {
    const auto [listener, port] = net.Listen();
    const EndpointId client = net.peer.Connect(net.world->ip(1), port);
    REQUIRE(net.WaitUntil([&] { return net.owners.Accepted().size() == 1; }));
    const SocketId accepted = net.owners.Accepted()[0];
    net.server.Start(kOwner, accepted);
    net.owners.Take(listener);
    net.server.Close(listener);
    const EndpointId late = net.peer.Connect(net.world->ip(1), port);

    CHECK(net.Send(accepted, "still here"));
    CHECK(net.PeerGets(client, "still here"));
    CHECK(net.owners.Take(listener) == Events{"7 CLOSE 0"});
    CHECK(net.WaitUntil([&] { return !net.peer.Of(late).events.empty(); }));
    CHECK(net.peer.Of(late).events == Events{"failed: Connection refused"});
  }
}

void CheckSocketWriting(const MakeTransportWorld& make) {
  SocketNet net(make);

  SECTION("high goes out before low, each in its own order and each item whole") {
    SocketNet::Stuck stuck = net.LinkStuck();
    CHECK(net.Send(stuck.id, "h1 "));
    CHECK(net.SendLow(stuck.id, "l1 "));
    CHECK(net.Send(stuck.id, "h2 "));
    CHECK(net.SendLow(stuck.id, "l2"));
    net.Unstick(stuck);

    CHECK(net.PeerGets(stuck.far, stuck.sent + "h1 h2 l1 l2"));
  }

  SECTION("a low item that has begun is not cut") {
    SocketNet::Stuck stuck = net.LinkStuck();
    // Its first byte arrives while its last ones still wait.
    const std::string low = SocketNet::Pattern(SocketNet::kMoreThanBuffers);
    CHECK(net.SendLow(stuck.id, low));
    CHECK(net.SendLow(stuck.id, " low"));
    std::string got;
    while (got.size() <= stuck.sent.size()) {
      REQUIRE(net.WaitUntil([&] {
        const std::string piece = net.peer.Read(stuck.far, 64 << 10);
        if (piece != "(nothing)") got += piece;
        return piece != "(nothing)";
      }));
    }
    REQUIRE(net.Info(stuck.id)->queued_bytes > 4);
    CHECK(net.Send(stuck.id, "high"));
    net.Unstick(stuck);

    const std::string all = stuck.sent + low + "high low";
    REQUIRE(net.WaitUntil(
        [&] { return net.peer.Received(stuck.far) + got.size() >= all.size(); }));
    CHECK((got + net.peer.Of(stuck.far).bytes == all));
  }

  SECTION("no send overtakes an lsend into empty queues") {
    const auto [id, far] = net.Link();
    std::string all;
    for (int i = 0; i < 100; ++i) {  // whether or not the first has left already
      CHECK(net.SendLow(id, "low "));
      CHECK(net.Send(id, "high "));
      all += "low high ";
      REQUIRE(net.PeerGets(far, all));
    }
  }

  SECTION("send writes at once when nothing is queued") {
    const auto [id, far] = net.Link();
    CHECK(net.Send(id, "now"));

    CHECK(net.Info(id)->write_bytes == 3);
    CHECK(net.Info(id)->queued_bytes == 0);
  }

  SECTION("a short direct write keeps its place (#774)") {
    const auto [id, far] = net.Link();
    const std::string huge = SocketNet::Pattern(SocketNet::kMoreThanBuffers);
    std::string all = huge;
    CHECK(net.Send(id, huge));
    for (int i = 0; i < 1000; ++i) {
      CHECK(net.Send(id, absl::StrCat(i, ";")));
      absl::StrAppend(&all, i, ";");
    }

    CHECK(net.PeerGets(far, all));
  }

  SECTION("a queue is empty when both are (#744)") {
    SocketNet::Stuck stuck = net.LinkStuck();
    std::string low;
    for (int i = 0; i < 64; ++i) {
      const std::string part = SocketNet::Pattern(64 << 10);
      CHECK(net.SendLow(stuck.id, part));  // 4 MiB of whole items, behind a high one
      low += part;
    }
    net.server.Close(stuck.id);
    net.Unstick(stuck);

    CHECK(net.PeerGets(stuck.far, stuck.sent + low));
    CHECK(net.WaitUntil([&] { return net.IsGone(stuck.id); }));
  }

  SECTION("two threads' sends to one socket are not mixed, and each one's keep their order") {
    constexpr int kSends = 2000;
    const auto [id, far] = net.Link();
    const auto send = [&, id = id](char name) {
      for (int i = 0; i < kSends; ++i) {
        std::string line = absl::StrCat(std::string(1, name), i, std::string(i % 200, '.'), "\n");
        if (!net.Send(id, line)) return;
      }
    };
    std::thread first(send, 'a'), second(send, 'b');
    first.join();
    second.join();
    size_t all = 0;
    for (int i = 0; i < kSends; ++i) {
      all += 2 * (absl::StrCat(i).size() + static_cast<size_t>(i % 200) + 2);
    }
    REQUIRE(net.WaitUntil([&, far = far] { return net.peer.Received(far) == all; }));

    int next[2] = {0, 0};
    const std::string bytes = net.peer.Of(far).bytes;
    for (size_t at = 0; at < bytes.size();) {
      const size_t end = bytes.find('\n', at);
      REQUIRE(end != std::string::npos);
      REQUIRE((bytes[at] == 'a' || bytes[at] == 'b'));
      const int i = next[bytes[at] - 'a']++;
      REQUIRE(bytes.substr(at + 1, end - at - 1) == absl::StrCat(i, std::string(i % 200, '.')));
      at = end + 1;
    }
  }

  SECTION("a send is true unless the id is dead or closing") {
    SocketNet::Stuck stuck = net.LinkStuck();
    CHECK(net.Send(stuck.id, "x"));
    CHECK(net.Send(stuck.id, ""));
    net.server.Close(stuck.id);

    CHECK_FALSE(net.Send(stuck.id, "closing"));
    net.server.Shutdown(stuck.id);
    CHECK_FALSE(net.Send(stuck.id, "dead"));
    CHECK_FALSE(net.SendLow(0, "never was"));
  }

  SECTION("bytes to a peer that reads little at a time arrive in order") {
    SocketNet::Stuck stuck = net.LinkStuck();
    std::string all = stuck.sent, got;
    for (int i = 0; i < 200; ++i) {
      const std::string part = SocketNet::Pattern(static_cast<size_t>(i) * 13);
      CHECK(net.Send(stuck.id, part));
      all += part;
    }
    for (size_t size = 1; got.size() < all.size(); size = size % 70'000 + 1'777) {
      REQUIRE(net.WaitUntil([&] {
        const std::string piece = net.peer.Read(stuck.far, size);
        if (piece != "(nothing)") got += piece;
        return piece != "(nothing)";
      }));
    }

    CHECK((got == all));
  }
}

void CheckSocketWarnings(const MakeTransportWorld& make) {
  SECTION("warnings come at 1, 2, 4 and 8 MiB, and 0 when all has drained; again and again") {
    SocketNet net(make);
    for (const bool is_low : {false, true}) {
      SocketNet::Stuck stuck = net.LinkStuck();
      for (int round = 0; round < 2; ++round) {
        const std::string part = SocketNet::Pattern(128 << 10);
        for (int i = 0; i < 80; ++i) {  // 10 MiB
          CHECK((is_low ? net.SendLow(stuck.id, part) : net.Send(stuck.id, part)));
          stuck.sent += part;
        }
        const Events warnings = net.owners.Take(stuck.id);
        REQUIRE(warnings.size() == 4);
        for (int i = 0; i < 4; ++i) {
          int kib = 0;
          REQUIRE(absl::SimpleAtoi(warnings[i].substr(strlen("7 WARNING ")), &kib));
          CHECK(kib >= 1024 << i);
          CHECK(kib <= (1024 << i) + 128);  // one item more
        }
        net.Unstick(stuck);
        CHECK(net.Await(stuck.id, 1) == Events{"7 WARNING 0"});
        if (round == 1) break;
        REQUIRE(net.PeerGets(stuck.far, stuck.sent));
        const SocketNet::Stuck again = net.Stick(stuck.id, stuck.far);
        stuck.sent += again.sent;
      }
      CHECK(net.PeerGets(stuck.far, stuck.sent));
      net.server.Close(stuck.id);
    }
  }

  SECTION("a huge direct write raises none, the next send does") {
    SocketNet net(make);
    const auto [id, far] = net.Link();
    net.peer.TakeInHand(far);
    net.peer.SetReading(far, false);
    CHECK(net.Send(id, SocketNet::Pattern(SocketNet::kMoreThanBuffers)));
    net.Settle();
    CHECK(net.owners.Take(id).empty());
    const size_t queued = net.Info(id)->queued_bytes + 1;
    REQUIRE(queued > kMiB);
    CHECK(net.Send(id, "x"));

    CHECK(net.owners.Take(id) == Events{absl::StrCat("7 WARNING ", (queued + 1023) / 1024)});
  }

  SECTION("a queue that drains without a warning raises none") {
    SocketNet net(make);
    const SocketNet::Stuck stuck = net.LinkStuck();
    net.Unstick(stuck);

    REQUIRE(net.PeerGets(stuck.far, stuck.sent));
    net.Settle();
    CHECK(net.Info(stuck.id)->queued_bytes == 0);
    CHECK(net.owners.Take(stuck.id).empty());
  }

  SECTION("a send beyond the limit closes the connection, with a line in the log") {
    SocketNet net(make, {/*first_id=*/1, /*queue_bytes_max=*/2 * kMiB});
    const SocketNet::Stuck stuck = net.LinkStuck();
    const auto [other, other_far] = net.Link();
    while (net.Send(stuck.id, std::string(128 << 10, 'x'))) {
    }

    const Events events = net.owners.Take(stuck.id);
    REQUIRE(events.size() == 4);
    CHECK(absl::StartsWith(events[0], "7 WARNING 1"));
    CHECK(absl::StartsWith(events[1], "7 WARNING 2"));
    CHECK(absl::EndsWith(events[2], " bytes wait to be written"));
    CHECK(events[3] == "7 CLOSE 0");
    CHECK(net.IsGone(stuck.id));
    REQUIRE(net.owners.Logs().size() == 1);
    CHECK(absl::EndsWith(net.owners.Logs()[0], " (config: socket_queue_max)"));
    CHECK(net.Send(other, "served"));
    CHECK(net.PeerGets(other_far, "served"));
  }
}

void CheckSocketDatagrams(const MakeTransportWorld& make) {
  SocketNet net(make);

  SECTION("datagrams arrive with an address that answers") {
    const EndpointId far = net.peer.OpenUdp(net.world->ip(0));
    net.peer.SetReading(far, true);
    const uint16_t port = net.peer.LocalAddress(far).port;
    const absl::StatusOr<SocketId> id = net.server.UdpDial(kOwner, net.world->ip(0), port);
    REQUIRE(id.ok());
    CHECK(net.Send(*id, "ping"));
    REQUIRE(net.WaitUntil([&] { return !net.peer.Of(far).events.empty(); }));
    const std::string heard = net.peer.Of(far).events[0];
    REQUIRE(absl::EndsWith(heard, ": ping"));
    uint32_t from_port = 0;
    const std::string from = heard.substr(strlen("from "), heard.size() - strlen("from : ping"));
    REQUIRE(absl::SimpleAtoi(from.substr(from.rfind(':') + 1), &from_port));
    const Address back{from.substr(0, from.rfind(':')), static_cast<uint16_t>(from_port)};
    net.peer.SendTo(far, back, "pong!");

    CHECK(net.Await(*id, 1) == Events{"7 UDP 5 pong!"});
    const std::string packed = net.owners.UdpAddress();
    CHECK(packed.size() == 7);
    CHECK(net.server.UdpSend(*id, packed, net.Bytes("again")));
    CHECK(net.WaitUntil([&] { return net.peer.Of(far).events.size() == 2; }));
  }

  SECTION("udp_listen refuses port 0, and a datagram without a destination is dropped") {
    CHECK(net.server.UdpListen(kOwner, "0.0.0.0", 0).status() ==
          absl::InvalidArgumentError("Invalid port"));
    const absl::StatusOr<SocketId> id = net.server.Udp(kOwner, "", 0);
    REQUIRE(id.ok());
    CHECK(net.Send(*id, "to nobody"));
    net.Settle();

    CHECK(net.owners.Take(*id).empty());
    CHECK(net.Info(*id)->write_bytes == 0);
    net.server.Close(*id);
    CHECK(net.owners.Take(*id) == Events{"7 CLOSE 0"});
  }
}

}  // namespace skysim
