#ifndef TESTS_CONTRACT_SIMULATED_WORLD_H_
#define TESTS_CONTRACT_SIMULATED_WORLD_H_

#include <memory>
#include <string>

#include "catch2/catch_test_macros.hpp"
#include "catch2/generators/catch_generators.hpp"
#include "engine/platform/observer.h"
#include "simnet/choice/choice_source.h"
#include "simnet/network/network.h"
#include "simnet/time/event_queue.h"
#include "tests/contract/transport_contract.h"

namespace skysim {

// Two hosts of a simulated network.
class SimulatedWorld final : public TransportWorld {
 public:
  SimulatedWorld(uint64_t seed, const LinkConfig& link) : choices_(seed, false) {
    network_.DefaultLink() = link;
    for (int node : {0, 1}) {
      REQUIRE(network_.AddHost(name(node), ip(node)).ok());
      transports_[node] = &network_.StartHost(name(node), observer_);
    }
  }

  Transport& transport(int node) override { return *transports_[node]; }
  std::string ip(int node) override { return node == 0 ? "10.0.0.1" : "10.0.0.2"; }
  std::string name(int node) override { return node == 0 ? "a" : "b"; }
  bool has_ipv6() override { return true; }
  void Begin() override {}
  // 5 million events are ten times what the largest section takes.
  bool Step(ContractMonitor&, int64_t) override {
    if (events_.IsEmpty() || ++steps_ > 5'000'000) return false;
    events_.RunNext();
    return true;
  }
  // Ten times the largest delay of a link that the contract is tried over.
  void PassTime() override {
    constexpr int64_t kSettledNs = 100'000'000;
    const int64_t until_ns = events_.NowNs() + kSettledNs;
    while (!events_.IsEmpty() && events_.NextNs() <= until_ns) events_.RunNext();
  }

 private:
  // Nothing is kept.
  class Forgetful final : public Observer {
   public:
    uint64_t Record(const Event&) override { return ++count_; }

   private:
    uint64_t count_ = 0;
  };

  SeededChoices choices_;
  EventQueue events_;
  Forgetful observer_;
  Network network_{choices_, events_};
  Transport* transports_[2];
  int steps_ = 0;
};

// A calm network, or one that delays, splits and limits.
inline MakeTransportWorld EachWorld() {
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

}  // namespace skysim

#endif  // TESTS_CONTRACT_SIMULATED_WORLD_H_
