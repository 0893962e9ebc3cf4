#ifndef TOOLS_RUN_ARGUMENTS_H_
#define TOOLS_RUN_ARGUMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "simnet/scenario/run.h"
#include "tools/command.h"

namespace CLI {
class App;
}

namespace skysim {

// A run on real sockets ends after that time, if it was not said otherwise: nobody waits an hour.
inline constexpr int64_t kTcpTimeMaxNs = int64_t{60} * 1'000'000'000;

// What `run` and `sweep` both take: the scenario and how to run it. As typed; checked by
// MakeRunOptions().
struct RunArguments {
  std::string scenario;
  std::vector<std::string> legacy;    // names
  std::vector<std::string> settings;  // key=value
  bool any_order = false;
  std::string workers, time_max, dispatches_max;  // empty: not given
  bool is_swarm = false;
  std::string configuration_path;  // empty: not given
};

// Adds them to a subcommand. `arguments` is filled when the line is parsed.
void AddRunArguments(CLI::App& command, RunArguments& arguments);

// True if the user asked for the list of legacy switches; prints it.
bool PrintLegacyHelp(const RunArguments& arguments, const CommandContext& context);

// One sentence for the first argument that is wrong. The seed is not among them: left at 1.
absl::StatusOr<RunOptions> MakeRunOptions(const RunArguments& arguments,
                                          const CommandContext& context);

// How many processes --jobs asks for; one per processor if `text` is empty.
absl::StatusOr<int> ParseJobs(const std::string& text);

// The arguments that say `options` again, without command and seed: the scenario, and all that is
// not as usual.
std::vector<std::string> OptionArguments(const RunOptions& options);

// "tools/skysim run scenarios/x.lua --seed 7", to be pasted into a shell.
std::string RepeatCommand(const RunOptions& options);

}  // namespace skysim

#endif  // TOOLS_RUN_ARGUMENTS_H_
