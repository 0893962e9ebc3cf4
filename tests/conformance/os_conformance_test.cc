// The files of this folder that use sockets, on the operating system. Those that count on the calm
// of virtual time (what has not come within half a second does not come) only run simulated.

#include "catch2/catch_test_macros.hpp"
#include "tests/conformance/claim_file.h"

namespace skysim {
namespace {

TEST_CASE("upstream_defects.lua over real sockets") {
  ExpectThreadedClaims({"upstream_defects", 10});
}
TEST_CASE("socket_streams.lua over real sockets") {
  ExpectThreadedClaims({"socket_streams", 8});
}
TEST_CASE("socket_channel.lua over real sockets") {
  ExpectThreadedClaims({"socket_channel", 13});
}
TEST_CASE("socket_driver.lua over real sockets") {
  ExpectThreadedClaims({"socket_driver", 7});
}
TEST_CASE("socket_uses.lua over real sockets") {
  ExpectThreadedClaims({"socket_uses", 10});
}
TEST_CASE("gate_server.lua over real sockets") {
  ExpectThreadedClaims({"gate_server", 5});
}
TEST_CASE("gate_events.lua over real sockets") {
  ExpectThreadedClaims({"gate_events", 6});
}
TEST_CASE("cluster_caller.lua over real sockets") {
  ExpectThreadedClaims({"cluster_caller", 9});
}
TEST_CASE("cluster_calls.lua over real sockets") {
  ExpectThreadedClaims({"cluster_calls", 16});
}
TEST_CASE("cluster_wire.lua over real sockets") {
  ExpectThreadedClaims({"cluster_wire", 18, {{"cluster_request_max", "300000"}}});
}
TEST_CASE("cluster_batch.lua over real sockets") {
  ExpectThreadedClaims({"cluster_batch", 6});
}

}  // namespace
}  // namespace skysim
