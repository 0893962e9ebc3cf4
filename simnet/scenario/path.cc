#include "simnet/scenario/path.h"

#include <filesystem>

namespace skysim {

namespace fs = std::filesystem;

std::string AbsolutePath(const std::string& path) {
  std::string text = fs::absolute(path).lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string JoinPath(const std::string& folder, const std::string& path) {
  return AbsolutePath((fs::path(folder) / path).string());
}

std::string FolderOf(const std::string& path) { return fs::path(path).parent_path().string(); }

std::string BaseName(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace skysim
