#include "simnet/scenario/script_finder.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "simnet/world/node_tree.h"

namespace skysim {
namespace {

// The first file that the patterns find; "" if there is none.
std::string FindFile(absl::string_view name, absl::string_view patterns, Storage& files) {
  for (absl::string_view pattern : absl::StrSplit(patterns, ';', absl::SkipEmpty())) {
    std::string path = absl::StrReplaceAll(pattern, {{"?", name}});
    if (files.ReadAll(path).ok()) return path;
  }
  return "";
}

}  // namespace

ScriptFinder::ScriptFinder(std::set<std::string> inlined) : inlined_(std::move(inlined)) {}

bool ScriptFinder::Exists(absl::string_view name, absl::string_view patterns,
                          Storage& files) const {
  return inlined_.count(std::string(name)) > 0 || !FindFile(name, patterns, files).empty();
}

bool ScriptFinder::IsUsers(absl::string_view name, absl::string_view patterns,
                           Storage& files) const {
  if (inlined_.count(std::string(name)) > 0) return true;
  std::string path = FindFile(name, patterns, files);
  return !path.empty() && !absl::StartsWith(path, absl::StrCat(kHomeMount, "/"));
}

}  // namespace skysim
