#ifndef SIMNET_TRACE_DIGEST_H_
#define SIMNET_TRACE_DIGEST_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "engine/platform/observer.h"

namespace skysim {

// 64-bit hash of `bytes`: the same on every machine, in every build, in every process. Part of the
// trace format (format.md gives it step by step), so it never changes without a new format version.
// Good enough that two different payloads do not meet by accident; not a defence against somebody
// who looks for a collision.
uint64_t HashBytes(absl::string_view bytes);

// EventDigest folds the events of a run, in order, into 64 bits. Every field takes part; texts by
// their contents. Two runs are taken to be equal if count and digest are. A few nanoseconds per
// event beside the hash of its text.
class EventDigest final {
 public:
  // `bytes_hash` is HashBytes(event.bytes), or 0 if there are none.
  void Fold(int64_t time_ns, uint32_t node, const Event& event, uint64_t bytes_hash);

  uint64_t value() const;

 private:
  uint64_t state_ = 0x736b7973696d2031;  // "skysim 1": the digest of no events is not 0
};

}  // namespace skysim

#endif  // SIMNET_TRACE_DIGEST_H_
