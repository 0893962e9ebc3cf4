#ifndef SIMNET_WORLD_MACHINES_H_
#define SIMNET_WORLD_MACHINES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace skysim {

// What a simulated world can do to the machines that its nodes run on, and no test program without
// rights over them could do to real ones. Implementation: World. One thread.
//
// Unknown names are InvalidArgument "no node is called x; there are: a, b"; a node that is down is
// FailedPrecondition "node a is not running".
class Machines {
 public:
  virtual ~Machines() = default;

  // Steps the wall clock. InvalidArgument as MachineClock::StepWall().
  virtual absl::Status StepClock(const std::string& node, int64_t by_ns) = 0;
  // Both clocks are fast (> 0) or slow from now on. InvalidArgument as MachineClock::SetDrift().
  virtual absl::Status SetClockDrift(const std::string& node, int64_t ppb) = 0;

  // SIGSTOP and SIGCONT: the process does nothing meanwhile, not even take what the story calls and
  // sends, while its kernel and the clocks go on. FailedPrecondition: it is paused already, or not.
  virtual absl::Status PauseNode(const std::string& node) = 0;
  virtual absl::Status ResumeNode(const std::string& node) = 0;

  // From now on, and in later lives, dispatches take `factor` times as long. InvalidArgument:
  // `factor` is below 1, or one dispatch would take more than an hour.
  virtual absl::Status SlowNode(const std::string& node, int64_t factor) = 0;
};

}  // namespace skysim

#endif  // SIMNET_WORLD_MACHINES_H_
