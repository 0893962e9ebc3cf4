#include "tools/arguments.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace skysim {
namespace {

absl::Status Wrong(absl::string_view option, absl::string_view text, absl::string_view allowed) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": \"", text, "\" is no value for it; it takes ", allowed));
}

// Digits only: absl's readers also take spaces and signs.
bool ReadDecimal(absl::string_view text, uint64_t* value) {
  for (char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return absl::SimpleAtoi(text, value);
}

bool ReadHexadecimal(absl::string_view text, uint64_t* value) {
  for (char c : text) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return false;
  }
  return !text.empty() && text.size() <= 16 && absl::SimpleHexAtoi(text, value);
}

bool ReadSeed(absl::string_view text, uint64_t* value) {
  if (absl::ConsumePrefix(&text, "0x") || absl::ConsumePrefix(&text, "0X")) {
    return ReadHexadecimal(text, value);
  }
  return ReadDecimal(text, value);
}

constexpr absl::string_view kSeedForm = "a whole number of 64 bits, decimal or 0x hexadecimal";

struct Unit {
  absl::string_view name;
  int64_t ns;
};
// Longer names first where one ends like another.
constexpr Unit kUnits[] = {
    {"ns", 1},          {"us", 1'000},          {"ms", 1'000'000},
    {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};

// `digits` behind the point, of a unit of `unit_ns`. False if it is not whole nanoseconds.
bool ReadFraction(absl::string_view digits, int64_t unit_ns, uint64_t* ns) {
  *ns = 0;
  uint64_t place = static_cast<uint64_t>(unit_ns);
  for (char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c)) || place % 10 != 0) return false;
    place /= 10;
    *ns += place * static_cast<uint64_t>(c - '0');
  }
  return !digits.empty();
}

bool ReadDuration(absl::string_view text, int64_t* duration_ns) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (text == "0") return *duration_ns = 0, true;
  for (const Unit& unit : kUnits) {
    absl::string_view number = text;
    if (!absl::ConsumeSuffix(&number, unit.name)) continue;
    size_t point = number.find('.');
    uint64_t whole = 0, fraction_ns = 0;
    if (!ReadDecimal(number.substr(0, point), &whole)) return false;
    if (point != number.npos &&
        !ReadFraction(number.substr(point + 1), unit.ns, &fraction_ns)) {
      return false;
    }
    if (whole > (kMax - fraction_ns) / static_cast<uint64_t>(unit.ns)) return false;
    *duration_ns = static_cast<int64_t>(whole * static_cast<uint64_t>(unit.ns) + fraction_ns);
    return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<uint64_t> ParseSeed(absl::string_view option, absl::string_view text) {
  uint64_t seed = 0;
  if (!ReadSeed(text, &seed)) return Wrong(option, text, kSeedForm);
  return seed;
}

absl::StatusOr<SeedRange> ParseSeedRange(absl::string_view option, absl::string_view text) {
  SeedRange range;
  size_t colon = text.find(':');
  absl::string_view last = colon == text.npos ? text : text.substr(colon + 1);
  if (!ReadSeed(text.substr(0, colon), &range.first) || !ReadSeed(last, &range.last)) {
    return Wrong(option, text, "FIRST:LAST, two seeds, as 1:200");
  }
  if (range.last < range.first) {
    return Wrong(option, text, "FIRST:LAST, the last one not below the first");
  }
  return range;
}

absl::StatusOr<uint64_t> ParseCount(absl::string_view option, absl::string_view text, uint64_t min,
                                    uint64_t max) {
  uint64_t count = 0;
  if (!ReadDecimal(text, &count) || count < min || count > max) {
    return Wrong(option, text, absl::StrCat("a whole number from ", min, " to ", max));
  }
  return count;
}

absl::StatusOr<int64_t> ParseDuration(absl::string_view option, absl::string_view text) {
  int64_t duration_ns = 0;
  if (!ReadDuration(text, &duration_ns)) {
    return Wrong(option, text, "a number and its unit: h, m, s, ms, us or ns, as 1.5s");
  }
  return duration_ns;
}

absl::StatusOr<std::pair<std::string, std::string>> ParseSetting(absl::string_view option,
                                                                 absl::string_view text) {
  size_t equals = text.find('=');
  if (equals == text.npos || equals == 0) return Wrong(option, text, "KEY=VALUE");
  return std::make_pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

absl::StatusOr<uint32_t> ParseHandle(absl::string_view option, absl::string_view text) {
  uint64_t handle = 0;
  absl::string_view digits = absl::StripPrefix(text, ":");
  if (!ReadHexadecimal(digits, &handle) || handle > 0xffffffff) {
    return Wrong(option, text, "the handle of a service, in hexadecimal, as :0000000a");
  }
  return static_cast<uint32_t>(handle);
}

std::string ShellQuote(absl::string_view text) {
  constexpr absl::string_view kPlain = "+,-./:=@_%";
  bool is_plain = !text.empty();
  for (char c : text) {
    bool is_letter = absl::ascii_isalnum(static_cast<unsigned char>(c));
    is_plain = is_plain && (is_letter || kPlain.find(c) != kPlain.npos);
  }
  if (is_plain) return std::string(text);
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

}  // namespace skysim
