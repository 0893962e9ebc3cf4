#include "tools/command_line.h"

#include <sys/stat.h>

#include <ostream>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "simnet/scenario/path.h"
#include "simnet/trace/trace.h"
#include "tools/replay_command.h"
#include "tools/run_arguments.h"
#include "tools/run_command.h"
#include "tools/node_command.h"
#include "tools/show_command.h"
#include "tools/sweep_command.h"
#include "tools/zoo_command.h"

namespace skysim {
namespace {

constexpr const char* kVersion = "0.1.0";

constexpr const char* kDescription =
    "Runs a cluster of skynet services over a simulated network, inside one thread. "
    "One seed decides\n"
    "every delay, fault and interleaving, so each failure can be repeated.";

constexpr const char* kExamples = R"(Examples:
  tools/skysim run scenarios/zoo/P01_wake_order.lua                 one run
  tools/skysim sweep scenarios/zoo/P01_wake_order.lua --count 1000  a thousand seeds
  tools/skysim zoo run                                              skynet's bugs of the past
  tools/skysim run scenarios/canary.lua --seed 7 --trace t.skytrace
  tools/skysim show t.skytrace --kind fault,property
  tools/skysim replay t.skytrace

Exit status: 0 passed, 1 a property failed, 2 wrong usage or input, 3 two executions that should be
one differ, 4 no progress or a limit was reached.)";

bool IsFolder(const std::string& path) {
  struct stat about = {};
  return stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

// One line, without the advice to read the manual that CLI11 puts behind it.
std::string FirstSentence(const std::string& message) {
  std::vector<std::string> lines = absl::StrSplit(message, '\n', absl::SkipEmpty());
  return lines.empty() ? "the command line is wrong" : lines[0];
}

// A word where the subcommand stands that is none, or nothing there. Ok: the mistake is another
// one.
absl::Status CheckSubcommand(const CLI::App& app, int argc, const char* const* argv) {
  if (!app.get_subcommands().empty()) return absl::OkStatus();
  auto all = app.get_subcommands([](const CLI::App*) { return true; });
  const std::string there_are = absl::StrCat(
      "there are: ", absl::StrJoin(all, ", ", [](std::string* out, const CLI::App* subcommand) {
        absl::StrAppend(out, subcommand->get_name());
      }));
  const bool has_word = argc > 1 && argv[1][0] != '-';
  return absl::InvalidArgumentError(
      has_word ? absl::StrCat("there is no subcommand \"", argv[1], "\"; ", there_are)
               : absl::StrCat("a subcommand is missing; ", there_are));
}

// Every folder above `path`, the nearest first.
std::vector<std::string> FoldersAbove(std::string path) {
  std::vector<std::string> folders;
  for (size_t slash = path.rfind('/'); slash != path.npos && slash > 0; slash = path.rfind('/')) {
    path.resize(slash);
    folders.push_back(path);
  }
  return folders;
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, const CommandContext& context) {
  CLI::App app{kDescription, "skysim"};
  app.require_subcommand(1);
  app.set_version_flag("--version", absl::StrCat("skysim ", kVersion, ", trace format ",
                                                 kTraceVersion));
  app.footer(kExamples);
  RunCommand run;
  SweepCommand sweep;
  ReplayCommand replay;
  ShowCommand show;
  NodeCommand node;
  ZooCommand zoo;
  AddRunCommand(app, run);
  AddSweepCommand(app, sweep);
  AddReplayCommand(app, replay);
  AddShowCommand(app, show);
  AddNodeCommand(app, node);
  AddZooCommand(app, zoo);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version come this way too, as successes.
    if (error.get_exit_code() == 0) return app.exit(error, context.out, context.err);
    // `--legacy help` needs no scenario.
    if (!run.run.legacy.empty() && PrintLegacyHelp(run.run, context)) return kExitPassed;
    if (!sweep.run.legacy.empty() && PrintLegacyHelp(sweep.run, context)) return kExitPassed;
    absl::Status subcommand = CheckSubcommand(app, argc, argv);
    if (!subcommand.ok()) return FailUsage(context, subcommand);
    return FailUsage(context, absl::InvalidArgumentError(FirstSentence(error.what())));
  }
  if (app.got_subcommand("run")) return ExecuteRun(run, context);
  if (app.got_subcommand("sweep")) return ExecuteSweep(sweep, context);
  if (app.got_subcommand("replay")) return ExecuteReplay(replay, context);
  if (app.got_subcommand("node")) return ExecuteNode(node, context);
  if (app.got_subcommand("zoo")) return ExecuteZoo(zoo, context);
  return ExecuteShow(show, context);
}

absl::StatusOr<std::string> FindHome(const char* home_variable, const std::string& program_path) {
  auto has_lualib = [](const std::string& folder) { return IsFolder(folder + "/lualib"); };
  if (home_variable != nullptr && *home_variable != '\0') {
    std::string home = AbsolutePath(home_variable);
    if (has_lualib(home)) return home;
    return absl::NotFoundError(absl::StrCat("SKYSIM_HOME: \"", home_variable,
                                            "\" holds no folder lualib"));
  }
  std::vector<std::string> folders = {program_path + ".runfiles/skysim",
                                      program_path + ".runfiles/_main"};
  for (std::string& folder : FoldersAbove(program_path)) folders.push_back(std::move(folder));
  folders.push_back(AbsolutePath("."));
  for (const std::string& folder : folders) {
    if (has_lualib(folder)) return folder;
  }
  return absl::NotFoundError(
      "skysim's folder lualib is neither above the program nor here; SKYSIM_HOME says where it is");
}

}  // namespace skysim
