#include "engine/lua/config_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "engine/lua/vm.h"

// Errors inside the VM are exceptions that run destructors (tools/third_party/lua/lua_api.h), and
// nothing here yields: C functions may hold strings.

namespace skysim {

namespace {

// A config of a thousand lines runs a few thousand instructions; these take a tenth of a second.
constexpr int kInstructionsMax = 10'000'000;
constexpr size_t kMemoryBytesMax = 64u << 20;

[[noreturn]] void Raise(lua_State* L, absl::string_view text) {
  lua_pushlstring(L, text.data(), text.size());
  lua_error(L);
  std::abort();  // not reached
}

// "config:3: " of the chunk that called the running C function.
std::string CallerPlace(lua_State* L) {
  luaL_where(L, 1);
  std::string place = lua_tostring(L, -1);
  lua_pop(L, 1);
  return place;
}

void StopEndlessLoop(lua_State* L, lua_Debug* where) {
  lua_getinfo(L, "Sl", where);
  Raise(L, absl::StrCat(where->short_src, ":", where->currentline,
                        ": the config has run ", kInstructionsMax,
                        " instructions and has not ended; is this an endless loop?"));
}

bool IsNameByte(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// `name` as include finds it from the file at `from`.
std::string PathFrom(const std::string& from, const std::string& name) {
  if (absl::StartsWith(name, "/")) return name;
  return absl::StrCat(from.substr(0, from.rfind('/') + 1), name);
}

std::string Normal(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().string();
}

// One reading of a config file with what it includes.
class Reader final {
 public:
  Reader(Storage& storage, EnvironmentLookup environment)
      : storage_(storage), environment_(environment) {}

  absl::StatusOr<Config> Read(Memory& memory, const std::string& path) {
    LuaVm vm(memory, /*seed=*/0, VmContext{});
    vm.SetMemoryLimit(kMemoryBytesMax);
    lua_State* L = vm.state();
    lua_pushcfunction(L, &Reader::RunProtected);
    lua_pushlightuserdata(L, this);
    lua_pushlightuserdata(L, const_cast<std::string*>(&path));
    int status = lua_pcall(L, 2, 0, 0);
    if (status == LUA_OK) return std::move(config_);
    if (status == LUA_ERRMEM) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": the config needs more than ", kMemoryBytesMax >> 20, " MiB"));
    }
    return absl::InvalidArgumentError(lua_tostring(L, -1));
  }

