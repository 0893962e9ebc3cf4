#ifndef ENGINE_NATIVE_SHARED_LIBRARY_H_
#define ENGINE_NATIVE_SHARED_LIBRARY_H_

#include <string>

#include "absl/status/statusor.h"
#include "engine/platform/storage.h"

namespace skysim {

// A shared library in the process; never unloaded.
using SharedLibrary = void*;

// Loads the library at `path` of `storage`'s tree; loading it again gives the same. `is_global`:
// its symbols are there for libraries loaded later. NotFound: no such file; otherwise what the
// dynamic linker says. Any thread.
absl::StatusOr<SharedLibrary> LoadSharedLibrary(Storage& storage, const std::string& path,
                                                bool is_global);

// Null: it has none of that name.
void* FindSymbol(SharedLibrary library, const std::string& name);

}  // namespace skysim

#endif  // ENGINE_NATIVE_SHARED_LIBRARY_H_
