// Paths of the machine, as text: a scenario and its project are named relative to where the command
// was run.
#ifndef SIMNET_SCENARIO_PATH_H_
#define SIMNET_SCENARIO_PATH_H_

#include <string>

namespace skysim {

// Without ".", ".." and doubled slashes; relative ones begin at the working directory.
std::string AbsolutePath(const std::string& path);
// `folder` is absolute; an absolute `path` stands for itself.
std::string JoinPath(const std::string& folder, const std::string& path);
// "/a/b" of "/a/b/c.lua".
std::string FolderOf(const std::string& path);
// "c.lua" of "/a/b/c.lua".
std::string BaseName(const std::string& path);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_PATH_H_
