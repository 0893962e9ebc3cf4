// How many raw messages per second of wall time the simulated network carries between C++
// endpoints, and whether that depends on the number of hosts. A message is one write of 64 bytes,
// one delivery event and one read, and is sent back by its receiver; "per delivery" shows whether
// any travelled together.
//
// The first rows hold the number of connections, and so of messages under way, and vary the hosts
// alone. The rows after them give each host one connection, so that memory grows with the hosts.
// Rows of one block run by turns in slices, so that what else the machine does hits all of them;
// the median slice counts, the slowest and fastest show the noise.

#include <algorithm>
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
constexpr uint64_t kSliceDeliveries = 500'000;
constexpr int kSlices = 15;

class NoObserver final : public Observer {
 public:
  uint64_t Record(const Event&) override { return 0; }
};

// Sends each message back to where it came from.
class Echo final : public TransportSink {
 public:
  explicit Echo(Transport& transport) : transport_(transport) { transport.SetSink(this); }

  void OnConnected(EndpointId endpoint, const Address&) override { clients.push_back(endpoint); }
  void OnConnectFailed(EndpointId, absl::string_view error) override { Fail(error); }
  void OnAcceptable(EndpointId listener) override {
    transport_.SetReading(transport_.Accept(listener)->endpoint, true);
  }
  void OnReadable(EndpointId endpoint) override {
    char buffer[4096];
    const ReadResult result = transport_.Read(endpoint, buffer, sizeof buffer);
    messages += result.size / kMessageBytes;
    transport_.Write(endpoint, {buffer, result.size});
  }
  void OnWritable(EndpointId) override {}
  void OnBroken(EndpointId, absl::string_view error) override { Fail(error); }
  void Send(EndpointId client) { transport_.Write(client, std::string(kMessageBytes, 'm')); }

  uint64_t messages = 0;
  std::vector<EndpointId> clients;

 private:
  static void Fail(absl::string_view error) { CHECK(false) << error; }
  Transport& transport_;
};

struct Row {
  int hosts;
  int connections;
  int depth;  // messages under way on each connection
  bool has_jitter;
};

// One network with its traffic. Every host connects to the next.
class Arrangement final : private Happening {
 public:
  explicit Arrangement(const Row& row) : row_(row), choices_(1, false), network_(choices_, events_) {
    if (row.has_jitter) {
      network_.DefaultLink().delay = {Delay::Shape::kUniform, 500'000, 1'500'000, 0};
    }
    for (int i = 0; i < row.hosts; ++i) AddHost(i);
    for (int i = 0; i < row.connections; ++i) {
      transports_[i % row.hosts]->Connect(absl::StrCat("n", (i + 1) % row.hosts), 80);
    }
    while (!events_.IsEmpty()) events_.RunNext();
    // Spread over less than a delay: the first messages are still under way when the last is sent.
    const int total = row.connections * row.depth;
    for (int i = 0; i < total; ++i) {
      events_.Schedule(events_.NowNs() + int64_t{400'000} * i / total, this,
                       static_cast<uint64_t>(i));
    }
    RunSlice();
    rates_.clear();
    messages_ = deliveries_ = 0;
  }

  void RunSlice() {
    const uint64_t before = Messages();
    const auto start = std::chrono::steady_clock::now();
    for (uint64_t i = 0; i < kSliceDeliveries; ++i) events_.RunNext();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const uint64_t messages = Messages() - before;
    rates_.push_back(static_cast<double>(messages) / took.count() / 1e6);
    messages_ += messages;
    deliveries_ += kSliceDeliveries;
  }

  double Median() {
    std::sort(rates_.begin(), rates_.end());
    return rates_[rates_.size() / 2];
  }

  void Print(double base) {
    const double median = Median();
    std::printf("%5d hosts %6d connections %3d deep  %s: %6.2f M messages/s (%.2f .. %.2f)  %.2f"
                " of the first row, %.2f per delivery\n",
                row_.hosts, row_.connections, row_.depth, row_.has_jitter ? "uniform " : "constant",
                median, rates_.front(), rates_.back(), median / base,
                static_cast<double>(messages_) / static_cast<double>(deliveries_));
  }

 private:
  void AddHost(int i) {
    const std::string name = absl::StrCat("n", i);
    CHECK(network_.AddHost(name, absl::StrCat("10.0.", i / 250, ".", i % 250 + 1)).ok());
    Transport& transport = network_.StartHost(name, observer_);
    transports_.push_back(&transport);
    nodes_.push_back(std::make_unique<Echo>(transport));
    transport.SetReading(transport.Listen("", 80, 4096)->endpoint, true);
  }

  // Sends message `i`.
  void Happen(uint64_t i) override {
    const size_t connection = i % static_cast<size_t>(row_.connections);
    Echo& node = *nodes_[connection % nodes_.size()];
    node.Send(node.clients[connection / nodes_.size()]);
  }

  uint64_t Messages() const {
    uint64_t sum = 0;
    for (const auto& node : nodes_) sum += node->messages;
    return sum;
  }

  const Row row_;
  SeededChoices choices_;
  EventQueue events_;
  Network network_;
  NoObserver observer_;
  std::vector<std::unique_ptr<Echo>> nodes_;
  std::vector<Transport*> transports_;
  std::vector<double> rates_;  // million messages per second, one per slice
  uint64_t messages_ = 0, deliveries_ = 0;
};

void RunBlock(const char* title, const std::vector<Row>& rows) {
  std::printf("%s\n", title);
  std::vector<std::unique_ptr<Arrangement>> arrangements;
  for (const Row& row : rows) arrangements.push_back(std::make_unique<Arrangement>(row));
  for (int slice = 0; slice < kSlices; ++slice) {
    for (auto& arrangement : arrangements) arrangement->RunSlice();
  }
  const double base = arrangements.front()->Median();
  for (auto& arrangement : arrangements) arrangement->Print(base);
}

}  // namespace
}  // namespace skysim

int main() {
  for (bool jitter : {false, true}) {
    skysim::RunBlock("More hosts, as many connections:", {{2, 1000, 1, jitter},
                                                          {10, 1000, 1, jitter},
                                                          {100, 1000, 1, jitter},
                                                          {1000, 1000, 1, jitter}});
    skysim::RunBlock("More hosts, one connection each:",
                     {{2, 2, 1, jitter}, {100, 100, 1, jitter}, {1000, 1000, 1, jitter}});
    skysim::RunBlock("More hosts, one connection each, deep:",
                     {{2, 2, 16, jitter}, {100, 100, 16, jitter}, {1000, 1000, 16, jitter}});
  }
}
