#ifndef SIMNET_WORLD_NODE_TREE_H_
#define SIMNET_WORLD_NODE_TREE_H_

#include <string>

#include "simnet/storage/tree_storage.h"

namespace skysim {

// Where a simulated node finds things in its own file tree, whatever the machine calls them.
inline constexpr char kHomeMount[] = "/skysim";      // skysim's own lualib/ and service/
inline constexpr char kProjectMount[] = "/project";  // the user's; the working folder

// The tree of a node whose project and home are these folders of the machine, both absolute.
inline TreeStorageOptions NodeTree(const std::string& project, const std::string& home) {
  TreeStorageOptions tree;
  tree.working_folder = kProjectMount;
  tree.roots = {{kProjectMount, project}, {kHomeMount, home}};
  return tree;
}

}  // namespace skysim

#endif  // SIMNET_WORLD_NODE_TREE_H_
