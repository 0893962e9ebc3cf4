// Bytes as tests write them down.
#ifndef TESTS_ENGINE_WIRE_HEX_H_
#define TESTS_ENGINE_WIRE_HEX_H_

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace skysim {

// The bytes of lower-case hex digits; empty if there is anything else in `hex`.
inline std::string Bytes(absl::string_view hex) {
  std::string bytes;
  return absl::HexStringToBytes(hex, &bytes) ? bytes : std::string();
}

inline std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

}  // namespace skysim

#endif  // TESTS_ENGINE_WIRE_HEX_H_
