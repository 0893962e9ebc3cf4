#ifndef ENGINE_CORE_HANDLE_H_
#define ENGINE_CORE_HANDLE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace skysim {

// A handle is the 32-bit address of a service: harbor id in the high 8 bits, index in the low 24.
// 0 is "the system" and never a service.
using Handle = uint32_t;

constexpr int kHarborShift = 24;
constexpr Handle kHandleIndexMask = 0xffffff;

inline uint32_t HarborOf(Handle handle) { return handle >> kHarborShift; }

// ":0100000a", as skynet.address() and the logger print it.
std::string FormatHandle(Handle handle);

// Reads ":" and 1 to 8 hex digits; nothing else may follow.
std::optional<Handle> ParseHandle(absl::string_view text);

}  // namespace skysim

#endif  // ENGINE_CORE_HANDLE_H_
