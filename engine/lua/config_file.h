#ifndef ENGINE_LUA_CONFIG_FILE_H_
#define ENGINE_LUA_CONFIG_FILE_H_

#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "engine/core/config.h"
#include "engine/platform/memory.h"
#include "engine/platform/storage.h"

namespace skysim {

// The value of an environment variable; nullopt: it is not set.
using EnvironmentLookup = absl::FunctionRef<std::optional<std::string>(const std::string& name)>;

// Reads the skynet config file at `path` of `storage`: a Lua chunk whose globals are the entries.
//
// - `$NAME` ([%w_]+) stands for an environment variable, anywhere in the text, before that is
//   compiled. A variable that is not set is an error.
// - The chunk sees nothing but what it has set and `include "file"`, which runs another file on the
//   same entries: relative to the folder of the file that says so, or absolute. (Methods of strings
//   are there, as in every Lua.)
// - Values are strings, numbers or booleans, kept as Lua's tostring writes them: 8 -> "8",
//   2.0 -> "2.0", true -> "true". What is set to nil again is not there.
//
// No defaults are added: Config::Complete(). The chunk runs in a VM of its own on `memory`, at most
// some million instructions and 64 MiB, so a mistake in it neither hangs nor swamps the node.
//
// Every error is InvalidArgument with one sentence that begins with its place, "config:3: ...", or,
// where there is no line, names the file. Any thread; nothing borrowed is kept.
absl::StatusOr<Config> ReadConfigFile(Storage& storage, Memory& memory, const std::string& path,
                                      EnvironmentLookup environment);

}  // namespace skysim

#endif  // ENGINE_LUA_CONFIG_FILE_H_
