#include "tools/sweep_summary.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

namespace skysim {
namespace {

std::string Runs(uint64_t runs) { return absl::StrCat(runs, runs == 1 ? " run" : " runs"); }

}  // namespace

std::string PropertyKindName(PropertyKind kind) {
  switch (kind) {
    case PropertyKind::kAlways:
      return "always";
    case PropertyKind::kSometimes:
      return "sometimes";
    case PropertyKind::kEventually:
      return "eventually";
    case PropertyKind::kReachable:
      return "reachable";
  }
  return "unknown";
}

std::string ClaimKindName(ClaimKind claim) {
  switch (claim) {
    case ClaimKind::kGuarantee:
      return "guarantee";
    case ClaimKind::kAllowed:
      return "allowed";
    case ClaimKind::kLiveness:
      return "liveness";
    case ClaimKind::kUsual:
      return "usual";
  }
  return "unknown";
}

bool IsJudgedOverSweep(const PropertySummary& property) {
  return property.kind == PropertyKind::kSometimes || property.kind == PropertyKind::kReachable;
}

bool IsBroken(const PropertySummary& property) {
  return !IsJudgedOverSweep(property) && property.claim != ClaimKind::kUsual &&
         property.runs_failed > 0;
}

std::string MissingOutcome(const PropertySummary& property) {
  if (!IsJudgedOverSweep(property)) return "";
  bool is_sometimes = property.kind == PropertyKind::kSometimes;
  if (property.passed == 0) {
    if (!is_sometimes) return absl::StrCat("never reached in ", Runs(property.runs));
    return absl::StrCat(property.failed == 0 ? "never judged in " : "never true in ",
                        Runs(property.runs));
  }
  if (is_sometimes && property.claim == ClaimKind::kAllowed && property.failed == 0) {
    return absl::StrCat("allowed both ways, but true each time in ", Runs(property.runs));
  }
  return "";
}

void SweepSummary::Add(const SeedResult& result) {
  using Outcome = SeedResult::Outcome;
  runs_ += 1;
  events_ += result.events;
  virtual_ns_ += result.virtual_ns;
  if (scenario_.empty()) scenario_ = result.scenario;
  if (result.outcome == Outcome::kError && (error_.empty() || result.seed < error_seed_)) {
    error_ = result.reason;
    error_seed_ = result.seed;
  }
  if (result.outcome == Outcome::kFailed || result.outcome == Outcome::kCrashed) has_failed_ = true;
  if (result.outcome != Outcome::kPassed && result.outcome != Outcome::kError) {
    failures_.push_back(result);
  }
  for (size_t i = 0; i < result.properties.size(); ++i) AddProperty(result, i);
}

void SweepSummary::AddProperty(const SeedResult& result, size_t position) {
  const PropertyResult& property = result.properties[position];
  auto [at, is_new] = properties_.try_emplace({property.claim, property.kind, property.name});
  Entry& entry = at->second;
  std::pair<uint64_t, size_t> place(result.seed, position);
  if (is_new || place < entry.place) entry.place = place;
  PropertySummary& summary = entry.summary;
  summary.kind = property.kind;
  summary.claim = property.claim;
  summary.name = property.name;
  summary.runs += 1;
  summary.runs_judged += property.passed + property.failed > 0 ? 1 : 0;
  summary.passed += property.passed;
  summary.failed += property.failed;
  if (property.failed == 0) return;
  if (summary.runs_failed == 0 || result.seed < summary.failed_seed) {
    summary.failed_seed = result.seed;
    summary.detail = property.detail;
  }
  summary.runs_failed += 1;
}

std::vector<PropertySummary> SweepSummary::properties() const {
  std::vector<const Entry*> entries;
  for (const auto& [key, entry] : properties_) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->place < b->place; });
  std::vector<PropertySummary> summaries;
  for (const Entry* entry : entries) summaries.push_back(entry->summary);
  return summaries;
}

std::vector<SeedResult> SweepSummary::failures() const {
  auto length = [](const SeedResult& result) {
    bool is_crash = result.outcome == SeedResult::Outcome::kCrashed;
    return is_crash ? std::numeric_limits<uint64_t>::max() : result.events;
  };
  std::vector<SeedResult> sorted = failures_;
  std::sort(sorted.begin(), sorted.end(), [&](const SeedResult& a, const SeedResult& b) {
    return std::make_pair(length(a), a.seed) < std::make_pair(length(b), b.seed);
  });
  return sorted;
}

}  // namespace skysim
