#include "engine/platform/file_error.h"

#include <cerrno>
#include <cstring>

#include "absl/log/check.h"

namespace skysim {

namespace {

constexpr int kErrorNumberMax = 133;  // Linux: EHWPOISON

}  // namespace

absl::Status FileError(int error_number) {
  CHECK_GT(error_number, 0);
  return absl::Status(absl::ErrnoToStatusCode(error_number), std::strerror(error_number));
}

int FileErrorNumber(const absl::Status& status) {
  for (int number = 1; number <= kErrorNumberMax; ++number) {
    // Most numbers have another code: a text is not made for each.
    if (absl::ErrnoToStatusCode(number) != status.code()) continue;
    if (status.message() == std::strerror(number)) return number;
  }
  return EIO;
}

}  // namespace skysim
