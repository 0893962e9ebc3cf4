// How many raw messages per second of wall time the simulated network carries between C++
// endpoints, with 2 hosts and with 1000. Each message is one write of 64 bytes, one delivery event
// and one read; nothing is batched. Prints one line per arrangement.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "engine/platform/observer.h"
#include "engine/platform/transport.h"
#include "simnet/choice/choice_source.h"
#include "simnet/network/network.h"
#include "simnet/time/event_queue.h"

namespace skysim {
namespace {

constexpr size_t kMessageBytes = 64;

class NoObserver final : public Observer {
 public:
  uint64_t Record(const Event&) override { return 0; }
};

// Sends each message back to where it came from.
class Echo final : public TransportSink {
 public:
  explicit Echo(Transport& transport) : transport_(transport) { transport.SetSink(this); }

  void OnConnected(EndpointId endpoint, const Address&) override { client = endpoint; }
  void OnConnectFailed(EndpointId, absl::string_view error) override { Fail(error); }
  void OnAcceptable(EndpointId listener) override {
    transport_.SetReading(transport_.Accept(listener)->endpoint, true);
  }
  void OnReadable(EndpointId endpoint) override {
    char buffer[4096];
    const ReadResult result = transport_.Read(endpoint, buffer, sizeof buffer);
    messages += result.size / kMessageBytes;
    if (is_echoing) transport_.Write(endpoint, {buffer, result.size});
  }
  void OnWritable(EndpointId) override {}
  void OnBroken(EndpointId, absl::string_view error) override { Fail(error); }
  void Send() { transport_.Write(client, std::string(kMessageBytes, 'm')); }

  uint64_t messages = 0;
  bool is_echoing = true;
  EndpointId client = 0;

 private:
  static void Fail(absl::string_view error) { CHECK(false) << error; }
  Transport& transport_;
};

// Every host connects to the next; `depth` messages go back and forth on each connection.
void Run(int hosts, int depth, bool has_jitter) {
  SeededChoices choices(1, false);
  EventQueue events;
  Network network(choices, events);
  if (has_jitter) {
    network.DefaultLink().delay = {Delay::Shape::kUniform, 500'000, 1'500'000, 0};
  }
  NoObserver observer;
  std::vector<std::unique_ptr<Echo>> nodes;
  std::vector<Transport*> transports;
  for (int i = 0; i < hosts; ++i) {
    const std::string ip = absl::StrCat("10.0.", i / 250, ".", i % 250 + 1);
    CHECK(network.AddHost(absl::StrCat("n", i), ip).ok());
    transports.push_back(&network.StartHost(absl::StrCat("n", i), observer));
    nodes.push_back(std::make_unique<Echo>(*transports.back()));
    transports.back()->SetReading(transports.back()->Listen("", 80, 128)->endpoint, true);
  }
  for (int i = 0; i < hosts; ++i) transports[i]->Connect(absl::StrCat("n", (i + 1) % hosts), 80);
  while (!events.IsEmpty()) events.RunNext();
  for (int round = 0; round < depth; ++round) {
    for (auto& node : nodes) node->Send();
    // Less than the delay, so that each message is an event of its own.
    const int64_t next_ns = events.NowNs() + 1'000 + round;
    while (!events.IsEmpty() && events.NextNs() < next_ns) events.RunNext();
    class Nothing final : public Happening {
      void Happen(uint64_t) override {}
    } nothing;
    events.Schedule(next_ns, &nothing, 0);
    while (events.NowNs() < next_ns) events.RunNext();
  }

  const auto total = [&nodes] {
    uint64_t sum = 0;
    for (const auto& node : nodes) sum += node->messages;
    return sum;
  };
  constexpr uint64_t kMessages = 10'000'000;
  const uint64_t before = total();
  const auto start = std::chrono::steady_clock::now();
  uint64_t ran = 0;
  for (; ran < kMessages; ++ran) events.RunNext();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%5d hosts, %2d messages per connection, %s delay: %6.2f million messages/s\n", hosts,
              depth, has_jitter ? "uniform " : "constant",
              static_cast<double>(total() - before) / took.count() / 1e6);
}

}  // namespace
}  // namespace skysim

int main() {
  for (bool has_jitter : {false, true}) {
    for (int depth : {1, 16}) {
      for (int hosts : {2, 100, 1000}) skysim::Run(hosts, depth, has_jitter);
    }
  }
}
