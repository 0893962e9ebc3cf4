#ifndef ENGINE_LUA_PATH_ERROR_H_
#define ENGINE_LUA_PATH_ERROR_H_

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Raises "text in [.a.b]" for what is wrong with a value in a table, where the keys a and b lead to;
// the text alone if `path` is empty: it is the table itself.
[[noreturn]] inline void RaiseAt(lua_State* L, const std::vector<std::string>& path,
                                 absl::string_view text) {
  std::string where;
  for (const std::string& key : path) absl::StrAppend(&where, ".", key);
  if (!where.empty()) where = absl::StrCat(" in [", where, "]");
  luaL_error(L, "%s", absl::StrCat(text, where).c_str());
  std::abort();
}

}  // namespace skysim

#endif  // ENGINE_LUA_PATH_ERROR_H_