 private:
  // (reader, path)
  static int RunProtected(lua_State* L) {
    Reader& reader = *static_cast<Reader*>(lua_touserdata(L, 1));
    const std::string& path = *static_cast<const std::string*>(lua_touserdata(L, 2));
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, /*glb=*/0);
    lua_settop(L, 0);
    lua_newtable(L);
    constexpr int kValues = 1;
    reader.PushEnvironment(L, kValues);
    reader.environment_ref_ = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_sethook(L, &StopEndlessLoop, LUA_MASKCOUNT, kInstructionsMax);
    reader.RunFile(L, "", path);
    lua_sethook(L, nullptr, 0, 0);
    reader.CollectEntries(L, kValues);
    return 0;
  }

  // A table that is always empty, so that every assignment is seen: entries are in the table at
  // `values`, behind it is `include`.
  void PushEnvironment(lua_State* L, int values) {
    lua_newtable(L);
    lua_newtable(L);
    PushFunction(L, &Reader::Include);
    lua_setfield(L, -2, "include");
    lua_newtable(L);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, values);

    lua_newtable(L);
    lua_pushvalue(L, values);
    lua_setfield(L, -2, "__index");
    lua_pushlightuserdata(L, this);
    lua_pushvalue(L, values);
    lua_pushcclosure(L, &Reader::Assign, 2);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
  }

  void PushFunction(lua_State* L, lua_CFunction function) {
    lua_pushlightuserdata(L, this);
    lua_pushcclosure(L, function, 1);
  }

  static Reader& Of(lua_State* L) {
    return *static_cast<Reader*>(lua_touserdata(L, lua_upvalueindex(1)));
  }

  // (environment, key, value)
  static int Assign(lua_State* L) {
    std::string place = CallerPlace(L);
    if (lua_type(L, 2) != LUA_TSTRING) {
      Raise(L, absl::StrCat(place, "Invalid config table key = ", luaL_tolstring(L, 2, nullptr)));
    }
    Of(L).places_[lua_tostring(L, 2)] = std::move(place);
    lua_settop(L, 3);
    lua_rawset(L, lua_upvalueindex(2));
    return 0;
  }

  // (name of a file)
  static int Include(lua_State* L) {
    std::string place = CallerPlace(L);
    if (lua_type(L, 1) != LUA_TSTRING) {
      Raise(L, absl::StrCat(place, "include takes the name of a file, not a ",
                            luaL_typename(L, 1)));
    }
    Reader& reader = Of(L);
    reader.RunFile(L, place, PathFrom(reader.open_.back(), lua_tostring(L, 1)));
    return 0;
  }

  // `place`: of who includes it.
  void RunFile(lua_State* L, const std::string& place, const std::string& path) {
    CheckNoLoop(L, place, path);
    auto text = storage_.ReadAll(path);
    if (!text.ok()) {
      Raise(L, absl::StrCat(place, "cannot read ", path, ": ", text.status().message()));
    }
    std::string code = Expand(L, path, **text);
    if (absl::StartsWith(code, absl::string_view(LUA_SIGNATURE, 1))) {
      Raise(L, absl::StrCat(place, path, " is compiled Lua, and a config is text"));
    }
    std::string chunk = absl::StrCat("@", path);
    if (luaL_loadbufferx(L, code.data(), code.size(), chunk.c_str(), "t") != LUA_OK) lua_error(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, environment_ref_);
    lua_setupvalue(L, -2, 1);  // _ENV
    open_.push_back(path);
    lua_call(L, 0, 0);
    open_.pop_back();
  }

  void CheckNoLoop(lua_State* L, const std::string& place, const std::string& path) const {
    std::string wanted = Normal(path);
    auto same = [&wanted](const std::string& open) { return Normal(open) == wanted; };
    auto first = std::find_if(open_.begin(), open_.end(), same);
    if (first == open_.end()) return;
    Raise(L, absl::StrCat(place, "the includes never end: ",
                          absl::StrJoin(first, open_.end(), " includes "), " includes ", path));
  }

  // `text` with the values of its $NAMEs.
  std::string Expand(lua_State* L, const std::string& path, absl::string_view text) const {
    std::string expanded;
    for (size_t at = 0;;) {
      size_t dollar = text.find('$', at);
      absl::StrAppend(&expanded, text.substr(at, dollar - at));
      if (dollar == absl::string_view::npos) return expanded;
      at = dollar + 1;
      while (at < text.size() && IsNameByte(text[at])) ++at;
      std::string name(text.substr(dollar + 1, at - dollar - 1));
      std::optional<std::string> value = name.empty() ? "$" : environment_(name);
      if (!value.has_value()) {
        absl::string_view before = text.substr(0, dollar);
        auto line = 1 + std::count(before.begin(), before.end(), '\n');
        Raise(L, absl::StrCat(path, ":", line, ": os.getenv() failed: ", name));
      }
      absl::StrAppend(&expanded, *value);
    }
  }

  void CollectEntries(lua_State* L, int values) {
    std::map<std::string, std::string> invalid;  // key -> place; sorted, so that one is the first
    for (lua_pushnil(L); lua_next(L, values) != 0; lua_pop(L, 1)) {
      std::string key = lua_tostring(L, -2);
      int type = lua_type(L, -1);
      if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN) {
        invalid[key] = places_[key];
        continue;
      }
      size_t size = 0;
      const char* text = luaL_tolstring(L, -1, &size);
      config_.entries[key] = std::string(text, size);
      lua_pop(L, 1);
    }
    if (invalid.empty()) return;
    const auto& [key, place] = *invalid.begin();
    Raise(L, absl::StrCat(place, "Invalid config table key = ", key));
  }

  Storage& storage_;
  EnvironmentLookup environment_;
  int environment_ref_ = LUA_NOREF;  // in the registry: _ENV of every file
  std::vector<std::string> open_;    // files under way, each included by the one before
  std::map<std::string, std::string> places_;  // key -> "config:3: " of its last assignment
  Config config_;
};

}  // namespace

absl::StatusOr<Config> ReadConfigFile(Storage& storage, Memory& memory, const std::string& path,
                                      EnvironmentLookup environment) {
  return Reader(storage, environment).Read(memory, path);
}

}  // namespace skysim
