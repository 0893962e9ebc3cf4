#include "engine/lua/lua_text.h"

namespace skysim {

std::string ToText(lua_State* L, int index) {
  size_t size = 0;
  const char* text = luaL_tolstring(L, index, &size);
  std::string result(text, size);
  lua_pop(L, 1);
  return result;
}

std::string TracebackOf(lua_State* L, lua_State* of, const char* message) {
  luaL_traceback(L, of, message, 0);
  std::string text = lua_tostring(L, -1);
  lua_pop(L, 1);
  return text;
}

}  // namespace skysim
