#ifndef SIMNET_SCENARIO_STORY_MODULE_H_
#define SIMNET_SCENARIO_STORY_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

class Director;

// Preloads `sim.core` for lualib/sim.lua in the VM of a story: role "story", and every verb of
// lualib/sim/world.lua with units already converted. `director` must outlive the VM.
void PreloadStoryModule(lua_State* L, Director& director);

// Pushes the table of the Probe in the light userdata at index 1. To be called protected.
int PushProbeProtected(lua_State* L);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_STORY_MODULE_H_
