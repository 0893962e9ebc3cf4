#ifndef SIMNET_SCENARIO_SCRIPT_FINDER_H_
#define SIMNET_SCENARIO_SCRIPT_FINDER_H_

#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/platform/storage.h"

namespace skysim {

// ScriptFinder knows where the services of a scenario's nodes are: in the scenario file, or in the
// file tree of a node (simnet/world/node_tree.h), where skysim's own stand among the user's.
// `files` is such a tree and `patterns` the whole `luaservice` of its node. One thread.
class ScriptFinder final {
 public:
  // `inlined`: names of the services in the scenario file.
  explicit ScriptFinder(std::set<std::string> inlined);

  // Whether a service called `name` can be started.
  bool Exists(absl::string_view name, absl::string_view patterns, Storage& files) const;
  // The same without skysim's own services.
  bool IsUsers(absl::string_view name, absl::string_view patterns, Storage& files) const;

 private:
  const std::set<std::string> inlined_;
};

}  // namespace skysim

#endif  // SIMNET_SCENARIO_SCRIPT_FINDER_H_
