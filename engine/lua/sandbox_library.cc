// require and package.loadlib for modules in C: as Lua's own, with the file tree of the storage.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/lua/sandbox_state.h"

namespace skysim {

namespace {

// Names of the function that opens module `name`, in the order to try. What stands behind a hyphen
// is a version; the second name is that of Lua 5.1, where the version stood in front.
std::vector<std::string> OpenerNames(absl::string_view name) {
  std::string plain = absl::StrReplaceAll(name, {{".", "_"}});
  size_t hyphen = plain.find('-');
  if (hyphen == std::string::npos) return {absl::StrCat("luaopen_", plain)};
  return {absl::StrCat("luaopen_", plain.substr(0, hyphen)),
          absl::StrCat("luaopen_", plain.substr(hyphen + 1))};
}

absl::StatusOr<SharedLibrary> OpenLibrary(lua_State* L, const std::string& path, bool is_global) {
  SandboxOptions& options = SandboxOf(L).options;
  if (options.open_library != nullptr) return options.open_library(L, path, is_global);
  return LoadSharedLibrary(options.storage, path, is_global);
}

enum class Found { kFunction, kNoLibrary, kNoFunction };

// Pushes the function that opens `module`, or what is wrong.
Found PushOpener(lua_State* L, const std::string& path, absl::string_view module) {
  absl::StatusOr<SharedLibrary> library = OpenLibrary(L, path, /*is_global=*/false);
  if (!library.ok()) {
    lua_pushlstring(L, library.status().message().data(), library.status().message().size());
    return Found::kNoLibrary;
  }
  for (const std::string& name : OpenerNames(module)) {
    if (void* function = FindSymbol(*library, name)) {
      lua_pushcfunction(L, reinterpret_cast<lua_CFunction>(function));
      return Found::kFunction;
    }
  }
  lua_pushfstring(L, "no function '%s'", OpenerNames(module).front().c_str());
  return Found::kNoFunction;
}

int RaiseLoadError(lua_State* L, const char* name, const char* file) {
  return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, file,
                    lua_tostring(L, -1));
}

// Pushes the file of package.cpath for `file_of`, or which files were tried. Second upvalue: the
// package table.
bool SearchCPath(lua_State* L, absl::string_view file_of) {
  lua_getfield(L, lua_upvalueindex(2), "cpath");
  const char* path = lua_tostring(L, -1);
  if (path == nullptr) luaL_error(L, "'package.cpath' must be a string");
  return SearchPath(L, file_of, path, ".", LUA_DIRSEP);
}

// The searcher of require for modules in C.
int SearchLibrary(lua_State* L) {
  const char* name = luaL_checkstring(L, 1);
  if (!SearchCPath(L, name)) return 1;
  const char* file = lua_tostring(L, -1);
  if (PushOpener(L, file, name) != Found::kFunction) return RaiseLoadError(L, name, file);
  lua_pushstring(L, file);
  return 2;
}

// The searcher for a.b.c in the library of a.
int SearchPackageLibrary(lua_State* L) {
  const char* name = luaL_checkstring(L, 1);
  absl::string_view module = name;
  size_t dot = module.find('.');
  if (dot == absl::string_view::npos) return 0;
  if (!SearchCPath(L, module.substr(0, dot))) return 1;
  const char* file = lua_tostring(L, -1);
  switch (PushOpener(L, file, name)) {
    case Found::kFunction: break;
    case Found::kNoLibrary: return RaiseLoadError(L, name, file);
    case Found::kNoFunction:
      lua_pushfstring(L, "no module '%s' in file '%s'", name, file);
      return 1;
  }
  lua_pushstring(L, file);
  return 2;
}

int Fail(lua_State* L, absl::string_view text, const char* where) {
  luaL_pushfail(L);
  lua_pushlstring(L, text.data(), text.size());
  lua_pushstring(L, where);
  return 3;
}

// package.loadlib(path, function | "*")
int LoadLib(lua_State* L) {
  const char* path = luaL_checkstring(L, 1);
  absl::string_view name = luaL_checkstring(L, 2);
  const bool is_global = name.substr(0, 1) == "*";
  absl::StatusOr<SharedLibrary> library = OpenLibrary(L, path, is_global);
  if (!library.ok()) return Fail(L, library.status().message(), "open");
  if (is_global) {
    lua_pushboolean(L, 1);
    return 1;
  }
  void* function = FindSymbol(*library, std::string(name));
  if (function == nullptr) {
    return Fail(L, absl::StrCat(path, " has no function ", name), "init");
  }
  lua_pushcfunction(L, reinterpret_cast<lua_CFunction>(function));
  return 1;
}

}  // namespace

void PrepareSandboxLibraries(lua_State* L) {
  constexpr luaL_Reg kPackage[] = {{"loadlib", LoadLib}, {nullptr, nullptr}};
  // Lua: preload, Lua, C, C submodules of a package.
  constexpr std::pair<int, lua_CFunction> kSearchers[] = {{3, SearchLibrary},
                                                          {4, SearchPackageLibrary}};
  SetSandboxFunctions(L, LUA_LOADLIBNAME, kPackage);
  lua_getglobal(L, LUA_LOADLIBNAME);
  lua_getfield(L, -1, "searchers");
  for (const auto& [place, searcher] : kSearchers) {
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, searcher, 2);
    lua_rawseti(L, -2, place);
  }
  lua_pop(L, 2);
}

}  // namespace skysim
