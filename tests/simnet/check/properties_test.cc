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

TEST_CASE("a declared property is there before it is judged, with nothing counted") {
  PropertyStore store;
  CHECK(store.Declare(kAlways, kGuarantee, "later").ok());

  REQUIRE(store.results().size() == 1);
  CHECK(store.results()[0].passed + store.results()[0].failed == 0);
}

TEST_CASE("what is merely usual does not fail a run") {
  PropertyStore store;
  CHECK(store.Judge(kAlways, ClaimKind::kUsual, "in order", false, "expected 1 2", 5).ok());

  CHECK(store.FirstFailure() == nullptr);
  CHECK(store.results()[0].failed == 1);
  CHECK(store.results()[0].detail == "expected 1 2");
}

TEST_CASE("a failure is described in one line, with the first of its detail") {
  PropertyStore store;
  CHECK(store.Judge(kAlways, kGuarantee, "p", false, "in short\nat length", 0).ok());

  CHECK(PropertyStore::Describe(*store.FirstFailure()) ==
        "guarantee \"p\" failed at 0.000000 s: in short");
  CHECK(store.results()[0].detail == "in short\nat length");
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
