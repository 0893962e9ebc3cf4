#ifndef ENGINE_OS_DAEMON_H_
#define ENGINE_OS_DAEMON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace skysim {

// The pid file of a daemon: locked while the process lives, so that a second one is refused even if
// the number in the file came again; removed at the end.
class PidFile final {
 public:
  // Locks the file at `path` and writes this process's id into it. Errors: FailedPrecondition
  // "Skynet is already running, pid = 12."; otherwise the system's text, with the path.
  static absl::StatusOr<PidFile> Lock(const std::string& path);
  ~PidFile();
  PidFile(PidFile&& other) noexcept;
  PidFile& operator=(PidFile&&) = delete;

  // Writes the id of the calling process: after BecomeDaemon() it has another one.
  absl::Status Write();

 private:
  PidFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_;  // -1: moved from
};

// Goes on in the background: forks, and only the child returns, in a session of its own. The
// working folder stays. Before any thread begins. Standard input and both outputs stay what they
// are until CloseStandardStreams(), so that an error of the start is still seen.
//
// The parent waits until the child calls TellParent(), or ends, and exits with that status.
class DaemonStart final {
 public:
  static absl::StatusOr<DaemonStart> Fork();
  DaemonStart(DaemonStart&& other) noexcept;
  ~DaemonStart();  // a child that never told: the parent exits with its status

  // The start went well: the parent exits with 0. The standard streams become /dev/null.
  void TellParent();

 private:
  explicit DaemonStart(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;  // the parent waits for a byte; -1: moved from, or told
};

}  // namespace skysim

#endif  // ENGINE_OS_DAEMON_H_
