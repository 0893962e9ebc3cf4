#ifndef TESTS_SIMNET_NETWORK_FIXTURE_H_
#define TESTS_SIMNET_NETWORK_FIXTURE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "engine/platform/observer.h"
#include "engine/platform/transport.h"
#include "simnet/choice/choice_source.h"
#include "simnet/network/network.h"
#include "simnet/time/event_queue.h"

namespace skysim {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kS = 1'000 * kMs;

// A node that accepts everything, reads everything, and writes down what it sees.
class TestNode final : public TransportSink, public Observer {
 public:
  struct Seen {
    std::string bytes;
    std::vector<std::pair<int64_t, std::string>> chunks;  // time, bytes
    std::vector<std::string> events;  // "connected", "end", "error: ...", "broken: ...", ...
    std::vector<int64_t> times;       // of events
    std::string pending;              // still to be written
    bool is_ended = false;
  };

  TestNode(std::string name, EventQueue& events) : name(std::move(name)), queue(events) {}

  void Start(Network& network) {
    transport = &network.StartHost(name, *this);
    transport->SetSink(this);
  }
  EndpointId Listen(uint16_t port, int backlog = 32) {
    const auto listening = transport->Listen("0.0.0.0", port, backlog);
    REQUIRE(listening.ok());
    transport->SetReading(listening->endpoint, true);
    return listening->endpoint;
  }
  EndpointId Connect(const std::string& host, uint16_t port) {
    last = transport->Connect(host, port);
    return last;
  }
  // Writes what fits now and the rest as room appears.
  void Send(EndpointId endpoint, const std::string& bytes) {
    seen[endpoint].pending += bytes;
    Flush(endpoint);
  }
  void Flush(EndpointId endpoint) {
    Seen& self = seen[endpoint];
    while (!self.pending.empty()) {
      const WriteResult result = transport->Write(endpoint, self.pending);
      if (!result.error.empty()) {
        Note(endpoint, "write error: " + result.error);
        self.pending.clear();
      }
      if (result.size == 0) break;
      self.pending.erase(0, result.size);
    }
    transport->SetWriting(endpoint, !self.pending.empty());
  }
  std::string WriteError(EndpointId endpoint) { return transport->Write(endpoint, "x").error; }
  void Note(EndpointId endpoint, const std::string& event) {
    seen[endpoint].events.push_back(event);
    seen[endpoint].times.push_back(queue.NowNs());
  }

  void OnConnected(EndpointId endpoint, const Address& peer) override {
    Note(endpoint, "connected " + peer.ToString());
  }
  void OnConnectFailed(EndpointId endpoint, absl::string_view error) override {
    Note(endpoint, std::string(error));
  }
  void OnAcceptable(EndpointId listener) override {
    if (!accepts) return transport->SetReading(listener, false);
    const auto taken = transport->Accept(listener);
    REQUIRE(taken.ok());
    last = taken->endpoint;
    accepted.push_back(last);
    Note(last, "accepted " + taken->peer.ToString());
    if (reads) transport->SetReading(last, true);
  }
  void OnReadable(EndpointId endpoint) override {
    std::string buffer(read_bytes, '\0');
    const ReadResult result = transport->Read(endpoint, buffer.data(), buffer.size());
    if (result.size != 0) {
      buffer.resize(result.size);
      seen[endpoint].bytes += buffer;
      seen[endpoint].chunks.emplace_back(queue.NowNs(), buffer);
      causes.push_back(transport->CurrentCause());
    } else if (result.is_end) {
      Note(endpoint, "end");
      seen[endpoint].is_ended = true;
      transport->SetReading(endpoint, false);
    } else if (!result.error.empty()) {
      Note(endpoint, "error: " + result.error);
    }
  }
  void OnWritable(EndpointId endpoint) override { Flush(endpoint); }
  void OnBroken(EndpointId endpoint, absl::string_view error) override {
    Note(endpoint, error.empty() ? "hang-up" : "broken: " + std::string(error));
  }
  uint64_t Record(const Event& event) override {
    recorded.push_back({event, std::string(event.text)});
    return recorded.size();
  }

  const std::string name;
  EventQueue& queue;
  SimulatedTransport* transport = nullptr;
  bool accepts = true, reads = true;
  size_t read_bytes = 1 << 20;
  EndpointId last = 0;  // the newest endpoint
  std::vector<EndpointId> accepted;
  std::map<EndpointId, Seen> seen;
  std::vector<uint64_t> causes;
  std::vector<std::pair<Event, std::string>> recorded;
};

// Two nodes, a (10.0.0.1) and b (10.0.0.2), half a millisecond apart; b listens on 80.
class TestNetwork {
 public:
  explicit TestNetwork(uint64_t seed = 1)
      : choices(seed, true), network(choices, events), a("a", events), b("b", events) {
    REQUIRE(network.AddHost("a", "10.0.0.1").ok());
    REQUIRE(network.AddHost("b", "10.0.0.2").ok());
    a.Start(network);
    b.Start(network);
    listener = b.Listen(80);
  }

  // Runs everything that happens until `when_ns`, which is the time then.
  void RunUntil(int64_t when_ns) {
    while (!events.IsEmpty() && events.NextNs() <= when_ns) events.RunNext();
    events.Schedule(when_ns, &nothing_, 0);
    events.RunNext();
  }
  void RunFor(int64_t ns) { RunUntil(events.NowNs() + ns); }

  // A connection that a made; both ends.
  std::pair<EndpointId, EndpointId> Open() {
    const EndpointId client = a.Connect("b", 80);
    RunFor(10 * kMs);
    REQUIRE(a.seen[client].events.size() == 1);
    return {client, b.last};
  }

  SeededChoices choices;
  EventQueue events;
  Network network;
  TestNode a, b;
  EndpointId listener;

 private:
  class Nothing final : public Happening {
    void Happen(uint64_t) override {}
  };
  Nothing nothing_;
};

}  // namespace skysim

#endif  // TESTS_SIMNET_NETWORK_FIXTURE_H_
