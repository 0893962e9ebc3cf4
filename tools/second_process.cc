#include "tools/second_process.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace skysim {
namespace {

absl::Status SystemError(absl::string_view what) {
  return absl::InternalError(absl::StrCat("the second process: ", what, ": ", strerror(errno)));
}

std::string ReadAll(int file) {
  std::string bytes;
  struct stat about = {};
  if (fstat(file, &about) != 0) return bytes;
  bytes.resize(static_cast<size_t>(about.st_size));
  size_t at = 0;
  while (at < bytes.size()) {
    ssize_t n = pread(file, &bytes[at], bytes.size() - at, static_cast<off_t>(at));
    if (n <= 0) break;
    at += static_cast<size_t>(n);
  }
  bytes.resize(at);
  return bytes;
}

class RunningSelf final : public RunningProcess {
 public:
  // Takes the files, of what the process writes.
  RunningSelf(pid_t pid, int output, int errors) : pid_(pid), output_(output), errors_(errors) {}
  ~RunningSelf() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(output_);
    close(errors_);
  }

  absl::StatusOr<std::string> Wait() override {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) return SystemError("cannot be waited for");
    }
    pid_ = 0;
    bool is_verdict = WIFEXITED(status) && WEXITSTATUS(status) <= 4 && WEXITSTATUS(status) != 2;
    if (is_verdict) return ReadAll(output_);
    std::string said = ReadAll(errors_);
    absl::string_view words = absl::StripSuffix(absl::StripPrefix(said, "skysim: "), "\n");
    return absl::InternalError(absl::StrCat(
        "the second process ended with ",
        WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                            : absl::StrCat("status ", WEXITSTATUS(status)),
        words.empty() ? "" : ": ", words));
  }

 private:
  pid_t pid_;
  const int output_, errors_;
};

// The environment of this process, with what must not matter changed: more and longer variables
// (which also move the stack), another time zone and language.
std::vector<std::string> OtherEnvironment(const std::string& home) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    absl::string_view text = *variable;
    bool is_ours = absl::StartsWith(text, "SKYSIM_") || absl::StartsWith(text, "TZ=") ||
                   absl::StartsWith(text, "LC_ALL=") || absl::StartsWith(text, "HOME=");
    if (!is_ours) variables.emplace_back(text);
  }
  size_t padding = 1 + static_cast<size_t>(getpid()) * 7919 % 5000;
  variables.push_back(absl::StrCat("SKYSIM_PADDING=", std::string(padding, 'x')));
  variables.push_back(absl::StrCat("SKYSIM_HOME=", home));
  variables.push_back("TZ=Asia/Kathmandu");
  variables.push_back("LC_ALL=C");
  variables.push_back("HOME=/");
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(&text[0]);
  pointers.push_back(nullptr);
  return pointers;
}

// In the child, between fork and exec: system calls only.
[[noreturn]] void Become(char* const* arguments, char* const* environment, int output,
                         int errors) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  bool is_ready = dup2(output, STDOUT_FILENO) >= 0 && dup2(errors, STDERR_FILENO) >= 0 &&
                  chdir("/") == 0;
  if (is_ready) execve("/proc/self/exe", arguments, environment);
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunningProcess>> SelfProcess::Start(
    const std::vector<std::string>& arguments, const std::string& home) {
  std::vector<std::string> words = {"skysim"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = OtherEnvironment(home);
  std::vector<char*> argv = Pointers(words), envp = Pointers(variables);

  int output = memfd_create("output", MFD_CLOEXEC);
  if (output < 0) return SystemError("no memory for its output");
  int errors = memfd_create("errors", MFD_CLOEXEC);
  if (errors < 0) {
    close(output);
    return SystemError("no memory for its errors");
  }
  pid_t pid = fork();
  if (pid == 0) Become(argv.data(), envp.data(), output, errors);
  if (pid < 0) {
    absl::Status error = SystemError("cannot be started");
    close(output);
    close(errors);
    return error;
  }
  return std::make_unique<RunningSelf>(pid, output, errors);
}

}  // namespace skysim
