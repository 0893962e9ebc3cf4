#ifndef SIMNET_SCENARIO_NETWORK_MODULE_H_
#define SIMNET_SCENARIO_NETWORK_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

class Director;

// Adds to the table on top of the stack what lualib/sim/world.lua and lualib/sim/network.lua need
// of the simulated network: how links behave, what they keep and cut, sockets of a node, middle
// boxes, and messages in flight. `director` must outlive the VM. The story's thread.
void SetNetworkFunctions(lua_State* L, Director& director);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_NETWORK_MODULE_H_
