#ifndef ENGINE_LUA_HOME_PATHS_H_
#define ENGINE_LUA_HOME_PATHS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "engine/core/config.h"
#include "engine/platform/storage.h"

namespace skysim {

// Where a config names no folders: skynet's own defaults, and the working folder itself.
inline constexpr absl::string_view kModulePatterns =
    "./lualib/?.lua;./lualib/?/init.lua;./?.lua";
inline constexpr absl::string_view kServicePatterns = "./service/?.lua;./?.lua";

// Puts skysim's own Lua (`home`/lualib, `home`/service) among the folders of a project's config,
// where skynet's own stand. So what a project puts before skynet's files still comes first, what
// skynet has under the same names, which cannot run here, never does, and what only skynet's
// folders hold is still found.
//
// - `lua_path`: before the first pattern under which the module skynet.lua is found.
// - `luaservice`: before the first pattern under which the service launcher.lua is found.
//   Either: at the end if there is none, and on top of the default above if the key is missing.
// - `lualoader`: ours, unless the config names one that is not skynet's own, which is one that has
//   no skynet.lua beside it.
//
// Patterns and `home` are paths of `storage`. Doing it twice changes nothing.
void AddHomePaths(Storage& storage, const std::string& home, Config& config);

}  // namespace skysim

#endif  // ENGINE_LUA_HOME_PATHS_H_
