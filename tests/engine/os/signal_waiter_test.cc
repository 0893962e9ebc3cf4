#include "engine/os/signal_waiter.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

TEST_CASE("a signal sent before Wait() is answered by it") {
  SignalWaiter waiter;

  kill(getpid(), SIGHUP);

  CHECK(waiter.Wait() == SIGHUP);
}

TEST_CASE("Wake() from another thread ends Wait() with 0") {
  SignalWaiter waiter;
  std::thread other([&] { waiter.Wake(); });

  CHECK(waiter.Wait() == 0);
  other.join();
}

TEST_CASE("signals come before a wake, and none is lost") {
  SignalWaiter waiter;
  waiter.Wake();
  kill(getpid(), SIGTERM);
  kill(getpid(), SIGHUP);

  int first = waiter.Wait(), second = waiter.Wait();

  CHECK(first + second == SIGTERM + SIGHUP);
  CHECK(waiter.Wait() == 0);
}

TEST_CASE("writing to a closed pipe is an error and no signal") {
  SignalWaiter waiter;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  close(ends[0]);

  CHECK(write(ends[1], "x", 1) == -1);
  CHECK(errno == EPIPE);
  close(ends[1]);
}

TEST_CASE("after LetGo() a second SIGTERM ends the process") {
  pid_t child = fork();
  if (child == 0) {
    SignalWaiter waiter;
    kill(getpid(), SIGTERM);
    if (waiter.Wait() != SIGTERM) _exit(1);
    waiter.LetGo();
    kill(getpid(), SIGTERM);
    _exit(2);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);

  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}

}  // namespace
}  // namespace skysim
