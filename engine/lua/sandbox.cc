#include "engine/lua/sandbox.h"

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "engine/lua/chunk_cache.h"
#include "engine/lua/sandbox_state.h"
#include "engine/platform/file_error.h"

namespace skysim {

namespace {

constexpr size_t kStandardInputPiece = 4096;

// Its address is the key of the state's userdata in the registry.
constexpr char kStateKey = 0;

int DestroyState(lua_State* L) {
  delete *static_cast<SandboxState**>(lua_touserdata(L, 1));
  return 0;
}

void PushUnboundState(lua_State* L) {
  *static_cast<SandboxState**>(lua_newuserdatauv(L, sizeof(SandboxState*), 0)) = nullptr;
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, DestroyState);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kStateKey);
}

int Print(lua_State* L) {
  int count = lua_gettop(L);
  std::string line;
  for (int i = 1; i <= count; ++i) {
    size_t size;
    const char* text = luaL_tolstring(L, i, &size);
    if (i > 1) line += '\t';
    line.append(text, size);
    lua_pop(L, 1);
  }
  line += '\n';
  SandboxOf(L).WriteOut(line);
  return 0;
}

int LoadText(lua_State* L, absl::string_view text, const char* chunk_name, const char* mode) {
  text = SkipFileStart(text);
  return luaL_loadbufferx(L, text.data(), text.size(), chunk_name, mode);
}

int LoadFileOrInput(lua_State* L, const char* path, const char* mode) {
  const SandboxOptions& options = SandboxOf(L).options;
  if (path != nullptr) return LoadLuaFile(L, options.storage, options.chunks, path, mode);
  return LoadText(L, ReadStandardInput(options.storage), "=stdin", mode);
}

int LoadFile(lua_State* L) {
  const char* path = luaL_optstring(L, 1, nullptr);
  const char* mode = luaL_optstring(L, 2, nullptr);
  bool has_environment = !lua_isnone(L, 3);
  if (LoadFileOrInput(L, path, mode) != LUA_OK) {
    luaL_pushfail(L);
    lua_insert(L, -2);
    return 2;
  }
  if (has_environment) {
    lua_pushvalue(L, 3);
    if (lua_setupvalue(L, -2, 1) == nullptr) lua_pop(L, 1);  // a chunk without globals
  }
  return 1;
}

int FinishDoFile(lua_State* L, int, lua_KContext) { return lua_gettop(L) - 1; }

// The chunk may yield: nothing with a destructor is alive here when it runs.
int DoFile(lua_State* L) {
  const char* path = luaL_optstring(L, 1, nullptr);
  lua_settop(L, 1);
  if (LoadFileOrInput(L, path, nullptr) != LUA_OK) return lua_error(L);
  lua_callk(L, 0, LUA_MULTRET, 0, FinishDoFile);
  return FinishDoFile(L, LUA_OK, 0);
}

// The files to try for module `name`, as they stand in `path`.
std::string Candidates(absl::string_view name, absl::string_view path, absl::string_view separator,
                       absl::string_view replacement) {
  std::string file_name(name);
  if (!separator.empty()) file_name = absl::StrReplaceAll(name, {{separator, replacement}});
  return absl::StrReplaceAll(path, {{LUA_PATH_MARK, file_name}});
}

std::optional<std::string> FirstThatOpens(Storage& storage, absl::string_view candidates) {
  if (candidates.empty()) return std::nullopt;
  for (absl::string_view part : absl::StrSplit(candidates, LUA_PATH_SEP)) {
    std::string candidate(part);
    if (storage.Open(candidate, Storage::OpenMode::kRead).ok()) return candidate;
  }
  return std::nullopt;
}

int PackageSearchPath(lua_State* L) {
  const char* name = luaL_checkstring(L, 1);
  const char* path = luaL_checkstring(L, 2);
  const char* separator = luaL_optstring(L, 3, ".");
  const char* replacement = luaL_optstring(L, 4, LUA_DIRSEP);
  if (SearchPath(L, name, path, separator, replacement)) return 1;
  luaL_pushfail(L);
  lua_insert(L, -2);
  return 2;
}

// The searcher of require for Lua files. Second upvalue: the package table.
int SearchLuaModule(lua_State* L) {
  const char* name = luaL_checkstring(L, 1);
  lua_getfield(L, lua_upvalueindex(2), "path");
  const char* path = lua_tostring(L, -1);
  if (path == nullptr) return luaL_error(L, "'package.path' must be a string");
  if (!SearchPath(L, name, path, ".", LUA_DIRSEP)) return 1;
  const char* file = lua_tostring(L, -1);
  const SandboxOptions& options = SandboxOf(L).options;
  if (LoadLuaFile(L, options.storage, options.chunks, file, nullptr) != LUA_OK) {
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, file,
                      lua_tostring(L, -1));
  }
  lua_pushstring(L, file);
  return 2;
}

