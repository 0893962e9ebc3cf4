#ifndef TOOLS_RUN_COMMAND_H_
#define TOOLS_RUN_COMMAND_H_

#include <string>

#include "tools/command.h"
#include "tools/run_arguments.h"

namespace skysim {

// skysim run: one seed, from boot to verdict.
struct RunCommand {
  RunArguments run;
  std::string seed = "1";
  std::string transport = "simulated";
  std::string seeds;       // with checks_determinism: a range
  std::string trace_path;  // empty: none; "-": standard output
  std::string jobs;
  bool prints_log = false;
  bool prints_configuration = false;
  bool checks_determinism = false;
  bool prints_json = false;
};

void AddRunCommand(CLI::App& app, RunCommand& command);

// Returns the exit status.
int ExecuteRun(const RunCommand& command, const CommandContext& context);

}  // namespace skysim

#endif  // TOOLS_RUN_COMMAND_H_
