#ifndef TOOLS_NODE_COMMAND_H_
#define TOOLS_NODE_COMMAND_H_

#include <string>
#include <vector>

#include "tools/command.h"

namespace CLI {
class App;
}

namespace skysim {

// skysim node: one node on the operating system, from a skynet config file, until it aborts or a
// signal ends it.
struct NodeCommand {
  std::string config_path;
  std::vector<std::string> settings;  // "key=value"
};

void AddNodeCommand(CLI::App& app, NodeCommand& command);

// Returns the exit status: kExitPassed when the node was aborted or ended by SIGINT or SIGTERM,
// kExitUsage when it could not start.
int ExecuteNode(const NodeCommand& command, const CommandContext& context);

}  // namespace skysim

#endif  // TOOLS_NODE_COMMAND_H_
