#include "engine/os/os_entropy.h"

#include <sys/random.h>

#include <cerrno>

#include "absl/log/check.h"

namespace skysim {

uint64_t OsEntropy::Draw(absl::string_view) {
  uint64_t bits = 0;
  ssize_t size;
  do {
    size = getrandom(&bits, sizeof(bits), 0);
  } while (size < 0 && errno == EINTR);
  CHECK(size == sizeof(bits)) << "getrandom: " << size;  // up to 256 bytes always come whole
  return bits;
}

}  // namespace skysim
