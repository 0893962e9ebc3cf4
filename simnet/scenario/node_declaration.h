#ifndef SIMNET_SCENARIO_NODE_DECLARATION_H_
#define SIMNET_SCENARIO_NODE_DECLARATION_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "engine/platform/memory.h"
#include "engine/platform/storage.h"
#include "simnet/world/stage.h"

namespace skysim {

// One node as lualib/sim/declaration.lua has read it: its config comes in layers.
struct NodeDeclaration {
  NodeSpec spec;            // config: the entries that the scenario itself gives; they win
  std::string config_file;  // a skynet config file, from the project's folder; empty: none
  std::map<std::string, std::string> env;       // what $NAME stands for in config_file
  std::map<std::string, std::string> defaults;  // entries that neither gives
  std::string path;  // a folder of the project with services and modules; empty: none
};

// Makes spec.config the whole config of the node but for skysim's own folders, which the world
// adds. Folders of services and modules: those that the config names; then `path`; then the
// project's own, unless there is a config_file, whose word (or silence: skynet's defaults) is what
// a real node would go by.
//
// `files`: the tree of the node, with what spec.files puts there. Errors as ReadConfigFile(), with
// "node x: " in front.
absl::Status CompleteConfig(NodeDeclaration& node, Storage& files, Memory& memory);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_NODE_DECLARATION_H_
