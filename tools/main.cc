// The skysim command: makes the parts of a process and hands them down.

#include <stdlib.h>
#include <unistd.h>

#include <climits>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/log_severity.h"
#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "engine/lua/chunk_cache.h"
#include "simnet/memory/arena.h"
#include "simnet/scenario/run.h"
#include "simnet/storage/tree_storage.h"
#include "tools/command_line.h"

namespace skysim {
namespace {

// Runs scenarios in this process's arena, one after another.
class WorldRunner final : public ScenarioRunner {
 public:
  explicit WorldRunner(std::unique_ptr<Arena> arena) : arena_(std::move(arena)) {}

  absl::StatusOr<RunResult> Run(const RunOptions& options) override {
    return RunScenario(options, RunShared{*arena_, files_, &chunks_});
  }

  absl::StatusOr<ScenarioFacts> Read(const RunOptions& options) override {
    return ReadScenario(options, RunShared{*arena_, files_, &chunks_});
  }

 private:
  std::unique_ptr<Arena> arena_;
  HostFiles files_;
  ChunkCache chunks_;
};

absl::StatusOr<std::unique_ptr<ScenarioRunner>> MakeWorldRunner() {
  absl::StatusOr<std::unique_ptr<Arena>> arena = Arena::Create();
  if (!arena.ok()) return arena.status();
  return std::make_unique<WorldRunner>(*std::move(arena));
}

std::string ProgramPath() {
  char path[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  return size < 0 ? "" : std::string(path, static_cast<size_t>(size));
}

}  // namespace
}  // namespace skysim

int main(int argc, char** argv) {
  using namespace skysim;
  absl::SetStderrThreshold(absl::LogSeverityAtLeast::kWarning);
  absl::InitializeLog();
  SelfProcess second_process;
  CommandContext context{std::cout,
                         std::cerr,
                         isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == nullptr,
                         isatty(STDERR_FILENO) != 0,
                         MakeWorldRunner,
                         second_process,
                         FindHome(getenv("SKYSIM_HOME"), ProgramPath()),
                         LegacySwitches()};
  int status = RunCommandLine(argc, argv, context);
  std::cout.flush();
  return status;
}
