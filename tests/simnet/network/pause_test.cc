// A process that is stopped, and its kernel, which is not (HostTransport::Pause).
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/simnet/network/fixture.h"

namespace skysim {
namespace {

using Events = std::vector<std::string>;

TEST_CASE("a stopped process is told nothing, and finds everything in order when it goes on") {
  TestNetwork net;
  auto [client, server] = net.Open();

  net.network.PauseHost("b");
  net.a.Send(client, "one");
  net.RunFor(kS);
  net.a.Send(client, "two");
  net.RunFor(kS);
  CHECK(net.b.seen[server].bytes.empty());

  net.network.ResumeHost("b");
  net.RunFor(kMs);
  CHECK(net.b.seen[server].bytes == "onetwo");
  CHECK(net.b.seen[server].chunks.size() == 1);  // its kernel had both
}

TEST_CASE("the kernel of a stopped process takes bytes until the window is full, for hours") {
  TestNetwork net;
  auto [client, server] = net.Open();
  const std::string bytes(20'000'000, 'x');

  net.network.PauseHost("b");
  net.a.Send(client, bytes);
  net.RunFor(10 * kS);
  const size_t pending = net.a.seen[client].pending.size();
  CHECK(pending > 0);
  CHECK(pending < bytes.size());
  net.RunFor(5 * 3600 * kS);
  CHECK(net.a.seen[client].pending.size() == pending);
  CHECK(net.a.seen[client].events.size() == 1);  // connected; nobody gave up

  net.network.ResumeHost("b");
  net.RunFor(600 * kS);
  CHECK(net.b.seen[server].bytes == bytes);
}

TEST_CASE("the kernel of a stopped process accepts as long as its backlog has room") {
  TestNetwork net;
  net.b.Listen(81, 1);  // takes two, as Linux does

  net.network.PauseHost("b");
  std::vector<EndpointId> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(net.a.Connect("b", 81));
  net.RunFor(500 * kMs);
  CHECK(net.a.seen[clients[0]].events == Events{"connected 10.0.0.2:81"});
  CHECK(net.a.seen[clients[1]].events == Events{"connected 10.0.0.2:81"});
  CHECK(net.a.seen[clients[2]].events.empty());
  CHECK(net.b.accepted.empty());

  net.network.ResumeHost("b");
  net.RunFor(kS);  // the third SYN is sent again after 1 s
  CHECK(net.a.seen[clients[2]].events == Events{"connected 10.0.0.2:81"});
  CHECK(net.b.accepted.size() == 3);
}

TEST_CASE("a connect that ends while the process is stopped is told afterwards") {
  TestNetwork net;
  const EndpointId good = net.a.Connect("b", 80);
  const EndpointId refused = net.a.Connect("b", 99);

  net.network.PauseHost("a");
  net.RunFor(kS);
  CHECK(net.a.seen[good].events.empty());
  CHECK(net.a.seen[refused].events.empty());
  REQUIRE(net.b.accepted.size() == 1);
  net.b.Send(net.b.last, "hello");
  net.RunFor(kS);

  net.network.ResumeHost("a");
  net.RunFor(kMs);
  CHECK(net.a.seen[good].events == Events{"connected 10.0.0.2:80"});
  CHECK(net.a.seen[good].bytes == "hello");
  CHECK(net.a.seen[refused].events == Events{"Connection refused"});
  CHECK(net.a.seen[good].times[0] == net.a.seen[refused].times[0]);
}

TEST_CASE("a connect that was reset before the process could look has failed") {
  TestNetwork net;
  const EndpointId client = net.a.Connect("b", 80);

  net.network.PauseHost("a");
  net.RunFor(kS);
  REQUIRE(net.network.ResetConnections("a", "b").value() == 1);
  net.RunFor(kS);
  net.network.ResumeHost("a");
  net.RunFor(kMs);

  CHECK(net.a.seen[client].events == Events{"Connection reset by peer"});
  net.b.transport->Close(net.b.last);
  net.RunFor(kS);
  CHECK(net.network.Connections().empty());  // a's end is closed, though nobody closed it there
}

TEST_CASE("the end of a stream waits for the process, and so does a reset") {
  for (bool is_reset : {false, true}) {
    TestNetwork net;
    auto [client, server] = net.Open();

    net.network.PauseHost("b");
    if (is_reset) {
      REQUIRE(net.network.ResetConnections("a", "b").value() == 1);
    } else {
      net.a.transport->Close(client);
    }
    net.RunFor(kS);
    CHECK(net.b.seen[server].events.size() == 1);  // accepted

    net.network.ResumeHost("b");
    net.RunFor(kMs);
    REQUIRE(net.b.seen[server].events.size() >= 2);
    CHECK(net.b.seen[server].events[1] == (is_reset ? "error: Connection reset by peer" : "end"));
  }
}

TEST_CASE("datagrams to a stopped process wait while there is room, and are lost then") {
  TestNetwork net;
  const EndpointId from = net.a.transport->OpenUdp("0.0.0.0", 5000).value();
  const EndpointId to = net.b.transport->OpenUdp("0.0.0.0", 5001).value();

  net.network.PauseHost("b");
  for (int i = 0; i < 300; ++i) {
    net.a.transport->SendTo(from, {"10.0.0.2", 5001}, std::string(1000, 'x'));
  }
  net.RunFor(kS);
  net.network.ResumeHost("b");
  net.RunFor(kMs);

  int received = 0;
  while (net.b.transport->ReceiveFrom(to).ok()) ++received;
  CHECK(received == 92);  // 212 992 bytes (net.core.rmem_default) / 2304 that each takes
}

TEST_CASE("a stopped process that is killed leaves as any other does") {
  TestNetwork net;
  auto [client, server] = net.Open();
  net.network.PauseHost("b");
  net.a.Send(client, "unread");
  net.RunFor(kS);

  net.network.StopHost("b", /*is_power_off=*/false);
  net.RunFor(kS);

  CHECK(net.a.seen[client].events[1] == "error: Connection reset by peer");
  net.b.Start(net.network);
  net.b.Listen(80);
  const EndpointId again = net.a.Connect("b", 80);
  net.RunFor(kS);
  CHECK(net.a.seen[again].events == Events{"connected 10.0.0.2:80"});
}

}  // namespace
}  // namespace skysim
