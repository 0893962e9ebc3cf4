#include "tools/command.h"

#include <ostream>

namespace skysim {

int FailUsage(const CommandContext& context, const absl::Status& error) {
  context.err << "skysim: " << error.message() << "\n";
  return kExitUsage;
}

}  // namespace skysim
