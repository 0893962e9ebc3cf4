#include "catch2/catch_test_macros.hpp"
#include "tests/contract/simulated_world.h"
#include "tests/contract/transport_contract.h"

namespace skysim {
namespace {

TEST_CASE("a simulated host connects as a transport must") { CheckConnecting(EachWorld()); }

TEST_CASE("a simulated host listens as a transport must") { CheckListening(EachWorld()); }

TEST_CASE("a simulated host reports readiness as a transport must") {
  CheckReadiness(EachWorld());
}

TEST_CASE("a simulated host carries streams as a transport must") { CheckStreams(EachWorld()); }

TEST_CASE("a simulated host tells of breaks as a transport must") { CheckBreaks(EachWorld()); }

TEST_CASE("a simulated host carries datagrams as a transport must") {
  CheckDatagrams(EachWorld());
}

TEST_CASE("a simulated host knows names as a transport must") { CheckNames(EachWorld()); }

}  // namespace
}  // namespace skysim
