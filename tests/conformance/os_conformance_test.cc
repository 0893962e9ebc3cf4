// Runs the services of this folder that use sockets, each as the `start` service of a node on the
// operating system: worker threads, epoll, the loopback device. Those that count on the calm of
// virtual time (what has not come within half a second does not come) only run simulated.

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/core/config.h"
#include "engine/lua/home_paths.h"
#include "engine/os/os_node.h"
#include "engine/os/os_storage.h"
#include "tests/conformance/claim_log.h"

namespace skysim {
namespace {

// Only a test that fails waits for it.
constexpr absl::Duration kPatience = absl::Seconds(60);

std::string Home() {
  const char* workspace = std::getenv("TEST_SRCDIR");
  return absl::StrCat(workspace == nullptr ? "." : workspace, "/skysim");
}

Config ConfigFor(const std::string& file, int workers) {
  Config config;
  config.entries["start"] = file;
  config.entries["harbor"] = "0";
  config.entries["thread"] = absl::StrCat(workers);
  config.entries["luaservice"] = absl::StrCat(Home(), "/tests/conformance/?.lua");
  REQUIRE(config.Complete().ok());
  OsStorage storage;
  AddHomePaths(storage, Home(), config);
  return config;
}

// `claims`: how many the file makes, so that none is skipped in silence.
void ExpectClaims(const std::string& file, size_t claims) {
  for (int workers : {1, 4}) {
    ClaimLog log;
    absl::Notification over;
    OsNode::Options options;
    options.name = "node";
    options.config = ConfigFor(file, workers);
    options.log_line = [&log](absl::string_view line) { log.Hear(line); };
    options.on_over = [&over] { over.Notify(); };
    auto node = OsNode::Make(std::move(options));
    REQUIRE(node.ok());
    REQUIRE((*node)->Start().ok());
    const bool has_ended = over.WaitForNotificationWithTimeout(kPatience);
    (*node)->Stop();

    INFO(file << ".lua with " << workers << " workers");
    for (const std::string& claim : log.broken()) {
      FAIL_CHECK("BROKEN: " << claim);
    }
    if (log.held().size() + log.broken().size() != claims || !has_ended) {
      FAIL_CHECK(file << ".lua makes " << claims << " claims; judged: " << log.held().size()
                      << " hold, " << log.broken().size() << " are broken; its end: \""
                      << log.summary() << "\"\n" << log.text());
    }
  }
}

TEST_CASE("upstream_defects.lua over real sockets") { ExpectClaims("upstream_defects", 10); }
TEST_CASE("socket_streams.lua over real sockets") { ExpectClaims("socket_streams", 8); }
TEST_CASE("socket_channel.lua over real sockets") { ExpectClaims("socket_channel", 11); }
TEST_CASE("gate_events.lua over real sockets") { ExpectClaims("gate_events", 6); }
TEST_CASE("cluster_caller.lua over real sockets") { ExpectClaims("cluster_caller", 9); }
TEST_CASE("cluster_calls.lua over real sockets") { ExpectClaims("cluster_calls", 15); }

}  // namespace
}  // namespace skysim
