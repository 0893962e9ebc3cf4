#include "engine/native/module_library.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "engine/core/node.h"
#include "engine/native/native_context.h"
#include "engine/native/native_service.h"

namespace skysim {

namespace {

constexpr char kServicePath[] = "./cservice/?.so";

template <typename Function>
void Bind(SharedLibrary library, const std::string& name, Function*& function) {
  function = reinterpret_cast<Function*>(FindSymbol(library, name));
}

absl::StatusOr<std::unique_ptr<Service>> ServiceIn(SharedLibrary library,
                                                   const std::string& module,
                                                   const std::string& path) {
  std::string prefix = module.substr(module.rfind('.') + 1);  // all of it, if there is no dot
  NativeService::Functions functions;
  Bind(library, absl::StrCat(prefix, "_create"), functions.create);
  Bind(library, absl::StrCat(prefix, "_init"), functions.init);
  Bind(library, absl::StrCat(prefix, "_release"), functions.release);
  Bind(library, absl::StrCat(prefix, "_signal"), functions.signal);
  if (functions.init == nullptr) {
    return absl::NotFoundError(absl::StrCat(path, " has no function ", prefix, "_init"));
  }
  return std::make_unique<NativeService>(functions);
}

}  // namespace

absl::StatusOr<SharedLibrary> ModuleLibrary::Load(Node& node, const std::string& path,
                                                  bool is_global) {
  Platform& platform = node.platform();
  UseModuleMemory(platform.memory);  // before the library's constructors run
  absl::StatusOr<SharedLibrary> library =
      LoadSharedLibrary(platform.storage, path, is_global);
  if (!library.ok()) return library;
  bool is_new;
  {
    absl::MutexLock lock(&mutex_);
    is_new = known_.insert(path).second;
  }
  if (is_new && platform.is_simulated) {
    node.Log(0, absl::StrCat("C module ", path,
                             ": the simulation has no hold on what it does (include/skynet.h)"));
  }
  return library;
}

absl::StatusOr<std::unique_ptr<Service>> ModuleLibrary::MakeService(Node& node,
                                                                    const std::string& module) {
  const std::string* patterns = node.GetEnv("cpath");
  std::vector<std::string> tried;
  for (absl::string_view pattern :
       absl::StrSplit(patterns != nullptr ? *patterns : kServicePath, ';', absl::SkipEmpty())) {
    std::string path = absl::StrReplaceAll(pattern, {{"?", module}});
    absl::StatusOr<SharedLibrary> library = Load(node, path, /*is_global=*/false);
    if (library.ok()) return ServiceIn(*library, module, path);
    if (!absl::IsNotFound(library.status())) return library.status();
    tried.emplace_back(library.status().message());
  }
  return absl::NotFoundError(absl::StrJoin(tried, ", "));
}

}  // namespace skysim
