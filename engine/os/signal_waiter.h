#ifndef ENGINE_OS_SIGNAL_WAITER_H_
#define ENGINE_OS_SIGNAL_WAITER_H_

#include <csignal>

namespace skysim {

// SignalWaiter turns signals of the process into answers of Wait(): SIGINT, SIGTERM, SIGHUP. Make
// it in main before any thread begins, since threads inherit that these signals are blocked; one in
// a process. SIGPIPE is ignored from then on. The destructor puts both back.
class SignalWaiter final {
 public:
  SignalWaiter();
  ~SignalWaiter();
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;

  // Blocks until a signal comes, and returns its number, or until Wake(), and returns 0. What came
  // before the call counts.
  int Wait();

  // Any thread.
  void Wake();

  // From now on SIGINT and SIGTERM do what they do by default: end the process at once. For one
  // that takes long to end by itself.
  void LetGo();

 private:
  sigset_t signals_;
  sigset_t mask_before_;
  struct sigaction pipe_before_;
  int signal_descriptor_;
  int wake_descriptor_;
};

}  // namespace skysim

#endif  // ENGINE_OS_SIGNAL_WAITER_H_
