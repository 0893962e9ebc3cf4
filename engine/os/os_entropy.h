#ifndef ENGINE_OS_OS_ENTROPY_H_
#define ENGINE_OS_OS_ENTROPY_H_

#include "engine/platform/entropy.h"

namespace skysim {

// OsEntropy is the real Entropy: random bits of the operating system, whatever the stream. Any
// thread. Waits, at the machine's start only, until the kernel has gathered enough.
class OsEntropy final : public Entropy {
 public:
  uint64_t Draw(absl::string_view stream) override;
};

}  // namespace skysim

#endif  // ENGINE_OS_OS_ENTROPY_H_
