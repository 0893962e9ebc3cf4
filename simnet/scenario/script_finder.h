#ifndef SIMNET_SCENARIO_SCRIPT_FINDER_H_
#define SIMNET_SCENARIO_SCRIPT_FINDER_H_

#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "simnet/storage/tree_storage.h"

namespace skysim {

// ScriptFinder knows where the services of a scenario's nodes are: in the scenario file, in the
// user's project, among skysim's own; and which patterns make a node find the same: the project is
// the working folder of a node, and the world adds skysim's own folders behind them. One thread.
class ScriptFinder final {
 public:
  // `project`: absolute. `inlined`: names of the services in the scenario file. `files` is borrowed.
  ScriptFinder(HostFiles& files, std::string home, std::string project,
               std::set<std::string> inlined);

  // Patterns for the config of a node with `path` (in the project; "" = none) and, in front, what
  // its config says itself.
  std::string ServicePatterns(absl::string_view path, absl::string_view own) const;
  std::string ModulePatterns(absl::string_view path, absl::string_view own) const;

  // Whether a service called `name` stands in the scenario, is found through `patterns` in the
  // project, or is one of skysim's own.
  bool Exists(absl::string_view name, absl::string_view patterns);
  // The same without skysim's own services.
  bool IsUsers(absl::string_view name, absl::string_view patterns);

 private:
  HostFiles& files_;
  const std::string home_, project_;
  const std::set<std::string> inlined_;
};

}  // namespace skysim

#endif  // SIMNET_SCENARIO_SCRIPT_FINDER_H_
