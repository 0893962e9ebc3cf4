#ifndef TOOLS_COMMAND_LINE_H_
#define TOOLS_COMMAND_LINE_H_

#include <string>

#include "absl/status/statusor.h"
#include "tools/command.h"

namespace skysim {

// Parses a command line (with the program's name first) and executes its subcommand. Returns the
// exit status.
int RunCommandLine(int argc, const char* const* argv, const CommandContext& context);

// The folder that holds skysim's lualib/: what SKYSIM_HOME says, else what is found beside or above
// the program at `program_path` (also as Bazel lays its files out), else the working directory.
// NotFound says where it was looked for. `home_variable` is the value of SKYSIM_HOME, or null.
absl::StatusOr<std::string> FindHome(const char* home_variable, const std::string& program_path);

}  // namespace skysim

#endif  // TOOLS_COMMAND_LINE_H_
