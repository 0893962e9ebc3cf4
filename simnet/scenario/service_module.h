#ifndef SIMNET_SCENARIO_SERVICE_MODULE_H_
#define SIMNET_SCENARIO_SERVICE_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

class Director;

// Preloads `sim.core` for lualib/sim.lua in the VM of a simulated service: role "service", probe,
// judge, declare, setting, legacy, complain. `director` must outlive the VM. Any thread, as its VM.
void PreloadServiceModule(lua_State* L, Director& director);

// Functions that both kinds of VM have: judge(kind, claim, name, is_true, detail) for the service
// of `L` or the story, declare(kind, claim, name), setting(key), legacy(name), complain(message).
int JudgeFunction(lua_State* L);
int DeclareFunction(lua_State* L);
int SettingFunction(lua_State* L);
int LegacyFunction(lua_State* L);
int ComplainFunction(lua_State* L);

// The director of a C function made with it as first upvalue.
Director& DirectorOf(lua_State* L);
// Sets functions[i] in the table on top, each with `director` as upvalue.
void SetFunctions(lua_State* L, const luaL_Reg* functions, Director& director);
// package.preload[sim.core] = the table on top, popped.
void PreloadCore(lua_State* L);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_SERVICE_MODULE_H_
