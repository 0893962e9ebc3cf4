#ifndef ENGINE_PLATFORM_ENTROPY_H_
#define ENGINE_PLATFORM_ENTROPY_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace skysim {

// Entropy gives seeds: of string hashes, of math.random. Real: the operating system; simulated:
// derived from the run's seed and the stream's name.
class Entropy {
 public:
  virtual ~Entropy() = default;

  // 64 bits. `stream` names what they are for, e.g. "0100000a/math.random".
  virtual uint64_t Draw(absl::string_view stream) = 0;
};

}  // namespace skysim

#endif  // ENGINE_PLATFORM_ENTROPY_H_
