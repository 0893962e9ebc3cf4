#include "engine/core/handle.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace skysim {

std::string FormatHandle(Handle handle) { return absl::StrFormat(":%08x", handle); }

std::optional<Handle> ParseHandle(absl::string_view text) {
  if (text.size() < 2 || text.size() > 9 || text[0] != ':') return std::nullopt;
  for (char c : text.substr(1)) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  uint32_t handle = 0;
  if (!absl::SimpleHexAtoi(text.substr(1), &handle)) return std::nullopt;
  return handle;
}

}  // namespace skysim
