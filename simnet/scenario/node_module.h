#ifndef SIMNET_SCENARIO_NODE_MODULE_H_
#define SIMNET_SCENARIO_NODE_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// What lualib/sim/node_faults.lua calls in `sim.core`: faults of nodes and of the machines that
// they run on. Each function takes the director as its first upvalue (service_module.h).
const luaL_Reg* NodeFunctions();

}  // namespace skysim

#endif  // SIMNET_SCENARIO_NODE_MODULE_H_
