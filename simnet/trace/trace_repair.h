#ifndef SIMNET_TRACE_TRACE_REPAIR_H_
#define SIMNET_TRACE_TRACE_REPAIR_H_

#include <string>

#include "absl/crc/crc32c.h"
#include "absl/strings/string_view.h"
#include "simnet/trace/bytes.h"

namespace skysim {

// `file` with every checksum made right, as far as its sections can be followed. For tests and
// fuzzing: damage then comes through to what stands behind the checksums (format.md, "File").
inline std::string RepairChecksums(std::string file) {
  auto repair = [&file](size_t at, size_t size) {
    ByteWriter checksum;
    absl::string_view covered = absl::string_view(file).substr(at, size);
    checksum.U32(static_cast<uint32_t>(absl::ComputeCrc32c(covered)));
    file.replace(at + size, 4, checksum.bytes());
  };
  if (file.size() < 16) return file;
  repair(0, 12);
  for (size_t at = 16; file.size() - at >= 20;) {
    repair(at, 12);
    uint64_t size = ByteReader(absl::string_view(file).substr(at + 4, 8)).U64();
    if (size > file.size() - at - 20) return file;
    repair(at + 16, size);
    at += 20 + size;
  }
  return file;
}

}  // namespace skysim

#endif  // SIMNET_TRACE_TRACE_REPAIR_H_
