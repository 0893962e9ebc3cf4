// The skysim command over a FakeRunner: everything but the world is real.

#include <stdlib.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include "tests/tools/fake_runner.h"
#include "tools/command_line.h"

int main(int argc, char** argv) {
  using namespace skysim;
  SelfProcess second_process;
  CommandContext context{
      std::cout,
      std::cerr,
      false,
      getenv("FAKE_TERMINAL") != nullptr,
      [] { return absl::StatusOr<std::unique_ptr<ScenarioRunner>>(std::make_unique<FakeRunner>()); },
      second_process,
      FindHome(getenv("SKYSIM_HOME"), ""),
      {{"wakeup-unordered", "woken tasks drain in table order"}}};
  int status = RunCommandLine(argc, argv, context);
  std::cout.flush();
  return status;
}
