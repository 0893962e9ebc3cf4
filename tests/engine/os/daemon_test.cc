#include "engine/os/daemon.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

std::string Path(const std::string& name) {
  return std::string(std::getenv("TEST_TMPDIR")) + "/" + name;
}

std::string Content(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

int ExitStatusOf(pid_t child) {
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST_CASE("a pid file holds the id of its process and goes with it") {
  std::string path = Path("own.pid");
  {
    auto file = PidFile::Lock(path);
    REQUIRE(file.ok());
    CHECK(Content(path) == std::to_string(getpid()) + "\n");
  }
  CHECK(access(path.c_str(), F_OK) != 0);
}

TEST_CASE("a second process is refused while the first lives") {
  std::string path = Path("held.pid");
  auto file = PidFile::Lock(path);
  REQUIRE(file.ok());
  pid_t parent = getpid();

  pid_t child = fork();
  if (child == 0) {
    auto second = PidFile::Lock(path);
    bool is_refused = !second.ok() && second.status().message() ==
                                          "Skynet is already running, pid = " +
                                              std::to_string(parent) + ".";
    _exit(is_refused ? 0 : 1);
  }

  CHECK(ExitStatusOf(child) == 0);
}

TEST_CASE("a pid file left by a process that died is taken over") {
  std::string path = Path("stale.pid");
  std::ofstream(path) << "1\n";  // lives, but does not hold the lock

  auto file = PidFile::Lock(path);

  REQUIRE(file.ok());
  CHECK(Content(path) == std::to_string(getpid()) + "\n");
}

TEST_CASE("a pid file that cannot be written is an error with its path") {
  auto file = PidFile::Lock("/nowhere/x.pid");

  REQUIRE(!file.ok());
  CHECK(file.status().message() ==
        "cannot write the pid file /nowhere/x.pid: No such file or directory");
}

TEST_CASE("the parent of a daemon ends well when the start went well") {
  pid_t parent = fork();
  if (parent == 0) {
    auto start = DaemonStart::Fork();
    if (!start.ok()) _exit(9);
    start->TellParent();
    _exit(5);  // nobody hears of it any more
  }

  CHECK(ExitStatusOf(parent) == 0);
}

TEST_CASE("the parent of a daemon that could not start ends with its status") {
  pid_t parent = fork();
  if (parent == 0) {
    auto start = DaemonStart::Fork();
    if (!start.ok()) _exit(9);
    _exit(2);
  }

  CHECK(ExitStatusOf(parent) == 2);
}

TEST_CASE("a daemon leads a session of its own, and its streams lead nowhere") {
  std::string path = Path("facts");
  pid_t parent = fork();
  if (parent == 0) {
    auto start = DaemonStart::Fork();
    if (!start.ok()) _exit(9);
    start->TellParent();
    // The parent has gone; write down what is so, in one step.
    std::ofstream(path + ".new") << (getsid(0) == getpid()) << isatty(0) << (read(0, &start, 1) == 0);
    rename((path + ".new").c_str(), path.c_str());
    _exit(0);
  }
  CHECK(ExitStatusOf(parent) == 0);

  while (access(path.c_str(), F_OK) != 0) usleep(1000);  // the test's time-out ends a wait in vain
  CHECK(Content(path) == "101");
}

}  // namespace
}  // namespace skysim
