#include "engine/lua/home_paths.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace skysim {

namespace {

// Not Exists(): the pattern "./?" must not find a folder.
bool IsFile(Storage& storage, const std::string& path) { return storage.ReadAll(path).ok(); }

// Puts `ours` before the first of the patterns under which `name` is found.
std::string Insert(Storage& storage, const std::string& patterns, absl::string_view name,
                   const std::vector<std::string>& ours) {
  std::vector<std::string> list = absl::StrSplit(patterns, ';', absl::SkipEmpty());
  auto skynets = std::find_if(list.begin(), list.end(), [&](const std::string& pattern) {
    return IsFile(storage, absl::StrReplaceAll(pattern, {{"?", name}}));
  });
  if (skynets != list.end() && *skynets == ours.front()) return patterns;
  list.insert(skynets, ours.begin(), ours.end());
  return absl::StrJoin(list, ";");
}

bool IsSkynetsOwn(Storage& storage, const std::string& loader) {
  return IsFile(storage, absl::StrCat(loader.substr(0, loader.rfind('/') + 1), "skynet.lua"));
}

}  // namespace

void AddHomePaths(Storage& storage, const std::string& home, Config& config) {
  std::string& modules = config.entries.emplace("lua_path", kModulePatterns).first->second;
  modules = Insert(storage, modules, "skynet",
                   {absl::StrCat(home, "/lualib/?.lua"), absl::StrCat(home, "/lualib/?/init.lua")});
  std::string& services = config.entries.emplace("luaservice", kServicePatterns).first->second;
  services = Insert(storage, services, "launcher", {absl::StrCat(home, "/service/?.lua")});
  std::string ours = absl::StrCat(home, "/lualib/loader.lua");
  std::string& loader = config.entries.emplace("lualoader", ours).first->second;
  if (IsSkynetsOwn(storage, loader)) loader = ours;
}

}  // namespace skysim
