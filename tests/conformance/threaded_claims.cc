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
#include "tests/conformance/claim_file.h"
#include "tests/conformance/claim_log.h"

namespace skysim {
namespace {

// Only a test that fails waits for it.
constexpr absl::Duration kPatience = absl::Seconds(60);

std::string Home() {
  const char* workspace = std::getenv("TEST_SRCDIR");
  return absl::StrCat(workspace == nullptr ? "." : workspace, "/skysim");
}

Config ConfigFor(const ClaimFile& file, int workers) {
  Config config;
  for (const auto& [key, value] : file.config) config.entries[key] = value;
  config.entries["start"] = file.name;
  config.entries["harbor"] = "0";
  config.entries["thread"] = absl::StrCat(workers);
  config.entries["luaservice"] = absl::StrCat(Home(), "/tests/conformance/?.lua;./?.lua");
  REQUIRE(config.Complete().ok());
  OsStorage storage;
  AddHomePaths(storage, Home(), config);
  return config;
}

}  // namespace

void ExpectThreadedClaims(const ClaimFile& file) {
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

    INFO(file.name << ".lua with " << workers << " workers");
    for (const std::string& claim : log.broken()) {
      FAIL_CHECK("BROKEN: " << claim);
    }
    if (log.held().size() + log.broken().size() != file.claims || !has_ended) {
      FAIL_CHECK(file.name << ".lua makes " << file.claims << " claims; judged: " << log.held().size()
                      << " hold, " << log.broken().size() << " are broken; its end: \""
                      << log.summary() << "\"\n" << log.text());
    }
  }
}

}  // namespace skysim
