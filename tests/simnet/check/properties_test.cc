#include "simnet/check/properties.h"

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

constexpr PropertyKind kAlways = PropertyKind::kAlways;
constexpr ClaimKind kGuarantee = ClaimKind::kGuarantee;

TEST_CASE("properties stand in order of first use, and count their verdicts") {
  PropertyStore store;
  CHECK(store.Judge(kAlways, kGuarantee, "z", true, "", 1).ok());
  CHECK(store.Judge(PropertyKind::kSometimes, ClaimKind::kAllowed, "a", false, "", 2).ok());
  CHECK(store.Judge(kAlways, kGuarantee, "z", true, "", 3).ok());

  REQUIRE(store.results().size() == 2);
  CHECK(store.results()[0].name == "z");
  CHECK(store.results()[0].passed == 2);
  CHECK(store.results()[1].failed == 1);
  CHECK(store.FirstFailure() == nullptr);  // a sometimes fails no run
}

TEST_CASE("the first failure keeps its detail and its time") {
  PropertyStore store;
  CHECK(store.Judge(kAlways, kGuarantee, "late", true, "", 0).ok());
  CHECK(store.Judge(kAlways, kGuarantee, "early", false, "expected 1, seen 2", 1'250'000'000).ok());
  CHECK(store.Judge(kAlways, kGuarantee, "early", false, "another", 2'000'000'000).ok());
  CHECK(store.Judge(kAlways, kGuarantee, "late", false, "", 3'000'000'000).ok());

  REQUIRE(store.FirstFailure() != nullptr);
  CHECK(PropertyStore::Describe(*store.FirstFailure()) ==
        "guarantee \"early\" failed at 1.250000 s: expected 1, seen 2");
  CHECK(PropertyStore::Describe(store.results()[0]) == "guarantee \"late\" failed at 3.000000 s");
}

TEST_CASE("one name stands for one kind of property") {
  PropertyStore store;
  CHECK(store.Declare(PropertyKind::kReachable, kGuarantee, "corner").ok());
  CHECK(store.Judge(PropertyKind::kReachable, kGuarantee, "corner", true, "", 0).ok());

  CHECK(store.Judge(kAlways, kGuarantee, "corner", true, "", 0).message() ==
        "property \"corner\" is used as always (guarantee) and was used as reachable (guarantee) "
        "before");
}

}  // namespace
}  // namespace skysim
