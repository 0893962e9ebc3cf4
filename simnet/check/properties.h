#ifndef SIMNET_CHECK_PROPERTIES_H_
#define SIMNET_CHECK_PROPERTIES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "simnet/scenario/run.h"

namespace skysim {

// "guarantee", "allowed", "liveness", "usual"; "always", "sometimes", "eventually", "reachable".
absl::string_view ToString(ClaimKind claim);
absl::string_view ToString(PropertyKind kind);

// PropertyStore keeps how the properties of one run fared: each name once, in order of first use.
// Only an always or an eventually that is judged false fails a run, and not if it is merely usual;
// what a sometimes means is for a sweep to say. One thread.
class PropertyStore final {
 public:
  PropertyStore() = default;
  PropertyStore(const PropertyStore&) = delete;
  PropertyStore& operator=(const PropertyStore&) = delete;

  // Adds a property that may never be judged. InvalidArgument: the name stands for a property of
  // another kind already.
  absl::Status Declare(PropertyKind kind, ClaimKind claim, const std::string& name);

  // Adds one verdict; `detail` and `now_ns` (virtual) are kept of the first that is false. Errors
  // as Declare().
  absl::Status Judge(PropertyKind kind, ClaimKind claim, const std::string& name, bool is_true,
                     absl::string_view detail, int64_t now_ns);

  const std::vector<PropertyResult>& results() const { return results_; }

  // The property that failed first; null: none did.
  const PropertyResult* FirstFailure() const;

  // `guarantee "in order" failed at 1.250000 s: expected 1 2, seen 2 1`: one line, with the first
  // of the detail.
  static std::string Describe(const PropertyResult& failed);

 private:
  std::vector<PropertyResult> results_;
  absl::flat_hash_map<std::string, size_t> index_;  // by name, into results_
  size_t first_failure_ = SIZE_MAX;
};

}  // namespace skysim

#endif  // SIMNET_CHECK_PROPERTIES_H_
