#include "engine/core/boot_watch.h"

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

constexpr uint32_t kBootstrap = 2;
constexpr uint32_t kUser = 9;

struct Boot {
  void Launch(uint32_t service, absl::string_view line) {
    Tell(EventKind::kLaunch, service, line);
  }
  void Log(uint32_t service, absl::string_view line) { Tell(EventKind::kLog, service, line); }
  void Exit(uint32_t service) { Tell(EventKind::kExit, service, ""); }
  void Tell(EventKind kind, uint32_t service, absl::string_view text) {
    Event event{kind};
    event.service = service;
    event.text = text;
    watch.OnEvent(event);
  }

  BootWatch watch{"snlua bootstrap"};
};

TEST_CASE("a boot is over when the service of the bootstrap line has exited") {
  Boot boot;
  boot.Launch(1, "logger");
  boot.Launch(kBootstrap, "snlua bootstrap");
  boot.Exit(1);
  CHECK_FALSE(boot.watch.is_over());

  boot.Exit(kBootstrap);

  CHECK(boot.watch.is_over());
  CHECK(boot.watch.failure().empty());
}

TEST_CASE("a start service that cannot start is a failure, with the reason that it logged") {
  Boot boot;
  boot.Launch(kBootstrap, "snlua bootstrap");
  boot.Log(kUser, "lua loader error : no service 'main':\n\tno file");
  boot.Log(kBootstrap, "bootstrap: start service main failed: call failed");
  boot.Exit(kBootstrap);

  CHECK(boot.watch.failure() == "its start service main failed: no service 'main':");
}

TEST_CASE("without a logged reason the bootstrap's own is given") {
  Boot boot;
  boot.Launch(kBootstrap, "snlua bootstrap");
  boot.Log(kBootstrap, "bootstrap: start service main failed: call failed");

  CHECK(boot.watch.failure() == "its start service main failed: call failed");
}

TEST_CASE("a bootstrap that cannot start is a failure") {
  Boot boot;
  boot.Launch(kBootstrap, "snlua bootstrap");
  boot.Log(kBootstrap, "init service failed: ./bootstrap.lua:3: nothing here\nstack");
  boot.Exit(kBootstrap);

  CHECK(boot.watch.is_over());
  CHECK(boot.watch.failure() == "its bootstrap failed: ./bootstrap.lua:3: nothing here");
}

TEST_CASE("a service that failed and that the boot goes on without is no failure") {
  Boot boot;
  boot.Launch(kBootstrap, "snlua bootstrap");
  boot.Log(kUser, "init service failed: ./extra.lua:1: no");
  boot.Exit(kUser);
  boot.Exit(kBootstrap);

  CHECK(boot.watch.is_over());
  CHECK(boot.watch.failure().empty());
}

TEST_CASE("a system service without which the node cannot be is a failure") {
  Boot boot;
  boot.Launch(kBootstrap, "snlua bootstrap");
  boot.Log(kBootstrap, "bootstrap: service cslave failed: no master");

  CHECK(boot.watch.failure() == "its service cslave failed: no master");
}

TEST_CASE("what is logged after the boot changes nothing") {
  Boot boot;
  boot.Launch(kBootstrap, "snlua bootstrap");
  boot.Exit(kBootstrap);

  boot.Log(kUser, "bootstrap: start service x failed: y");

  CHECK(boot.watch.failure().empty());
}

}  // namespace
}  // namespace skysim
