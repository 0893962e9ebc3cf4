#ifndef ENGINE_OS_THREAD_SIGNALS_H_
#define ENGINE_OS_THREAD_SIGNALS_H_

#include <pthread.h>

#include <csignal>

namespace skysim {

// Keeps signals from the calling thread while it lives, and for good from threads that are started
// meanwhile (they inherit the mask): signals are main's to handle. pthread_sigmask(3).
class SignalsBlocked final {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace skysim

#endif  // ENGINE_OS_THREAD_SIGNALS_H_
