// How many events per second of wall time the queue alone takes and runs, with 10 to 100 000 of
// them pending. Each event schedules the next, after the same delay for all, a uniform one, or
// mostly soon and now and then a second later, as time-outs are. The median of several slices.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "simnet/time/event_queue.h"

namespace skysim {
namespace {

enum class Delays { kConstant, kUniform, kMixed };

class Chain final : public Happening {
 public:
  Chain(EventQueue& events, Delays delays) : events_(events), delays_(delays) {}
  void Happen(uint64_t argument) override {
    events_.Schedule(events_.NowNs() + DelayNs(), this, argument);
  }

 private:
  int64_t DelayNs() {
    if (delays_ == Delays::kConstant) return 500'000;
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    const int64_t random = static_cast<int64_t>(state_ >> 44);  // 0 .. 2^20-1: a millisecond
    if (delays_ == Delays::kMixed && random % 16 == 0) return 1'000'000'000 + random;
    return 500'000 + random;
  }

  EventQueue& events_;
  const Delays delays_;
  uint64_t state_ = 1;
};

double Median(Delays delays, int pending) {
  EventQueue events;
  Chain chain(events, delays);
  for (int i = 0; i < pending; ++i) {
    events.Schedule(int64_t{500'000} * i / pending, &chain, static_cast<uint64_t>(i));
  }
  constexpr int kSlices = 7, kSliceEvents = 1'000'000;
  std::vector<double> rates;
  for (int slice = 0; slice <= kSlices; ++slice) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kSliceEvents; ++i) events.RunNext();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (slice > 0) rates.push_back(kSliceEvents / took.count() / 1e6);
  }
  std::sort(rates.begin(), rates.end());
  return rates[kSlices / 2];
}

}  // namespace
}  // namespace skysim

int main() {
  using skysim::Delays;
  for (int pending : {10, 1'000, 100'000}) {
    std::printf("%6d pending: %6.1f M events/s with constant delays, %6.1f uniform, %6.1f mixed\n",
                pending, skysim::Median(Delays::kConstant, pending),
                skysim::Median(Delays::kUniform, pending),
                skysim::Median(Delays::kMixed, pending));
  }
}
