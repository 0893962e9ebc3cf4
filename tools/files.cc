#include "tools/files.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

namespace skysim {
namespace {

struct Closer {
  void operator()(FILE* file) const { fclose(file); }
};
using OpenFile = std::unique_ptr<FILE, Closer>;

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::InvalidArgumentError(absl::StrCat("cannot ", what, " \"", path, "\": ",
                                                 strerror(errno)));
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  OpenFile file(fopen(path.c_str(), "rb"));
  if (file == nullptr) return SystemError("read", path);
  std::string bytes;
  char buffer[64 << 10];
  size_t n;
  while ((n = fread(buffer, 1, sizeof buffer, file.get())) > 0) bytes.append(buffer, n);
  if (ferror(file.get())) return SystemError("read", path);
  return bytes;
}

absl::Status WriteFile(const std::string& path, absl::string_view bytes) {
  OpenFile file(fopen(path.c_str(), "wb"));
  if (file == nullptr) return SystemError("write", path);
  bool is_written = fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  if (!is_written || fclose(file.release()) != 0) return SystemError("write", path);
  return absl::OkStatus();
}

absl::StatusOr<Trace> ReadTraceFile(const std::string& path) {
  absl::StatusOr<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<Trace> trace = ParseTrace(*bytes);
  if (!trace.ok()) {
    return absl::Status(trace.status().code(),
                        absl::StrCat(path, ": ", trace.status().message()));
  }
  return trace;
}

}  // namespace skysim
