#include "tools/run_arguments.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <ostream>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "simnet/trace/describe.h"
#include "tools/arguments.h"
#include "tools/files.h"

namespace skysim {
namespace {

constexpr uint64_t kWorkersMax = 1024;
constexpr uint64_t kJobsMax = 4096;

absl::Status CheckLegacy(const std::vector<std::string>& names, const CommandContext& context) {
  std::vector<std::string> known;
  for (const auto& entry : context.legacy_switches) known.push_back(entry.first);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return absl::InvalidArgumentError(absl::StrCat("--legacy: there is no switch \"", name,
                                                   "\"; there are: ", absl::StrJoin(known, ", ")));
  }
  return absl::OkStatus();
}

absl::Status CheckScenario(const std::string& path) {
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) {
    return absl::NotFoundError(absl::StrCat("there is no scenario file \"", path, "\""));
  }
  if (S_ISDIR(about.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", path, "\" is a folder; a scenario is a Lua file"));
  }
  return absl::OkStatus();
}

absl::Status FillNumbers(const RunArguments& arguments, RunOptions& options) {
  if (!arguments.workers.empty()) {
    auto workers = ParseCount("--workers", arguments.workers, 1, kWorkersMax);
    if (!workers.ok()) return workers.status();
    options.workers = static_cast<int>(*workers);
  }
  if (!arguments.time_max.empty()) {
    auto time_max = ParseDuration("--max-time", arguments.time_max);
    if (!time_max.ok()) return time_max.status();
    options.virtual_ns_max = *time_max;
  }
  if (!arguments.dispatches_max.empty()) {
    auto dispatches_max = ParseCount("--max-dispatches", arguments.dispatches_max, 1,
                                     std::numeric_limits<uint64_t>::max());
    if (!dispatches_max.ok()) return dispatches_max.status();
    options.dispatches_max = *dispatches_max;
  }
  return absl::OkStatus();
}

absl::Status FillConfiguration(const RunArguments& arguments, RunOptions& options) {
  options.is_swarm = arguments.is_swarm;
  if (arguments.configuration_path.empty()) return absl::OkStatus();
  if (arguments.is_swarm) {
    return absl::InvalidArgumentError(
        "--config: with --swarm the configuration is drawn; give one of them");
  }
  absl::StatusOr<std::string> text = ReadFile(arguments.configuration_path);
  if (!text.ok()) return text.status();
  if (text->empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(arguments.configuration_path, ": the file is empty"));
  }
  options.configuration = *std::move(text);
  options.configuration_path = arguments.configuration_path;
  return absl::OkStatus();
}

}  // namespace

void AddRunArguments(CLI::App& command, RunArguments& arguments) {
  command.add_option("scenario", arguments.scenario, "the scenario file")
      ->required()
      ->type_name("SCENARIO");
  command.add_option("--legacy", arguments.legacy, "put a historical bug back; help lists them")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_option("--set", arguments.settings, "a setting that the scenario asks for")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_flag("--any-order", arguments.any_order,
                   "let the seed decide what Lua leaves open: how tables are walked, when garbage "
                   "is collected");
  command.add_option("--workers", arguments.workers, "worker threads per simulated node")
      ->type_name("N");
  command.add_flag("--swarm", arguments.is_swarm,
                   "let the seed turn families of faults off and draw delays, workers and costs");
  command
      .add_option("--config", arguments.configuration_path,
                  "configure the run as this file says, which --print-config wrote")
      ->type_name("FILE");
  command
      .add_option("--max-time", arguments.time_max,
                  "time at which a run ends: virtual (1h), or real with tcp (1min)")
      ->type_name("TIME");
  command.add_option("--max-dispatches", arguments.dispatches_max,
                     "dispatches after which a run ends (50000000)")
      ->type_name("N");
}

bool PrintLegacyHelp(const RunArguments& arguments, const CommandContext& context) {
  const std::vector<std::string>& names = arguments.legacy;
  if (std::find(names.begin(), names.end(), "help") == names.end()) return false;
  for (const auto& [name, description] : context.legacy_switches) {
    context.out << absl::StreamFormat("%-22s %s\n", name, description);
  }
  return true;
}

absl::StatusOr<RunOptions> MakeRunOptions(const RunArguments& arguments,
                                          const CommandContext& context) {
  RunOptions options;
  options.scenario_path = arguments.scenario;
  options.legacy = arguments.legacy;
  options.any_order = arguments.any_order;
  for (const std::string& text : arguments.settings) {
    auto setting = ParseSetting("--set", text);
    if (!setting.ok()) return setting.status();
    options.settings.push_back(*std::move(setting));
  }
  for (const absl::Status& status :
       {FillNumbers(arguments, options), CheckLegacy(arguments.legacy, context),
        CheckScenario(arguments.scenario), FillConfiguration(arguments, options),
        context.home.status()}) {
    if (!status.ok()) return status;
  }
  options.home = *context.home;
  return options;
}

absl::StatusOr<int> ParseJobs(const std::string& text) {
  if (text.empty()) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors < 1 ? 1 : static_cast<int>(std::min<long>(processors, kJobsMax));
  }
  absl::StatusOr<uint64_t> jobs = ParseCount("--jobs", text, 1, kJobsMax);
  if (!jobs.ok()) return jobs.status();
  return static_cast<int>(*jobs);
}

std::vector<std::string> OptionArguments(const RunOptions& options) {
  const RunOptions usual;
  std::vector<std::string> words = {options.scenario_path};
  auto add = [&](absl::string_view option, std::string value) {
    words.emplace_back(option);
    words.push_back(std::move(value));
  };
  for (const std::string& name : options.legacy) add("--legacy", name);
  for (const auto& [key, value] : options.settings) add("--set", absl::StrCat(key, "=", value));
  if (options.any_order) words.emplace_back("--any-order");
  if (options.workers != 0) add("--workers", absl::StrCat(options.workers));
  if (options.is_swarm) words.emplace_back("--swarm");
  if (!options.configuration_path.empty()) add("--config", options.configuration_path);
  const bool is_tcp = options.transport == RunTransport::kTcp;
  if (is_tcp) add("--transport", "tcp");
  if (options.virtual_ns_max != (is_tcp ? kTcpTimeMaxNs : usual.virtual_ns_max)) {
    add("--max-time", FormatDuration(options.virtual_ns_max));
  }
  if (options.dispatches_max != usual.dispatches_max) {
    add("--max-dispatches", absl::StrCat(options.dispatches_max));
  }
  return words;
}

std::string RepeatCommand(const RunOptions& options) {
  std::vector<std::string> words = OptionArguments(options);
  words.insert(words.begin() + 1, {"--seed", absl::StrCat(options.seed)});
  std::string command = "tools/skysim run";
  for (const std::string& word : words) absl::StrAppend(&command, " ", ShellQuote(word));
  return command;
}

}  // namespace skysim
