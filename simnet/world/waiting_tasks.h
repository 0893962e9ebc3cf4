#ifndef SIMNET_WORLD_WAITING_TASKS_H_
#define SIMNET_WORLD_WAITING_TASKS_H_

#include <string>
#include <vector>

#include "engine/core/node.h"
#include "simnet/scenario/run.h"

namespace skysim {

// Appends every task of a node's Lua services that waits, in order of handle and session. Nothing
// may run in the node meanwhile. `name`: what to call it.
void AddWaitingTasks(const std::string& name, Node& node, std::vector<WaitingTask>& tasks);
// The same without waits_for and stack, which take time.
void AddBriefTasks(const std::string& name, Node& node, std::vector<WaitingTask>& tasks);

}  // namespace skysim

#endif  // SIMNET_WORLD_WAITING_TASKS_H_
