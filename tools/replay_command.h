#ifndef TOOLS_REPLAY_COMMAND_H_
#define TOOLS_REPLAY_COMMAND_H_

#include <string>

#include "tools/command.h"

namespace CLI {
class App;
}

namespace skysim {

// skysim replay: run again under the choices of a trace.
struct ReplayCommand {
  std::string trace_path;
  std::string scenario;  // instead of the one the trace names
  bool prints_json = false;
};

void AddReplayCommand(CLI::App& app, ReplayCommand& command);

// Returns the exit status.
int ExecuteReplay(const ReplayCommand& command, const CommandContext& context);

}  // namespace skysim

#endif  // TOOLS_REPLAY_COMMAND_H_
