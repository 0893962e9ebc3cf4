#ifndef SIMNET_SCENARIO_WAITING_H_
#define SIMNET_SCENARIO_WAITING_H_

#include <string>

#include "simnet/scenario/run.h"

namespace skysim {

// A task that waits, for people: who, for what, on whom, since when, and its Lua stack, which is
// indented. Each line has two spaces in front and ends with a newline.
std::string DescribeWaiting(const WaitingTask& task);

// It waits for a reply of one of skysim's own services that gives it when something happens, which
// may be never: cslave for the end of a link or a name, datacenterd for a value, sharedatad for a
// new version, ... Whoever does that is idle.
bool WaitsByDesign(const WaitingTask& task);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_WAITING_H_
