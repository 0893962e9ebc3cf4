#include "simnet/world/node_config.h"

#include "absl/strings/str_cat.h"

namespace skysim {

absl::StatusOr<Config> MakeNodeConfig(const NodeSpec& spec, int workers) {
  Config config;
  config.entries = spec.config;
  config.entries.emplace("harbor", "0");
  if (workers > 0) config.entries["thread"] = absl::StrCat(workers);
  absl::Status status = config.Complete();
  if (status.ok()) return config;
  return absl::InvalidArgumentError(absl::StrCat("node ", spec.name, ": ", status.message()));
}

}  // namespace skysim
