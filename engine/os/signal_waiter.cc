#include "engine/os/signal_waiter.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "absl/log/check.h"

namespace skysim {

SignalWaiter::SignalWaiter() {
  sigemptyset(&signals_);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
  CHECK_EQ(pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_), 0);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  PCHECK(sigaction(SIGPIPE, &ignore, &pipe_before_) == 0);
  signal_descriptor_ = signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK);
  wake_descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  PCHECK(signal_descriptor_ >= 0 && wake_descriptor_ >= 0);
}

SignalWaiter::~SignalWaiter() {
  close(signal_descriptor_);
  close(wake_descriptor_);
  sigaction(SIGPIPE, &pipe_before_, nullptr);
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

int SignalWaiter::Wait() {
  for (;;) {
    struct pollfd ready[2] = {{signal_descriptor_, POLLIN, 0}, {wake_descriptor_, POLLIN, 0}};
    int count = poll(ready, 2, -1);
    PCHECK(count > 0 || errno == EINTR);
    struct signalfd_siginfo info;
    if (read(signal_descriptor_, &info, sizeof info) == sizeof info) {
      return static_cast<int>(info.ssi_signo);
    }
    uint64_t wakes = 0;
    if (read(wake_descriptor_, &wakes, sizeof wakes) == sizeof wakes) return 0;
  }
}

void SignalWaiter::Wake() {
  uint64_t one = 1;
  PCHECK(write(wake_descriptor_, &one, sizeof one) == sizeof one);
}

void SignalWaiter::LetGo() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  CHECK_EQ(pthread_sigmask(SIG_UNBLOCK, &ends, nullptr), 0);
}

}  // namespace skysim
