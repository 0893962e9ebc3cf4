#include "engine/os/daemon.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace skysim {
namespace {

absl::Status SystemError(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", std::strerror(errno)));
}

std::string ReadStart(int descriptor) {
  char text[32];
  ssize_t size = pread(descriptor, text, sizeof text, 0);
  return std::string(text, size < 0 ? 0 : static_cast<size_t>(size));
}

}  // namespace

absl::StatusOr<PidFile> PidFile::Lock(const std::string& path) {
  int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) return SystemError(absl::StrCat("cannot write the pid file ", path));
  PidFile file(path, descriptor);
  // The lock belongs to the open file, which a forked child shares.
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    int pid = 0;
    bool is_number = absl::SimpleAtoi(ReadStart(descriptor), &pid);
    close(std::exchange(file.descriptor_, -1));
    return absl::FailedPreconditionError(
        is_number ? absl::StrCat("Skynet is already running, pid = ", pid, ".")
                  : absl::StrCat("another process holds the pid file ", path));
  }
  if (absl::Status written = file.Write(); !written.ok()) return written;
  return file;
}

PidFile::PidFile(PidFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

PidFile::~PidFile() {
  if (descriptor_ < 0) return;
  unlink(path_.c_str());
  close(descriptor_);
}

absl::Status PidFile::Write() {
  std::string text = absl::StrCat(getpid(), "\n");
  ssize_t size = static_cast<ssize_t>(text.size());
  if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, text.data(), text.size(), 0) != size) {
    return SystemError(absl::StrCat("cannot write the pid file ", path_));
  }
  return absl::OkStatus();
}

absl::StatusOr<DaemonStart> DaemonStart::Fork() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("cannot start in the background");
  pid_t child = fork();
  if (child < 0) {
    absl::Status error = SystemError("cannot start in the background");
    close(ends[0]);
    close(ends[1]);
    return error;
  }
  if (child == 0) {
    close(ends[0]);
    setsid();
    return DaemonStart(ends[1]);
  }
  close(ends[1]);
  char told = 0;
  ssize_t size;
  do {
    size = read(ends[0], &told, 1);
  } while (size < 0 && errno == EINTR);
  if (size == 1) _exit(0);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  _exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
}

DaemonStart::DaemonStart(DaemonStart&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DaemonStart::~DaemonStart() {
  if (descriptor_ >= 0) close(descriptor_);
}

void DaemonStart::TellParent() {
  if (descriptor_ < 0) return;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null >= 0) dup2(null, stream);
  }
  if (null > STDERR_FILENO) close(null);
  char told = 1;
  // A parent that is gone waits for nothing.
  ssize_t size = write(descriptor_, &told, 1);
  (void)size;
  close(std::exchange(descriptor_, -1));
}

}  // namespace skysim
