#include "simnet/scenario/script_finder.h"

#include <utility>

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
  AddPattern(patterns, absl::StrCat(prefix, inner, "/?.lua"));
  AddPattern(patterns, absl::StrCat(prefix, "?.lua"));
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
  return patterns;
}

std::string ScriptFinder::ModulePatterns(absl::string_view path, absl::string_view own) const {
  std::string patterns;
  AddPattern(&patterns, own);
  if (!path.empty()) AddFolder(&patterns, path, "lualib");
  AddFolder(&patterns, "", "lualib");
  return patterns;
}

bool ScriptFinder::IsUsers(absl::string_view name, absl::string_view patterns) {
  if (inlined_.count(std::string(name)) > 0) return true;
  for (absl::string_view pattern : absl::StrSplit(patterns, ';', absl::SkipEmpty())) {
    std::string path = absl::StrReplaceAll(pattern, {{"?", name}});
    if (path[0] != '/') path = absl::StrCat(project_, "/", path);
    if (files_.Read(path).ok()) return true;
  }
  return false;
}

bool ScriptFinder::Exists(absl::string_view name, absl::string_view patterns) {
  return IsUsers(name, patterns) ||
         files_.Read(absl::StrCat(home_, "/service/", name, ".lua")).ok();
}

}  // namespace skysim
