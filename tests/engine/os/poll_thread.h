#ifndef TESTS_ENGINE_OS_POLL_THREAD_H_
#define TESTS_ENGINE_OS_POLL_THREAD_H_

#include <atomic>
#include <thread>

#include "engine/os/poller.h"

namespace skysim {

// A thread that does nothing but poll, for tests without a pool of workers.
class PollThread final {
 public:
  explicit PollThread(Poller& poller)
      : poller_(poller), thread_([this] {
          while (!is_stopping_) {
            poller_.Wait();
            if (!is_stopping_) poller_.Tell();
          }
        }) {}
  ~PollThread() { Stop(); }
  PollThread(const PollThread&) = delete;
  PollThread& operator=(const PollThread&) = delete;

  // Not from within Tell(). A second call does nothing.
  void Stop() {
    if (!thread_.joinable()) return;
    is_stopping_ = true;
    poller_.Interrupt();
    thread_.join();
  }

 private:
  Poller& poller_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;  // last: it uses the others
};

}  // namespace skysim

#endif  // TESTS_ENGINE_OS_POLL_THREAD_H_
