#ifndef SIMNET_SCENARIO_NEMESIS_MODULE_H_
#define SIMNET_SCENARIO_NEMESIS_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Functions of `sim.core` in a story for what configures a run, for the nemesis and for the phase
// of calm behind it (lualib/sim/{configuration,nemesis,calm}.lua).
const luaL_Reg* NemesisFunctions();

}  // namespace skysim

#endif  // SIMNET_SCENARIO_NEMESIS_MODULE_H_
