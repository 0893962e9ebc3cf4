#ifndef ENGINE_LUA_COROUTINE_METER_H_
#define ENGINE_LUA_COROUTINE_METER_H_

#include <cstdint>

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// CPU time of coroutines that are no tasks, for skynet.profile; the task scheduler measures tasks.
// What a coroutine resumes counts for it, what it waits for does not.

// Begins to measure `co`. False: it is measured already.
bool StartMeter(lua_State* L, lua_State* co);
// Ends it and gives the nanoseconds since; -1: it was not measured.
int64_t StopMeter(lua_State* L, lua_State* co);

// Around each lua_resume of a coroutine `co` that is no task, from `L`.
void MeterResumed(lua_State* L, lua_State* co);
void MeterSuspended(lua_State* L, lua_State* co);

}  // namespace skysim

#endif  // ENGINE_LUA_COROUTINE_METER_H_
