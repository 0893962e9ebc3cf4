#include "engine/native/shared_library.h"

#include <dlfcn.h>

#include <optional>

#include "absl/strings/str_cat.h"

namespace skysim {

absl::StatusOr<SharedLibrary> LoadSharedLibrary(Storage& storage, const std::string& path,
                                                bool is_global) {
  std::optional<std::string> file = storage.MachinePath(path);
  if (!file) return absl::NotFoundError(absl::StrCat("no file '", path, "'"));
  // Without a slash the linker would look in the system's folders.
  if (file->find('/') == std::string::npos) file = absl::StrCat("./", *file);
  SharedLibrary library = dlopen(file->c_str(), RTLD_NOW | (is_global ? RTLD_GLOBAL : RTLD_LOCAL));
  if (library != nullptr) return library;
  const char* why = dlerror();
  return absl::InvalidArgumentError(why != nullptr ? why : "unknown error of the dynamic linker");
}

void* FindSymbol(SharedLibrary library, const std::string& name) {
  return dlsym(library, name.c_str());
}

}  // namespace skysim
