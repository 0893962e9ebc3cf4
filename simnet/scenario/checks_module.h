#ifndef SIMNET_SCENARIO_CHECKS_MODULE_H_
#define SIMNET_SCENARIO_CHECKS_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

class Director;

// Functions of `sim.core` for lualib/sim/order.lua, history.lua and game.lua, set in the table on
// top of the stack. Arguments were checked there. `director` must outlive the VM.

// In a service, on its thread: sent(flow, id, kind, bytes), handled(flow, id).
void AddServiceChecks(lua_State* L, Director& director);

// In the story: declare_order(flow, rules), record(name, ...), starts(node),
// linearize(operations, initial, apply, steps_max).
void AddStoryChecks(lua_State* L, Director& director);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_CHECKS_MODULE_H_
