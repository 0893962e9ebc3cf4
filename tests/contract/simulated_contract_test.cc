#include <memory>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"
#include "tests/contract/simulated_world.h"
#include "tests/contract/transport_contract.h"

namespace skysim {
namespace {

// A calm network, or one that delays, splits and limits.
MakeTransportWorld EachWorld() {
  const uint64_t seed = GENERATE(uint64_t{0}, uint64_t{1}, uint64_t{2});
  LinkConfig link;
  if (seed != 0) {
    link.delay.shape = Delay::Shape::kUniform;
    link.delay.min_ns = 100'000;
    link.delay.max_ns = 10'000'000;
    link.split = {1, 3};
    link.bandwidth_bytes_per_s = 10'000'000;
  }
  return [=] { return std::make_unique<SimulatedWorld>(seed, link); };
}

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
