#include "engine/wire/seri.h"

#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace skysim {
namespace {

// Where in a stream a value stands.
enum class Place { kTop, kArray, kKey, kValue };

// A table whose end has not come yet.
struct OpenTable {
  uint64_t array_left;
  bool is_value_next;  // the key was read
};

Place PlaceIn(const std::vector<OpenTable>& open) {
  if (open.empty()) return Place::kTop;
  if (open.back().array_left != 0) return Place::kArray;
  return open.back().is_value_next ? Place::kValue : Place::kKey;
}

// Counts one value of the innermost table.
void Advance(std::vector<OpenTable>& open) {
  if (open.empty()) return;
  OpenTable& table = open.back();
  if (table.array_left != 0) {
    --table.array_left;
  } else {
    table.is_value_next = !table.is_value_next;
  }
}

absl::Status At(size_t offset, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("Invalid serialize stream at byte ", offset, ": ", what));
}

// What is wrong with `token` at this place, or nothing.
absl::string_view Fault(const SeriToken& token, Place place, size_t depth,
                        const SeriLimits& limits) {
  switch (token.type) {
    case SeriToken::Type::kEnd:
      return "ends inside a table";
    case SeriToken::Type::kMalformed:
      return "no value, or one cut short";
    case SeriToken::Type::kPointer:
      if (!limits.are_pointers_allowed) return "an address of another process";
      break;
    case SeriToken::Type::kDouble:
      if (place == Place::kKey && std::isnan(token.number)) return "a key that is not a number";
      break;
    default:
      break;
  }
  if (depth > static_cast<size_t>(limits.depth_max)) return "nested too deep";
  return "";
}

// Goes over a stream without recursion and tells `visitor` about each value, table ends included:
// OnValue(token, place), OnTableEnd(place of the table), either of which stops the walk with false.
template <typename Visitor>
absl::Status Walk(absl::string_view bytes, const SeriLimits& limits, Visitor& visitor) {
  if (bytes.size() > limits.bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat("Invalid serialize stream: ", bytes.size(),
                                                   " bytes, allowed are ", limits.bytes_max));
  }
  SeriReader reader(bytes);
  std::vector<OpenTable> open;
  while (reader.left() != 0 || !open.empty()) {
    const size_t offset = bytes.size() - reader.left();
    const SeriToken token = reader.Next();
    const Place place = PlaceIn(open);
    if (place == Place::kKey && token.type == SeriToken::Type::kNil) {
      open.pop_back();
      if (!visitor.OnTableEnd(PlaceIn(open))) return absl::OkStatus();
      Advance(open);
      continue;
    }
    const absl::string_view fault = Fault(token, place, open.size(), limits);
    if (!fault.empty()) return At(offset, fault);
    if (!visitor.OnValue(token, place)) return absl::OkStatus();
    if (token.type == SeriToken::Type::kTable) {
      open.push_back(OpenTable{token.array_size, false});
    } else {
      Advance(open);
    }
  }
  return absl::OkStatus();
}

struct Silence {
  bool OnValue(const SeriToken&, Place) { return true; }
  bool OnTableEnd(Place) { return true; }
};

// Writes values as Lua would, more or less.
class TextWriter final {
 public:
  explicit TextWriter(size_t text_max) : text_max_(text_max) {}

  bool OnValue(const SeriToken& token, Place place) {
    if (place != Place::kValue && !is_first_) text_ += ", ";
    if (place == Place::kKey) text_ += "[";
    is_first_ = false;
    AppendScalar(token);
    if (token.type == SeriToken::Type::kTable) {
      is_first_ = true;
    } else {
      CloseKey(place);
    }
    return HasRoom();
  }

  bool OnTableEnd(Place place) {
    text_ += "}";
    is_first_ = false;
    CloseKey(place);
    return HasRoom();
  }

  std::string Take() { return std::move(text_); }

 private:
  void CloseKey(Place place) {
    if (place == Place::kKey) text_ += "] = ";
  }

  void AppendScalar(const SeriToken& token) {
    switch (token.type) {
      case SeriToken::Type::kNil: text_ += "nil"; break;
      case SeriToken::Type::kBoolean: text_ += token.boolean ? "true" : "false"; break;
      case SeriToken::Type::kInteger: absl::StrAppend(&text_, token.integer); break;
      case SeriToken::Type::kDouble: AppendDouble(token.number); break;
      case SeriToken::Type::kPointer:
        absl::StrAppend(&text_, "userdata: 0x", absl::Hex(token.pointer, absl::kZeroPad16));
        break;
      case SeriToken::Type::kString: AppendString(token.string); break;
      case SeriToken::Type::kTable: text_ += "{"; break;
      case SeriToken::Type::kEnd:
      case SeriToken::Type::kMalformed: break;  // Walk stops before
    }
  }

  // As many digits as tell the number apart, and never the looks of an integer.
  void AppendDouble(double value) {
    std::string digits = absl::StrFormat("%.17g", value);
    const std::string brief = absl::StrFormat("%.14g", value);
    if (std::strtod(brief.c_str(), nullptr) == value) digits = brief;
    if (digits.find_first_not_of("-0123456789") == std::string::npos) digits += ".0";
    text_ += digits;
  }

  void AppendString(absl::string_view value) {
    const size_t room = text_max_ > text_.size() ? text_max_ - text_.size() : 0;
    const absl::string_view shown = value.substr(0, room);
    absl::StrAppend(&text_, "\"", absl::CHexEscape(shown), "\"");
    if (shown.size() < value.size()) text_ += "...";
  }

  bool HasRoom() {
    if (text_.size() <= text_max_) return true;
    if (!absl::EndsWith(text_, "...")) text_ += "...";
    return false;
  }

  const size_t text_max_;
  std::string text_;
  bool is_first_ = true;  // no comma before the next value
};

}  // namespace

absl::Status ValidateSeri(absl::string_view bytes, const SeriLimits& limits) {
  Silence silence;
  return Walk(bytes, limits, silence);
}

absl::StatusOr<std::string> SeriToText(absl::string_view bytes, size_t text_max,
                                       const SeriLimits& limits) {
  TextWriter writer(text_max);
  const absl::Status walked = Walk(bytes, limits, writer);
  if (!walked.ok()) return walked;
  return writer.Take();
}

}  // namespace skysim
