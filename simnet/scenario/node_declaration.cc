#include "simnet/scenario/node_declaration.h"

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/lua/config_file.h"
#include "engine/lua/home_paths.h"

namespace skysim {
namespace {

void AddPattern(std::string& patterns, absl::string_view pattern) {
  absl::StrAppend(&patterns, patterns.empty() ? "" : ";", pattern);
}

void AddFolder(std::string& patterns, absl::string_view folder, absl::string_view inner) {
  std::string prefix = folder.empty() ? "./" : absl::StrCat("./", folder, "/");
  AddPattern(patterns, absl::StrCat(prefix, inner, "/?.lua"));
  AddPattern(patterns, absl::StrCat(prefix, "?.lua"));
}

// `inner`: the folder that holds the files, "service" or "lualib".
void CompletePatterns(const NodeDeclaration& node, absl::string_view inner,
                      absl::string_view otherwise, std::string& patterns) {
  if (!node.config_file.empty() && patterns.empty()) patterns = std::string(otherwise);
  if (!node.path.empty()) AddFolder(patterns, node.path, inner);
  if (node.config_file.empty()) AddFolder(patterns, "", inner);
}

absl::StatusOr<Config> ReadFile(const NodeDeclaration& node, Storage& files, Memory& memory) {
  if (node.config_file.empty()) return Config();
  bool lacks_variable = false;
  auto lookup = [&](const std::string& name) -> std::optional<std::string> {
    auto found = node.env.find(name);
    lacks_variable = found == node.env.end();
    if (lacks_variable) return std::nullopt;
    return found->second;
  };
  absl::StatusOr<Config> config = ReadConfigFile(files, memory, node.config_file, lookup);
  if (config.ok()) return config;
  return absl::InvalidArgumentError(
      absl::StrCat("node ", node.spec.name, ": ", config.status().message(),
                   lacks_variable ? " (a simulated node has the variables of its field env)" : ""));
}

}  // namespace

absl::Status CompleteConfig(NodeDeclaration& node, Storage& files, Memory& memory) {
  absl::StatusOr<Config> file = ReadFile(node, files, memory);
  if (!file.ok()) return file.status();
  std::map<std::string, std::string>& entries = node.spec.config;
  entries.insert(file->entries.begin(), file->entries.end());
  entries.insert(node.defaults.begin(), node.defaults.end());
  CompletePatterns(node, "service", kServicePatterns, entries["luaservice"]);
  CompletePatterns(node, "lualib", kModulePatterns, entries["lua_path"]);
  return absl::OkStatus();
}

}  // namespace skysim
