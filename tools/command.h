#ifndef TOOLS_COMMAND_H_
#define TOOLS_COMMAND_H_

#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/scenario_runner.h"
#include "tools/second_process.h"

namespace skysim {

// How a command ends (DESIGN: "The command").
enum ExitStatus {
  kExitPassed = 0,
  kExitFailed = 1,      // a property failed, or a run crashed
  kExitUsage = 2,       // wrong usage or input
  kExitDiverged = 3,    // two executions that should be one differ
  kExitLimit = 4,       // no progress, or a limit was reached
  kExitInterrupted = 130,  // Ctrl-C, and nothing had failed until then
};

// What the subcommands take from the outside. Made by main; outlives them.
struct CommandContext {
  std::ostream& out;
  std::ostream& err;
  bool out_has_colours = false;   // it is a terminal, and the user did not switch them off
  bool err_is_terminal = false;   // progress may be shown
  RunnerFactory make_runner;
  SecondProcess& second_process;
  // The folder that holds lualib/ and service/, or why there is none.
  absl::StatusOr<std::string> home;
  std::vector<std::pair<std::string, std::string>> legacy_switches;  // name, description
};

// Says what is wrong with the user's input, in one line; returns the status to exit with.
int FailUsage(const CommandContext& context, const absl::Status& error);

// Colours, or none. `text` may hold anything.
class Paint final {
 public:
  explicit Paint(bool is_on) : is_on_(is_on) {}
  std::string Good(absl::string_view text) const { return In("\x1b[32m", text); }
  std::string Bad(absl::string_view text) const { return In("\x1b[1;31m", text); }
  std::string Dim(absl::string_view text) const { return In("\x1b[2m", text); }

 private:
  std::string In(absl::string_view colour, absl::string_view text) const {
    return is_on_ ? absl::StrCat(colour, text, "\x1b[0m") : std::string(text);
  }
  bool is_on_;
};

}  // namespace skysim

#endif  // TOOLS_COMMAND_H_