void InstallSearcher(lua_State* L) {
  constexpr int kLuaSearcher = 2;  // Lua: preload, Lua, C, C submodules of a package
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "searchers");
  lua_pushvalue(L, -3);
  lua_pushvalue(L, -3);
  lua_pushcclosure(L, SearchLuaModule, 2);
  lua_rawseti(L, -2, kLuaSearcher);
  lua_pop(L, 2);
}

}  // namespace

std::optional<std::string> FindLuaFile(Storage& storage, absl::string_view name,
                                       absl::string_view path) {
  return FirstThatOpens(storage, Candidates(name, path, ".", LUA_DIRSEP));
}

int LoadLuaFile(lua_State* L, Storage& storage, ChunkCache* chunks, const char* path,
                const char* mode) {
  const char* chunk_name = lua_pushfstring(L, "@%s", path);
  absl::StatusOr<std::shared_ptr<const std::string>> text = storage.ReadAll(path);
  if (!text.ok()) {
    const char* what = FileErrorNumber(text.status()) == EISDIR ? "read" : "open";
    std::string why(text.status().message());
    lua_pushfstring(L, "cannot %s %s: %s", what, path, why.c_str());
    lua_remove(L, -2);
    return LUA_ERRFILE;
  }
  int result = chunks != nullptr ? chunks->Load(L, *text, chunk_name, mode)
                                 : LoadText(L, **text, chunk_name, mode);
  lua_remove(L, -2);
  return result;
}

bool SearchPath(lua_State* L, absl::string_view name, absl::string_view path,
                absl::string_view separator, absl::string_view replacement) {
  std::string candidates = Candidates(name, path, separator, replacement);
  std::optional<std::string> file = FirstThatOpens(SandboxOf(L).options.storage, candidates);
  if (file.has_value()) {
    lua_pushlstring(L, file->data(), file->size());
    return true;
  }
  std::string tried = absl::StrCat(
      "no file '", absl::StrReplaceAll(candidates, {{LUA_PATH_SEP, "'\n\tno file '"}}), "'");
  lua_pushlstring(L, tried.data(), tried.size());
  return false;
}

std::string ReadStandardInput(Storage& storage) {
  absl::StatusOr<std::unique_ptr<File>> input =
      storage.Open("/dev/stdin", Storage::OpenMode::kRead);
  std::string content;
  while (input.ok()) {
    absl::StatusOr<std::string> bytes = (*input)->ReadAt(content.size(), kStandardInputPiece);
    if (!bytes.ok() || bytes->empty()) break;
    content += *bytes;
  }
  return content;
}

void SetSandboxFunctions(lua_State* L, const char* name, const luaL_Reg* functions) {
  if (name == nullptr) {
    lua_pushglobaltable(L);
  } else {
    lua_getglobal(L, name);
  }
  lua_pushvalue(L, -2);
  luaL_setfuncs(L, functions, 1);
  lua_pop(L, 1);
}

int PushFileResult(lua_State* L, const absl::Status& status, const char* path) {
  if (status.ok()) {
    lua_pushboolean(L, 1);
    return 1;
  }
  errno = FileErrorNumber(status);
  return luaL_fileresult(L, 0, path);
}

void PrepareSandbox(lua_State* L, bool fixed_utc) {
  constexpr luaL_Reg kGlobals[] = {
      {"dofile", DoFile}, {"loadfile", LoadFile}, {"print", Print}, {nullptr, nullptr}};
  constexpr luaL_Reg kPackage[] = {{"searchpath", PackageSearchPath}, {nullptr, nullptr}};
  PushUnboundState(L);
  SetSandboxFunctions(L, nullptr, kGlobals);
  SetSandboxFunctions(L, LUA_LOADLIBNAME, kPackage);
  InstallSearcher(L);
  PrepareSandboxOs(L, fixed_utc);
  PrepareSandboxIo(L, fixed_utc);
  PrepareSandboxMath(L);
  PrepareSandboxLibraries(L);
  lua_pop(L, 1);
}

void BindSandbox(lua_State* L, SandboxOptions options) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &kStateKey);
  auto** owner = static_cast<SandboxState**>(lua_touserdata(L, -1));
  CHECK(owner != nullptr && *owner == nullptr) << "a sandbox is prepared once and bound once";
  *owner = new SandboxState(std::move(options));
  BindSandboxIo(L, **owner);
  lua_pop(L, 1);
}

void InstallSandbox(lua_State* L, SandboxOptions options) {
  PrepareSandbox(L, options.fixed_utc);
  BindSandbox(L, std::move(options));
}

}  // namespace skysim
