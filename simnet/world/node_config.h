#ifndef SIMNET_WORLD_NODE_CONFIG_H_
#define SIMNET_WORLD_NODE_CONFIG_H_

#include "absl/status/statusor.h"
#include "engine/core/config.h"
#include "simnet/world/stage.h"

namespace skysim {

// The config of a node of a stage, complete but for the folders of skysim's own Lua: where they
// stand depends on the node's files (engine/lua/home_paths.h). `workers` > 0 overrides `thread`.
// harbor is 0 unless the spec says otherwise: skynet's 1 needs a master. InvalidArgument: "node x:
// thread = ...".
absl::StatusOr<Config> MakeNodeConfig(const NodeSpec& spec, int workers);

}  // namespace skysim

#endif  // SIMNET_WORLD_NODE_CONFIG_H_
