#include "tools/junit.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace skysim {
namespace {

constexpr absl::string_view kReplacement = "\xef\xbf\xbd";

// The length of the character that `text` begins with, 0 if it is not one that XML may hold.
size_t XmlCharacter(absl::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  auto follows = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r';
  if (first >= 0xc2 && first < 0xe0) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    unsigned code = (first & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    bool is_surrogate = code >= 0xd800 && code < 0xe000;
    return follows(1) && follows(2) && code >= 0x800 && !is_surrogate && code < 0xfffe ? 3 : 0;
  }
  if (first >= 0xf0 && first < 0xf5) {
    unsigned high = (first & 0x07) << 6 | (byte(1) & 0x3f);  // the code point, less its 12 low bits
    return follows(1) && follows(2) && follows(3) && high >= 0x10 && high < 0x110 ? 4 : 0;
  }
  return 0;
}

std::string Seconds(int64_t duration_ns) {
  return absl::StrFormat("%d.%03d", duration_ns / 1'000'000'000,
                         duration_ns % 1'000'000'000 / 1'000'000);
}

// One <testcase>; `inside` is its children, whole.
void AppendCase(std::string& out, const JunitOptions& options, absl::string_view name,
                int64_t duration_ns, absl::string_view inside) {
  absl::StrAppend(&out, "  <testcase classname=\"", XmlEscape(options.scenario_path), "\" name=\"",
                  XmlEscape(name), "\" time=\"", Seconds(duration_ns), "\"");
  if (inside.empty()) {
    absl::StrAppend(&out, "/>\n");
  } else {
    absl::StrAppend(&out, ">\n    ", inside, "\n  </testcase>\n");
  }
}

std::string Failure(absl::string_view message, absl::string_view text) {
  return absl::StrCat("<failure message=\"", XmlEscape(message), "\">", XmlEscape(text),
                      "</failure>");
}

struct Counts {
  int cases = 0, failures = 0, skipped = 0;
};

void AppendProperty(std::string& out, const PropertySummary& property, const JunitOptions& options,
                    Counts& counts) {
  std::string name = absl::StrCat(ClaimKindName(property.claim), ": ",
                                  PropertyKindName(property.kind), " ", property.name);
  std::string inside, missing = MissingOutcome(property);
  if (IsBroken(property)) {
    inside = Failure(absl::StrCat("broken in ", property.runs_failed, " of ", property.runs,
                                  " runs, first by seed ", property.failed_seed),
                     absl::StrCat(property.detail, "\n", options.repeat(property.failed_seed)));
    counts.failures += 1;
  } else if (!missing.empty() && options.is_whole) {
    inside = Failure(missing, missing);
    counts.failures += 1;
  } else if (!missing.empty()) {
    inside = "<skipped message=\"the range of seeds was not run to its end\"/>";
    counts.skipped += 1;
  }
  AppendCase(out, options, name, 0, inside);
  counts.cases += 1;
}

}  // namespace

std::string XmlEscape(absl::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t size = XmlCharacter(text);
    absl::string_view character = text.substr(0, size == 0 ? 1 : size);
    if (size == 0) {
      absl::StrAppend(&out, kReplacement);
    } else if (character == "&") {
      absl::StrAppend(&out, "&amp;");
    } else if (character == "<") {
      absl::StrAppend(&out, "&lt;");
    } else if (character == ">") {
      absl::StrAppend(&out, "&gt;");
    } else if (character == "\"") {
      absl::StrAppend(&out, "&quot;");
    } else if (character == "\n" || character == "\r" || character == "\t") {
      absl::StrAppend(&out, "&#", static_cast<int>(character[0]), ";");  // kept in attributes too
    } else {
      absl::StrAppend(&out, character);
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::string JunitReport(const SweepSummary& summary, const JunitOptions& options) {
  Counts counts;
  std::string cases;
  for (const PropertySummary& property : summary.properties()) {
    AppendProperty(cases, property, options, counts);
  }
  for (const SeedResult& result : summary.failures()) {
    std::string message = absl::StrCat(OutcomeName(result.outcome), ": ", result.reason);
    AppendCase(cases, options, absl::StrCat("seed ", result.seed), result.wall_ns,
               Failure(message, options.repeat(result.seed)));
    counts.failures += 1;
    counts.cases += 1;
  }
  std::string name = summary.scenario().empty() ? options.scenario_path : summary.scenario();
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
                      "<testsuite name=\"",
                      XmlEscape(name), "\" tests=\"", counts.cases, "\" failures=\"",
                      counts.failures, "\" errors=\"0\" skipped=\"", counts.skipped, "\" time=\"",
                      Seconds(options.wall_ns), "\">\n", cases, "</testsuite>\n</testsuites>\n");
}

}  // namespace skysim
