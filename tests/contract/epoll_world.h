#ifndef TESTS_CONTRACT_EPOLL_WORLD_H_
#define TESTS_CONTRACT_EPOLL_WORLD_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/os/epoll_transport.h"
#include "tests/contract/transport_contract.h"
#include "tests/engine/os/poll_thread.h"

namespace skysim {

// Two real transports on the loopback device: 127.0.0.1 and 127.0.0.2.
class EpollWorld final : public TransportWorld {
 public:
  // `lookup` knows at least "a" and "b"; the usual one knows nobody else.
  explicit EpollWorld(const NameLookup& lookup = LookUp) {
    for (std::unique_ptr<EpollTransport>& transport : transports_) {
      EpollTransport::Options options;
      options.lookup = lookup;
      auto made = EpollTransport::Make(std::move(options));
      REQUIRE(made.ok());
      transport = *std::move(made);
    }
  }

  Transport& transport(int node) override { return *transports_[node]; }
  std::string ip(int node) override { return node == 0 ? "127.0.0.1" : "127.0.0.2"; }
  std::string name(int node) override { return node == 0 ? "a" : "b"; }
  bool has_ipv6() override {
    const auto listening = transports_[0]->Listen("::1", 0, 1);
    if (listening.ok()) transports_[0]->Close(listening->endpoint);
    return listening.ok();
  }
  void Begin() override {
    for (int i = 0; i < 2; ++i) threads_[i] = std::make_unique<PollThread>(*transports_[i]);
  }
  bool Step(ContractMonitor& monitor, int64_t callbacks) override {
    auto is_later = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor.mutex) {
      return monitor.callbacks != callbacks;
    };
    // Nothing on loopback takes this long; only a test that fails waits for it.
    constexpr absl::Duration kPatience = absl::Seconds(20);
    absl::MutexLock lock(&monitor.mutex);
    return monitor.mutex.AwaitWithTimeout(absl::Condition(&is_later), kPatience);
  }
  void PassTime() override {}

  EpollTransport& epoll(int node) { return *transports_[node]; }

  static absl::StatusOr<std::vector<std::string>> LookUp(const std::string& host) {
    if (host == "a") return std::vector<std::string>{"127.0.0.1"};
    if (host == "b") return std::vector<std::string>{"127.0.0.2"};
    return absl::NotFoundError("Name or service not known");
  }

 private:
  std::unique_ptr<EpollTransport> transports_[2];
  std::unique_ptr<PollThread> threads_[2];
};

}  // namespace skysim

#endif  // TESTS_CONTRACT_EPOLL_WORLD_H_
