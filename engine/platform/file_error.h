#ifndef ENGINE_PLATFORM_FILE_ERROR_H_
#define ENGINE_PLATFORM_FILE_ERROR_H_

#include "absl/status/status.h"

namespace skysim {

// The error that a Storage answers for `error_number` (errno, > 0): its text is strerror's.
absl::Status FileError(int error_number);

// The errno value behind an error of a Storage, as far as its text tells; EIO otherwise. Programs
// see the number: it is the third result of io.open.
int FileErrorNumber(const absl::Status& status);

}  // namespace skysim

#endif  // ENGINE_PLATFORM_FILE_ERROR_H_
