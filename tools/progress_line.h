#ifndef TOOLS_PROGRESS_LINE_H_
#define TOOLS_PROGRESS_LINE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "tools/command.h"

namespace skysim {

// One line on the terminal that is written over and over while a command works, and wiped when it
// dies. Nothing where standard error is no terminal.
class ProgressLine final {
 public:
  explicit ProgressLine(const CommandContext& context);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Ten times a second at most, shows text(nanoseconds since this line was made).
  void Show(const std::function<std::string(int64_t wall_ns)>& text);

 private:
  const CommandContext& context_;
  const int64_t start_ns_;
  int64_t shown_ns_;
  bool is_shown_ = false;
};

}  // namespace skysim

#endif  // TOOLS_PROGRESS_LINE_H_
