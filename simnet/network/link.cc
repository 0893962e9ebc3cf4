#include "simnet/network/link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace skysim {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// Probabilities of the exponential delay are in steps of 2^-32.
constexpr int kTailBits = 32;

// -ln(x / 2^32) in units of 2^-32, for x in 1 .. 2^32. Integers only: no floating point decides
// anything. The logarithm to base 2 by repeated squaring, 24 bits behind the point, times ln 2.
uint64_t NegativeLog(uint64_t x) {
  int whole = 0;
  while (x < (uint64_t{1} << (kTailBits - 1))) {
    x <<= 1;
    ++whole;
  }
  // Now x / 2^32 is in [1/2, 1]; log2 = -whole - fraction, fraction in [0, 1].
  uint64_t fraction = 0;  // of -log2(x / 2^32), in units of 2^-24
  uint64_t y = x;
  for (int bit = 0; bit < 24; ++bit) {
    fraction <<= 1;
    y = static_cast<uint64_t>(static_cast<unsigned __int128>(y) * y >> kTailBits);
    if (y <= (uint64_t{1} << (kTailBits - 1))) {
      fraction |= 1;
      y <<= 1;
    }
  }
  const uint64_t log2 = (static_cast<uint64_t>(whole) << 24) + fraction;
  constexpr uint64_t kLn2 = 2977044472;  // ln 2 x 2^32
  return static_cast<uint64_t>(static_cast<unsigned __int128>(log2) * kLn2 >> 24);
}

}  // namespace

StreamId LinkStreams::Find(const char* what, std::optional<StreamId>* stream) {
  if (!*stream) *stream = choices_.Stream(absl::StrCat("link/", link_name_, "/", kind_, "/", what));
  return **stream;
}

uint64_t LinkStreams::Choose(const char* what, std::optional<StreamId>* stream, uint64_t bound) {
  return bound == 1 ? 0 : choices_.Choose(Find(what, stream), bound);
}

bool LinkStreams::ChooseOneIn(const char* what, std::optional<StreamId>* stream, Ratio ratio) {
  if (ratio.numerator == 0) return false;
  return choices_.ChooseOneIn(Find(what, stream), std::min(ratio.numerator, ratio.denominator),
                              ratio.denominator);
}

int64_t LinkStreams::ChooseDelayNs(const Delay& delay) {
  switch (delay.shape) {
    case Delay::Shape::kConstant:
      return delay.min_ns;
    case Delay::Shape::kUniform: {
      if (delay.max_ns <= delay.min_ns) return delay.min_ns;
      const uint64_t range = static_cast<uint64_t>(delay.max_ns - delay.min_ns) + 1;
      return delay.min_ns + static_cast<int64_t>(Choose("delay", &delay_, range));
    }
    case Delay::Shape::kExponential: {
      if (delay.mean_ns <= 0 || delay.max_ns <= delay.min_ns) return delay.min_ns;
      const uint64_t one = uint64_t{1} << kTailBits;
      const uint64_t log = NegativeLog(one - Choose("delay", &delay_, one));
      const auto added = static_cast<unsigned __int128>(delay.mean_ns) * log >> kTailBits;
      const auto added_max = static_cast<unsigned __int128>(delay.max_ns - delay.min_ns);
      return delay.min_ns + static_cast<int64_t>(std::min(added, added_max));
    }
  }
  return delay.min_ns;
}

void Link::SetConfig(const LinkConfig& config) {
  own_config_ = config;
  config_ = &*own_config_;
  if (config.bursts.enter.numerator == 0) is_in_burst_ = false;
}

void Link::PassBurst(LinkStreams& streams) {
  const Bursts& bursts = config_->bursts;
  is_in_burst_ = is_in_burst_ ? streams.ShouldStayInBurst(bursts.leave)
                              : streams.ShouldEnterBurst(bursts.enter);
}

bool Link::ShouldLoseInBursts(LinkStreams& streams) {
  PassBurst(streams);
  return streams.ShouldLose(is_in_burst_ ? config_->bursts.loss : config_->bursts.calm_loss);
}

void Link::PassInVain(LinkStreams& streams, uint64_t count) {
  for (uint64_t i = 0; i < count && is_in_burst_; ++i) PassBurst(streams);
}

int64_t Link::TransmissionNs(uint64_t size) const {
  return static_cast<int64_t>(static_cast<unsigned __int128>(size) * kNsPerSecond /
                              config_->bandwidth_bytes_per_s);
}

uint64_t Link::WaitingBytes(int64_t now_ns) const {
  const auto wait_ns = static_cast<unsigned __int128>(busy_until_ns_ - now_ns);
  return static_cast<uint64_t>(wait_ns * config_->bandwidth_bytes_per_s / kNsPerSecond);
}

int64_t Link::Transmit(int64_t now_ns, uint64_t size) {
  if (config_->bandwidth_bytes_per_s == 0) return now_ns;
  busy_until_ns_ = std::max(busy_until_ns_, now_ns) + TransmissionNs(size);
  return busy_until_ns_;
}

void Link::Partition() {
  is_partitioned_ = true;
  ++epoch_;
}

void Link::Release(const Pieces& pieces) {
  is_held_ = false;
  turn_ = 0;
  const std::vector<Holdable*> kept = std::exchange(kept_, {});
  for (Holdable* holdable : kept) holdable->OnReleased(pieces);
}

void Link::Forget(Holdable* kept) {
  kept_.erase(std::remove(kept_.begin(), kept_.end(), kept), kept_.end());
}

uint64_t Link::HeldBytes() const {
  uint64_t size = 0;
  for (const Holdable* holdable : kept_) size += holdable->HeldBytes();
  return size;
}

}  // namespace skysim
