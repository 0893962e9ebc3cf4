#ifndef TOOLS_SECOND_PROCESS_H_
#define TOOLS_SECOND_PROCESS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace skysim {

// A command that runs elsewhere. Destroying it ends it.
class RunningProcess {
 public:
  virtual ~RunningProcess() = default;

  // Waits for its end; call once. Returns what it wrote to its standard output. Internal if it
  // crashed or ended with a status of 2 or more than 4, with what it said.
  virtual absl::StatusOr<std::string> Wait() = 0;
};

// SecondProcess executes this same program once more, under circumstances that must not matter:
// another address layout, environment and working directory.
class SecondProcess {
 public:
  virtual ~SecondProcess() = default;

  // `arguments` without the program's name; paths among them must be absolute. `home` is handed on.
  virtual absl::StatusOr<std::unique_ptr<RunningProcess>> Start(
      const std::vector<std::string>& arguments, const std::string& home) = 0;
};

// The real one: fork and exec of /proc/self/exe.
class SelfProcess final : public SecondProcess {
 public:
  absl::StatusOr<std::unique_ptr<RunningProcess>> Start(const std::vector<std::string>& arguments,
                                                        const std::string& home) override;
};

}  // namespace skysim

#endif  // TOOLS_SECOND_PROCESS_H_
