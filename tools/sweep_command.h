#ifndef TOOLS_SWEEP_COMMAND_H_
#define TOOLS_SWEEP_COMMAND_H_

#include <string>

#include "tools/command.h"
#include "tools/run_arguments.h"

namespace skysim {

// skysim sweep: a range of seeds, in several processes.
struct SweepCommand {
  RunArguments run;
  std::string seeds, count, seed, jobs, junit_path;
  bool keeps_going = false;
  bool checks_determinism = false;
  bool prints_digests = false;
  bool prints_json = false;
};

void AddSweepCommand(CLI::App& app, SweepCommand& command);

// Returns the exit status.
int ExecuteSweep(const SweepCommand& command, const CommandContext& context);

}  // namespace skysim

#endif  // TOOLS_SWEEP_COMMAND_H_
