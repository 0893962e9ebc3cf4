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
  ExpectThreadedClaims({"socket_channel", 11});
}
TEST_CASE("gate_events.lua over real sockets") {
  ExpectThreadedClaims({"gate_events", 6});
}
TEST_CASE("cluster_caller.lua over real sockets") {
  ExpectThreadedClaims({"cluster_caller", 9});
}
TEST_CASE("cluster_calls.lua over real sockets") {
  ExpectThreadedClaims({"cluster_calls", 15});
}

}  // namespace
}  // namespace skysim
