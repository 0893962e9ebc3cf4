#ifndef ENGINE_LUA_SANDBOX_H_
#define ENGINE_LUA_SANDBOX_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/native/shared_library.h"
#include "engine/platform/clock.h"
#include "engine/platform/entropy.h"
#include "engine/platform/storage.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

class ChunkCache;

// The sandbox puts a platform where Lua's standard libraries ask the operating system: os, io,
// print, math.random, loadfile, dofile and the search for modules. Real nodes and simulated
// ones run the same functions; they differ in the parts behind them. Results and errors are those
// of Lua 5.4.
//
// What it leaves alone: load, string.dump and debug are Lua's own, and where `fixed_utc` is not set
// so are os.execute and io.popen. Modules in C are found in the storage; what they then do, nobody
// controls.
// package.path and package.cpath keep the values that opening the libraries gave them, which may
// come from LUA_PATH: set LUA_NOENV in the registry before, or both fields afterwards.

struct SandboxOptions {
  // Borrowed until the Lua state is closed.
  Storage& storage;
  Clock& clock;
  Entropy& entropy;

  // Begins the names of the streams: "<prefix>/math.random", "<prefix>/tmpname".
  std::string entropy_prefix = {};

  // Takes what print, io.write and io.stderr say, in pieces that need not end a line. Must not
  // call Lua. Empty: it is dropped.
  absl::AnyInvocable<void(absl::string_view)> write_out = {};

  // The value of an environment variable or null. Empty: none has a value.
  std::function<const std::string*(const std::string&)> getenv = {};

  // os.exit with a status. It may raise a Lua error of its own; when it returns, or is empty,
  // os.exit raises one, so that the service does not run on.
  absl::AnyInvocable<void(lua_State*, int)> exit = {};

  // Loads the shared library at `path` of the storage for `L`: LoadSharedLibrary if empty.
  std::function<absl::StatusOr<SharedLibrary>(lua_State* L, const std::string& path,
                                              bool is_global)>
      open_library = {};

  // Compiles Lua files once for all states. Borrowed until the state is closed, which must belong
  // to a LuaVm that shares its code; null: each load compiles.
  ChunkCache* chunks = nullptr;

  // A simulation: the local time is UTC, and no process can be started.
  bool fixed_utc = false;
};

// Replaces the functions in the globals of `L`, whose standard libraries must be open. Once per
// state. The options live until the state is closed.
void InstallSandbox(lua_State* L, SandboxOptions options);

// The two halves of InstallSandbox, for states that are copies of one (engine/lua/service_image.h):
// what is the same in all, and what is the state's own. `fixed_utc` as in the options. Between them
// the functions must not be called.
void PrepareSandbox(lua_State* L, bool fixed_utc);
void BindSandbox(lua_State* L, SandboxOptions options);

// The first file of `path` (templates as in package.path) that can be opened for module `name`.
std::optional<std::string> FindLuaFile(Storage& storage, absl::string_view name,
                                       absl::string_view path);

// luaL_loadfilex for a file of `storage`: pushes the chunk, named "@path", or an error message.
// `mode` as in load: null allows text and binary. `chunks` as in SandboxOptions.
int LoadLuaFile(lua_State* L, Storage& storage, ChunkCache* chunks, const char* path,
                const char* mode);

}  // namespace skysim

#endif  // ENGINE_LUA_SANDBOX_H_
