#include "tools/sweep_summary.h"

#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

PropertyResult Property(PropertyKind kind, ClaimKind claim, const char* name, uint64_t passed,
                        uint64_t failed) {
  PropertyResult property;
  property.kind = kind;
  property.claim = claim;
  property.name = name;
  property.passed = passed;
  property.failed = failed;
  if (failed > 0) property.detail = "seen";
  return property;
}

SeedResult Run(uint64_t seed, std::vector<PropertyResult> properties,
               SeedResult::Outcome outcome = SeedResult::Outcome::kPassed, uint64_t events = 1) {
  SeedResult result;
  result.seed = seed;
  result.outcome = outcome;
  result.events = events;
  result.properties = std::move(properties);
  return result;
}

PropertySummary Merged(std::vector<PropertyResult> runs) {
  SweepSummary summary;
  for (size_t i = 0; i < runs.size(); ++i) summary.Add(Run(i + 1, {runs[i]}));
  return summary.properties()[0];
}

constexpr auto kSometimes = PropertyKind::kSometimes;
constexpr auto kGuarantee = ClaimKind::kGuarantee;
constexpr auto kAllowed = ClaimKind::kAllowed;

TEST_CASE("sometimes is missing if it was true in no run") {
  CHECK(MissingOutcome(Merged({Property(kSometimes, kGuarantee, "p", 0, 3),
                               Property(kSometimes, kGuarantee, "p", 0, 1)})) ==
        "never true in 2 runs");
  CHECK(MissingOutcome(Merged({Property(kSometimes, kGuarantee, "p", 0, 3),
                               Property(kSometimes, kGuarantee, "p", 1, 0)})) == "");
}

TEST_CASE("allowed is missing unless both ways were seen") {
  CHECK(MissingOutcome(Merged({Property(kSometimes, kAllowed, "p", 1, 0)})) ==
        "allowed both ways, but true each time in 1 run");
  CHECK(MissingOutcome(Merged({Property(kSometimes, kAllowed, "p", 0, 1)})) ==
        "never true in 1 run");
  CHECK(MissingOutcome(Merged({Property(kSometimes, kAllowed, "p", 1, 0),
                               Property(kSometimes, kAllowed, "p", 0, 1)})) == "");
}

TEST_CASE("reachable is missing if no run came there") {
  CHECK(MissingOutcome(Merged({Property(PropertyKind::kReachable, kGuarantee, "p", 0, 0)})) ==
        "never reached in 1 run");
}

TEST_CASE("sometimes that no run judged is missing, and says so") {
  CHECK(MissingOutcome(Merged({Property(kSometimes, kGuarantee, "p", 0, 0),
                               Property(kSometimes, kGuarantee, "p", 0, 0)})) ==
        "never judged in 2 runs");
  CHECK(MissingOutcome(Merged({Property(kSometimes, kGuarantee, "p", 0, 0),
                               Property(kSometimes, kGuarantee, "p", 1, 0)})) == "");
}

TEST_CASE("runs that judged a property are counted apart from those that have it") {
  PropertySummary merged = Merged({Property(PropertyKind::kAlways, kGuarantee, "p", 0, 0),
                                   Property(PropertyKind::kAlways, kGuarantee, "p", 3, 0)});

  CHECK(merged.runs == 2);
  CHECK(merged.runs_judged == 1);
}

TEST_CASE("what is merely usual is counted when it is broken, and not a failure") {
  PropertySummary usual = Merged({Property(PropertyKind::kAlways, ClaimKind::kUsual, "p", 1, 1),
                                  Property(PropertyKind::kAlways, ClaimKind::kUsual, "p", 2, 0)});
  PropertySummary promised = Merged({Property(PropertyKind::kAlways, kGuarantee, "p", 1, 1)});

  CHECK(usual.runs_failed == 1);
  CHECK_FALSE(IsBroken(usual));
  CHECK(MissingOutcome(usual) == "");
  CHECK(IsBroken(promised));
}

TEST_CASE("always and eventually are never missing") {
  CHECK(MissingOutcome(Merged({Property(PropertyKind::kAlways, kAllowed, "p", 0, 0)})) == "");
  CHECK(MissingOutcome(Merged({Property(PropertyKind::kEventually, ClaimKind::kLiveness, "p", 0,
                                        1)})) == "");
}

TEST_CASE("order of the runs does not matter") {
  std::vector<SeedResult> runs = {
      Run(1, {Property(kSometimes, kGuarantee, "first", 1, 0),
              Property(PropertyKind::kAlways, kGuarantee, "second", 1, 0)}),
      Run(2, {Property(PropertyKind::kAlways, kGuarantee, "second", 0, 1)},
          SeedResult::Outcome::kFailed, 9),
      Run(3, {Property(PropertyKind::kAlways, kGuarantee, "second", 0, 1)},
          SeedResult::Outcome::kFailed, 5)};
  SweepSummary forward, backward;
  for (size_t i = 0; i < 3; ++i) {
    forward.Add(runs[i]);
    backward.Add(runs[2 - i]);
  }

  for (const SweepSummary* summary : {&forward, &backward}) {
    std::vector<PropertySummary> properties = summary->properties();
    REQUIRE(properties.size() == 2);
    CHECK(properties[0].name == "first");
    CHECK(properties[1].name == "second");
    CHECK(properties[1].runs_failed == 2);
    CHECK(properties[1].failed_seed == 2);
    CHECK(summary->failures()[0].seed == 3);  // 5 events are fewer than 9
    CHECK(summary->failures()[1].seed == 2);
    CHECK(summary->HasFailed());
  }
}

TEST_CASE("crash is a failure and comes last") {
  SweepSummary summary;
  summary.Add(Run(1, {}, SeedResult::Outcome::kCrashed, 0));
  summary.Add(Run(2, {}, SeedResult::Outcome::kFailed, 100));

  CHECK(summary.failures()[0].seed == 2);
  CHECK(summary.failures()[1].seed == 1);
}

TEST_CASE("limit alone is no failed property") {
  SweepSummary summary;
  summary.Add(Run(1, {}, SeedResult::Outcome::kLimit));

  CHECK(summary.failure_count() == 1);
  CHECK_FALSE(summary.HasFailed());
}

TEST_CASE("sentence about wrong input is that of the lowest seed") {
  SweepSummary summary;
  for (uint64_t seed : {3, 2, 4}) {
    SeedResult result = Run(seed, {}, SeedResult::Outcome::kError);
    result.reason = "seed " + std::to_string(seed);
    summary.Add(result);
  }

  CHECK(summary.error() == "seed 2");
}

TEST_CASE("result of a seed comes back whole from its bytes") {
  SeedResult result = Run(7, {Property(kSometimes, kAllowed, "p", 2, 1)},
                          SeedResult::Outcome::kFailed, 12);
  result.reason = "why";
  result.scenario = "claim";
  result.digest = 0xfedcba9876543210;
  result.virtual_ns = 5;
  result.wall_ns = 6;

  std::string bytes = SerializeSeedResult(result);
  auto copy = ParseSeedResult(bytes);

  REQUIRE(copy.ok());
  CHECK(SerializeSeedResult(*copy) == bytes);
  CHECK(copy->properties[0].claim == kAllowed);
  CHECK(copy->digest == result.digest);
  CHECK_FALSE(ParseSeedResult(bytes.substr(1)).ok());
}

}  // namespace
}  // namespace skysim
