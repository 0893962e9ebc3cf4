#ifndef ENGINE_LUA_CORE_MODULE_H_
#define ENGINE_LUA_CORE_MODULE_H_

#include <cstdint>

#include "engine/core/message.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

class ServiceContext;

// Module `skynet.core`: what skynet gives to Lua from C (runtime_api.md 2): send, redirect, genid,
// command, intcommand, addresscommand, error, harbor, callback, trace, tostring, pack, unpack,
// packstring, trash, now, hpc. Raises "Init skynet context first" in a VM without a service.
int OpenCore(lua_State* L);
// The module's table, before the state is a service's.
void PushCore(lua_State* L);

// The service of `L`'s VM; raises if it has none.
ServiceContext& ServiceOf(lua_State* L);

// The bytes at `index` (string: copied; light userdata with its size at index + 1: taken over;
// nil: none). Raises "invalid param <type>".
Payload TakePayload(lua_State* L, int index);

// Where a message goes: a handle, or a harbor-wide name that only the harbor can resolve.
struct Destination {
  Handle handle = 0;        // 0: not alive, or a global name
  const char* name = nullptr;  // as given, if it was a string; on L's stack
  bool is_global = false;
};

// The address at `index`: number, ":hex", ".name", numeric string, or a global name. Raises on
// other types and on 0.
Destination CheckDestination(lua_State* L, int index);

// Sends as `context`; false: no such destination.
bool SendTo(ServiceContext& context, const Destination& to, MessageType type, int32_t session,
            Payload payload);

}  // namespace skysim

#endif  // ENGINE_LUA_CORE_MODULE_H_
