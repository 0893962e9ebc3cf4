#ifndef ENGINE_NATIVE_MODULE_LIBRARY_H_
#define ENGINE_NATIVE_MODULE_LIBRARY_H_

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/service.h"
#include "engine/native/shared_library.h"

namespace skysim {

class Node;

// The code in C that one node of a user loads: services through `cpath`, and what Lua's require
// finds through `lua_cpath`. One per node; any thread. In a simulation the log says once of each
// library that the simulation has no hold on it.
class ModuleLibrary final {
 public:
  ModuleLibrary() = default;
  ModuleLibrary(const ModuleLibrary&) = delete;
  ModuleLibrary& operator=(const ModuleLibrary&) = delete;

  // LoadSharedLibrary from the node's tree.
  absl::StatusOr<SharedLibrary> Load(Node& node, const std::string& path, bool is_global);

  // The service `module`, from the first file of `cpath` that exists. NotFound: none does, or it
  // has no init function; otherwise what the dynamic linker says.
  absl::StatusOr<std::unique_ptr<Service>> MakeService(Node& node, const std::string& module);

 private:
  absl::Mutex mutex_;
  std::set<std::string> known_ ABSL_GUARDED_BY(mutex_);  // paths that were loaded
};

}  // namespace skysim

#endif  // ENGINE_NATIVE_MODULE_LIBRARY_H_
