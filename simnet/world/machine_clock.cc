#include "simnet/world/machine_clock.h"

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"

namespace skysim {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

// `divisor` > 0.
int64_t FloorDivide(absl::int128 value, int64_t divisor) {
  absl::int128 quotient = value / divisor;
  if (value % divisor < 0) --quotient;
  return static_cast<int64_t>(quotient);
}

}  // namespace

// Rounded down, so that NowNs() is floor(lead + passed * (1 + drift)): it never goes back.
int64_t MachineClock::GainedNs() const {
  if (drift_ppb_ == 0) return 0;
  return FloorDivide(absl::int128(events_.NowNs() - since_ns_) * drift_ppb_, kSecondNs);
}

int64_t MachineClock::NowNs() const { return events_.NowNs() + lead_ns_ + GainedNs(); }

int64_t MachineClock::VirtualNs(int64_t now_ns) const {
  const int64_t missing_ns = now_ns - lead_ns_ - since_ns_;
  if (drift_ppb_ == 0) return since_ns_ + missing_ns;
  return since_ns_ - FloorDivide(absl::int128(-missing_ns) * kSecondNs, kSecondNs + drift_ppb_);
}

absl::Status MachineClock::StepWall(int64_t by_ns) {
  const int64_t wall_ns = WallNs();
  if (by_ns < kWallNsMin - wall_ns || by_ns > kWallNsMax - wall_ns) {
    return absl::InvalidArgumentError(
        "the wall clock would leave the years 1970 to 2232, in which Linux can be set");
  }
  wall_minus_now_ns_ += by_ns;
  return absl::OkStatus();
}

absl::Status MachineClock::SetWallOffset(int64_t offset_ns) {
  const int64_t ahead_ns = WallNs() - kEpochNs - events_.NowNs();
  return StepWall(offset_ns - ahead_ns);
}

absl::Status MachineClock::SetDrift(int64_t ppb) {
  if (ppb < -kDriftPpbMax || ppb > kDriftPpbMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a clock drifts by 100000ppm at most, which is what adjtimex takes"));
  }
  lead_ns_ += GainedNs();
  since_ns_ = events_.NowNs();
  drift_ppb_ = ppb;
  return absl::OkStatus();
}

}  // namespace skysim
