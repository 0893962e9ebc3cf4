#include "simnet/scenario/script_finder.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace skysim {
namespace {

void AddPattern(std::string* patterns, absl::string_view pattern) {
  if (pattern.empty()) return;
  absl::StrAppend(patterns, patterns->empty() ? "" : ";", pattern);
}

void AddFolder(std::string* patterns, absl::string_view folder, absl::string_view inner) {
  std::string prefix = folder.empty() ? "./" : absl::StrCat("./", folder, "/");
  AddPattern(patterns, absl::StrCat(prefix, "?.lua"));
  AddPattern(patterns, absl::StrCat(prefix, inner, "/?.lua"));
}

}  // namespace

ScriptFinder::ScriptFinder(HostFiles& files, std::string home, std::string project,
                           std::set<std::string> inlined)
    : files_(files), home_(std::move(home)), project_(std::move(project)),
      inlined_(std::move(inlined)) {}

std::string ScriptFinder::ServicePatterns(absl::string_view path, absl::string_view own) const {
  std::string patterns;
  AddPattern(&patterns, own);
  if (!path.empty()) AddFolder(&patterns, path, "service");
  AddFolder(&patterns, "", "service");
  AddPattern(&patterns, absl::StrCat(kHomeMount, "/service/?.lua"));
  return patterns;
}

std::string ScriptFinder::ModulePatterns(absl::string_view path, absl::string_view own) const {
  std::string patterns;
  AddPattern(&patterns, own);
  if (!path.empty()) AddFolder(&patterns, path, "lualib");
  AddFolder(&patterns, "", "lualib");
  AddPattern(&patterns, absl::StrCat(kHomeMount, "/lualib/?.lua"));
  AddPattern(&patterns, absl::StrCat(kHomeMount, "/lualib/?/init.lua"));
  return patterns;
}

ScriptFinder::Owner ScriptFinder::Find(absl::string_view name, absl::string_view patterns) {
  if (inlined_.count(std::string(name)) > 0) return Owner::kUser;
  for (absl::string_view pattern : absl::StrSplit(patterns, ';', absl::SkipEmpty())) {
    std::string path = absl::StrReplaceAll(pattern, {{"?", name}});
    bool is_own = absl::StartsWith(path, absl::StrCat(kHomeMount, "/"));
    std::string on_host = is_own ? absl::StrCat(home_, path.substr(sizeof kHomeMount - 1))
                          : path[0] == '/' ? path
                                           : absl::StrCat(project_, "/", path);
    if (files_.Read(on_host).ok()) return is_own ? Owner::kSkysim : Owner::kUser;
  }
  return Owner::kNobody;
}

bool ScriptFinder::Exists(absl::string_view name, absl::string_view patterns) {
  return Find(name, patterns) != Owner::kNobody;
}

bool ScriptFinder::IsUsers(absl::string_view name, absl::string_view patterns) {
  return Find(name, patterns) == Owner::kUser;
}

}  // namespace skysim
