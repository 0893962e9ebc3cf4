#ifndef TOOLS_ZOO_COMMAND_H_
#define TOOLS_ZOO_COMMAND_H_

#include <string>
#include <vector>

#include "tools/command.h"

namespace CLI {
class App;
}

namespace skysim {

// skysim zoo: the scenarios of skynet's historical bugs. As typed.
struct ZooCommand {
  bool runs = false;  // zoo run; else they are listed
  std::vector<std::string> cases;
  std::string count, starts, jobs, junit_path;
  bool prints_json = false;
};

void AddZooCommand(CLI::App& app, ZooCommand& command);

// Returns the exit status.
int ExecuteZoo(const ZooCommand& command, const CommandContext& context);

}  // namespace skysim

#endif  // TOOLS_ZOO_COMMAND_H_
