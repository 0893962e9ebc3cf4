#include "tools/junit.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

TEST_CASE("text is escaped for XML") {
  CHECK(XmlEscape("a < b & \"c\" > 'd'") == "a &lt; b &amp; &quot;c&quot; &gt; 'd'");
  CHECK(XmlEscape("line\nnext\ttab\r") == "line&#10;next&#9;tab&#13;");
  CHECK(XmlEscape("\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80") == "\xc3\xa9 \xe4\xb8\xad \xf0\x9f\x98\x80");
}

TEST_CASE("what XML cannot hold is replaced, byte by byte") {
  const std::string kBad = "\xef\xbf\xbd";
  CHECK(XmlEscape(std::string("\0\x1b", 2)) == kBad + kBad);
  CHECK(XmlEscape("\xff" "a") == kBad + "a");
  CHECK(XmlEscape("\xc3") == kBad);                            // cut
  CHECK(XmlEscape("\xc0\xaf") == kBad + kBad);                 // longer than need be
  CHECK(XmlEscape("\xed\xa0\x80") == kBad + kBad + kBad);      // half of a pair
  CHECK(XmlEscape("\xef\xbf\xbe") == kBad + kBad + kBad);      // U+FFFE
  CHECK(XmlEscape("\xf4\x90\x80\x80") == kBad + kBad + kBad + kBad);  // beyond U+10FFFF
}

JunitOptions Options(bool is_whole) {
  JunitOptions options;
  options.scenario_path = "x.lua";
  options.is_whole = is_whole;
  options.repeat = [](uint64_t seed) { return absl::StrCat("repeat ", seed); };
  return options;
}

SweepSummary Summary() {
  PropertyResult never;
  never.kind = PropertyKind::kSometimes;
  never.claim = ClaimKind::kGuarantee;
  never.name = "never";
  never.failed = 1;
  SeedResult run;
  run.seed = 4;
  run.outcome = SeedResult::Outcome::kFailed;
  run.reason = "why";
  run.scenario = "a claim";
  run.properties = {never};
  SweepSummary summary;
  summary.Add(run);
  return summary;
}

TEST_CASE("report has a case per property and one per failing seed") {
  std::string report = JunitReport(Summary(), Options(true));

  CHECK(absl::StrContains(report, "<testsuite name=\"a claim\" tests=\"2\" failures=\"2\""));
  CHECK(absl::StrContains(report, "name=\"guarantee: sometimes never\""));
  CHECK(absl::StrContains(report, "<failure message=\"never true in 1 run\">"));
  CHECK(absl::StrContains(report, "name=\"seed 4\""));
  CHECK(absl::StrContains(report, "<failure message=\"failed: why\">repeat 4</failure>"));
}

TEST_CASE("what only a whole sweep can judge is skipped in a part of one") {
  std::string report = JunitReport(Summary(), Options(false));

  CHECK(absl::StrContains(report, "failures=\"1\" errors=\"0\" skipped=\"1\""));
  CHECK(absl::StrContains(report, "<skipped message="));
}

}  // namespace
}  // namespace skysim
