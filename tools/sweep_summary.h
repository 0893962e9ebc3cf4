#ifndef TOOLS_SWEEP_SUMMARY_H_
#define TOOLS_SWEEP_SUMMARY_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "simnet/scenario/run.h"
#include "tools/seed_result.h"

namespace skysim {

// How one property fared over all runs of a sweep.
struct PropertySummary {
  PropertyKind kind = PropertyKind::kAlways;
  ClaimKind claim = ClaimKind::kGuarantee;
  std::string name;
  uint64_t runs = 0;                  // in which it was there
  uint64_t runs_judged = 0;           // in which it was judged, too
  uint64_t passed = 0, failed = 0;    // judgements, over all runs
  uint64_t runs_failed = 0;           // with at least one judgement against it
  uint64_t failed_seed = 0;           // the lowest of them, and what it said
  std::string detail;
};

// "always", "sometimes", ...; "guarantee", "allowed", "liveness", "usual".
std::string PropertyKindName(PropertyKind kind);
std::string ClaimKindName(ClaimKind claim);

// True if `property` says what must be seen at least once, in one run of many, and so is judged
// over the whole sweep.
bool IsJudgedOverSweep(const PropertySummary& property);

// Some run broke it, and that is a failure: not so if it is merely usual.
bool IsBroken(const PropertySummary& property);

// What a whole sweep says against `property`, or nothing: a "sometimes" or "reachable" that was
// never seen, an allowed outcome whose opposite was never seen.
std::string MissingOutcome(const PropertySummary& property);

// SweepSummary merges the runs of a sweep. The order in which they come does not matter: workers
// finish as they may.
class SweepSummary final {
 public:
  void Add(const SeedResult& result);

  uint64_t runs() const { return runs_; }
  uint64_t events() const { return events_; }
  int64_t virtual_ns() const { return virtual_ns_; }
  const std::string& scenario() const { return scenario_; }
  // In the order of the run with the lowest seed in which they are.
  std::vector<PropertySummary> properties() const;
  // Failed, crashed and limited runs, the one with the fewest events first: the quickest to look
  // at. A crash counts as endless.
  std::vector<SeedResult> failures() const;
  uint64_t failure_count() const { return failures_.size(); }
  // The sentence about wrong input, of the lowest seed that had one. Empty: none.
  const std::string& error() const { return error_; }
  // A property failed or a worker crashed; without them, a limit was reached.
  bool HasFailed() const { return has_failed_; }

 private:
  using Key = std::tuple<ClaimKind, PropertyKind, std::string>;
  struct Entry {
    PropertySummary summary;
    std::pair<uint64_t, size_t> place;  // seed and position of its first appearance
  };
  void AddProperty(const SeedResult& result, size_t position);

  uint64_t runs_ = 0, events_ = 0, error_seed_ = 0;
  int64_t virtual_ns_ = 0;
  bool has_failed_ = false;
  std::string scenario_, error_;
  std::map<Key, Entry> properties_;
  std::vector<SeedResult> failures_;
};

}  // namespace skysim

#endif  // TOOLS_SWEEP_SUMMARY_H_
