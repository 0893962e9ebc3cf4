#ifndef TOOLS_SHOW_COMMAND_H_
#define TOOLS_SHOW_COMMAND_H_

#include <string>
#include <vector>

#include "tools/command.h"

namespace CLI {
class App;
}

namespace skysim {

// skysim show: the events of a trace, in words.
struct ShowCommand {
  std::string trace_path;
  std::vector<std::string> nodes, services, kinds;
  std::string from, to, cause, limit;
  bool prints_json = false;
};

void AddShowCommand(CLI::App& app, ShowCommand& command);

// Returns the exit status.
int ExecuteShow(const ShowCommand& command, const CommandContext& context);

}  // namespace skysim

#endif  // TOOLS_SHOW_COMMAND_H_
