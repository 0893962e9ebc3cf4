#ifndef ENGINE_LUA_LUA_TEXT_H_
#define ENGINE_LUA_LUA_TEXT_H_

#include <string>

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// The value at `index` as tostring() gives it. May call __tostring, and raises what that raises.
std::string ToText(lua_State* L, int index);

// A traceback of the thread `of`, with `message` before it (null: none), made on the stack of `L`.
std::string TracebackOf(lua_State* L, lua_State* of, const char* message);

}  // namespace skysim

#endif  // ENGINE_LUA_LUA_TEXT_H_
