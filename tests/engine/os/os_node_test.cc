// What can be seen of a node's sockets only from inside its process; tests/node has the rest.
#include "engine/os/os_node.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/lua/home_paths.h"
#include "engine/os/os_storage.h"

namespace skysim {
namespace {

// A node whose start service has the text `main` inside skynet.start, until it prints "ready".
class ReadyNode {
 public:
  explicit ReadyNode(const std::string& main) {
    const char* sources = std::getenv("TEST_SRCDIR");
    const char* folder = std::getenv("TEST_TMPDIR");
    REQUIRE(sources != nullptr);
    REQUIRE(folder != nullptr);
    std::ofstream(absl::StrCat(folder, "/ready_main.lua"))
        << "local skynet = require 'skynet'\nskynet.start(function()\n"
        << main << "\nprint 'ready'\nend)\n";
    OsNode::Options options;
    options.name = "node";
    options.config.entries = {{"harbor", "0"},
                              {"thread", "2"},
                              {"start", "ready_main"},
                              {"luaservice", absl::StrCat(folder, "/?.lua")}};
    REQUIRE(options.config.Complete().ok());
    OsStorage storage;
    AddHomePaths(storage, absl::StrCat(sources, "/skysim"), options.config);
    options.log_line = [](absl::string_view) {};
    options.write_out = [this](absl::string_view text) {
      absl::StrAppend(&printed_, text);
      if (absl::StrContains(printed_, "ready\n") && !ready_.HasBeenNotified()) ready_.Notify();
    };
    options.on_over = [] {};
    options.on_booted = [](const std::string&) {};
    auto made = OsNode::Make(std::move(options));
    REQUIRE(made.ok());
    node_ = *std::move(made);
    REQUIRE(node_->Start().ok());
    REQUIRE(ready_.WaitForNotificationWithTimeout(absl::Seconds(60)));
  }

 private:
  std::string printed_;
  absl::Notification ready_;
  std::unique_ptr<OsNode> node_;
};

// TCP_NODELAY of each connected TCP socket of this process.
std::vector<int> NoDelayOfConnections() {
  std::vector<int> values;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int number = std::atoi(entry.path().filename().c_str());
    sockaddr_storage peer;
    socklen_t size = sizeof(peer);
    if (getpeername(number, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    int value = -1;
    size = sizeof(value);
    if (getsockopt(number, IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0) values.push_back(value);
  }
  return values;
}

TEST_CASE("both ends of a cluster connection send without delay") {
  ReadyNode node(R"(
    local cluster = require "skynet.cluster"
    skynet.dispatch("lua", function() skynet.retpack() end)
    cluster.register("main", skynet.self())
    local _, port = cluster.open(0)
    cluster.reload { me = "127.0.0.1:" .. port }
    cluster.call("me", "@main")
  )");

  CHECK(NoDelayOfConnections() == std::vector<int>{1, 1});
}

}  // namespace
}  // namespace skysim
