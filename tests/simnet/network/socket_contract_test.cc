#include "tests/engine/core/socket_contract.h"

#include <memory>
#include <string>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"
#include "simnet/choice/choice_source.h"
#include "simnet/network/network.h"
#include "simnet/time/event_queue.h"

namespace skysim {
namespace {

// Two hosts of a simulated network.
class SimulatedPair final : public ContractWorld {
 public:
  SimulatedPair(uint64_t seed, const LinkConfig& link) : choices_(seed, false) {
    network_.DefaultLink() = link;
    for (int node : {0, 1}) {
      std::string name = node == 0 ? "a" : "b";
      REQUIRE(network_.AddHost(name, ip(node)).ok());
      transports_[node] = &network_.StartHost(name, observer_);
    }
  }
  Transport& transport(int node) override { return *transports_[node]; }
  std::string ip(int node) override { return node == 0 ? "10.0.0.1" : "10.0.0.2"; }

  // 5 million events are ten times what the largest section takes on a lossy link.
  void Settle() override {
    for (int i = 0; !events_.IsEmpty(); ++i) {
      REQUIRE(i < 5'000'000);
      events_.RunNext();
    }
  }

 private:
  SeededChoices choices_;
  EventQueue events_;
  FakeObserver observer_;
  Network network_{choices_, events_};
  Transport* transports_[2];
};

MakeContractWorld Over(uint64_t seed, const LinkConfig& link) {
  return [=] { return std::make_unique<SimulatedPair>(seed, link); };
}

TEST_CASE("sockets keep the contract over a calm simulated network") {
  CheckSocketContract(Over(1, LinkConfig()));
}

TEST_CASE("sockets keep the contract over a network that splits, delays and limits") {
  LinkConfig link;
  link.delay.shape = Delay::Shape::kUniform;
  link.delay.min_ns = 100'000;
  link.delay.max_ns = 50'000'000;
  link.split = {1, 3};
  link.bandwidth_bytes_per_s = 10'000'000;
  CheckSocketContract(Over(GENERATE(uint64_t{2}, uint64_t{3}, uint64_t{4}), link));
}

}  // namespace
}  // namespace skysim
