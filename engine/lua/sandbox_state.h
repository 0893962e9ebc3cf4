#ifndef ENGINE_LUA_SANDBOX_STATE_H_
#define ENGINE_LUA_SANDBOX_STATE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/lua/sandbox.h"
#include "engine/native/shared_library.h"

namespace skysim {

// What the functions of one sandbox share, and how its parts are installed. Only for the files of
// the sandbox.
struct SandboxState {
  explicit SandboxState(SandboxOptions given) : options(std::move(given)) {}

  void WriteOut(absl::string_view bytes) {
    if (options.write_out != nullptr) options.write_out(bytes);
  }

  SandboxOptions options;
  bool random_is_seeded = false;
  uint64_t random[4] = {};  // xoshiro256**
};

// A userdata holds the pointer to it, owned: null until BindSandbox.
//
// Inside a function of the sandbox, whose first upvalue that userdata is.
inline SandboxState& SandboxOf(lua_State* L) {
  return **static_cast<SandboxState**>(lua_touserdata(L, lua_upvalueindex(1)));
}

// Each expects the state's userdata on top of the stack and leaves it there.
void PrepareSandboxOs(lua_State* L, bool fixed_utc);
void PrepareSandboxIo(lua_State* L, bool fixed_utc);
void PrepareSandboxMath(lua_State* L);
void PrepareSandboxLibraries(lua_State* L);

// Opens the standard files.
void BindSandboxIo(lua_State* L, SandboxState& sandbox);

// Sets `functions`, with the userdata on top of the stack as their upvalue, in the table `name` of
// the globals. Null: in the globals themselves.
void SetSandboxFunctions(lua_State* L, const char* name, const luaL_Reg* functions);

// Pushes the first file of `path` that can be opened for module `name` and returns true, or pushes
// which files were tried and returns false. `separator` and `replacement` as in package.searchpath.
bool SearchPath(lua_State* L, absl::string_view name, absl::string_view path,
                absl::string_view separator, absl::string_view replacement);

// Pushes what Lua's file functions return: true, or nil, "[path: ]text", errno.
int PushFileResult(lua_State* L, const absl::Status& status, const char* path);

// Everything on the standard input: what loadfile() loads.
std::string ReadStandardInput(Storage& storage);

// An unused name in /tmp, as os.tmpname gives; the empty file is made. Empty text: impossible.
std::string MakeTemporaryFile(SandboxState& state);

}  // namespace skysim

#endif  // ENGINE_LUA_SANDBOX_STATE_H_
