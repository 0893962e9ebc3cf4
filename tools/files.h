#ifndef TOOLS_FILES_H_
#define TOOLS_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "simnet/trace/trace.h"

namespace skysim {

// Whole files of the user. Errors are one sentence with the path.
absl::StatusOr<std::string> ReadFile(const std::string& path);
absl::Status WriteFile(const std::string& path, absl::string_view bytes);

// The error names the file: "t.skytrace: the trace is cut: ...".
absl::StatusOr<Trace> ReadTraceFile(const std::string& path);

}  // namespace skysim

#endif  // TOOLS_FILES_H_
