// Runs the services of this folder, each as the `start` service of a simulated node, with 1, 2 and
// 8 workers and several seeds: what a service may rely on must hold in every interleaving.

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "simnet/choice/choice_source.h"
#include "simnet/memory/arena.h"
#include "simnet/storage/tree_storage.h"
#include "simnet/time/event_queue.h"
#include "simnet/trace/recorder.h"
#include "simnet/world/world.h"
#include "tests/conformance/claim_log.h"

namespace skysim {
namespace {

constexpr char kNode[] = "node";
constexpr int kSeeds = 3;

std::string Home() {
  const char* workspace = std::getenv("TEST_SRCDIR");
  return absl::StrCat(workspace == nullptr ? "." : workspace, "/skysim");
}

// One run of one file.
class ClaimRun {
 public:
  ClaimRun(const std::string& file, bool has_lua_logger, uint64_t seed, int workers)
      : choices_(seed, false), recorder_(events_, {}) {
    auto arena = Arena::Create();
    REQUIRE(arena.ok());
    arena_ = *std::move(arena);
    World::Options options;
    options.home = Home();
    options.project = absl::StrCat(Home(), "/tests/conformance");
    options.workers = workers;
    options.virtual_ns_max = 600 * int64_t{1'000'000'000};
    options.dispatches_max = 1'000'000;
    options.log = [this](int64_t, absl::string_view, absl::string_view line) { log_.Hear(line); };
    World world(choices_, events_, *arena_, files_, recorder_, options);
    NodeSpec spec;
    spec.name = kNode;
    spec.ip = "10.0.0.1";
    spec.config["start"] = file;
    if (file == "cluster_wire") spec.config["cluster_request_max"] = "300000";
    if (has_lua_logger) {
      spec.config["logservice"] = "snlua";
      spec.config["logger"] = "logger_with_memory";
    }
    REQUIRE(world.AddNode(spec).ok());
    REQUIRE(world.StartNode(kNode).ok());
    World::Progress progress;
    while ((progress = world.Step()) == World::Progress::kEvent) {
    }
    has_ended_ = progress == World::Progress::kIdle && !*world.IsRunning(kNode);
    stop_reason_ = world.stop_reason();
  }

  const ClaimLog& log() const { return log_; }
  // The service ended its node by itself.
  bool has_ended() const { return has_ended_; }
  const std::string& stop_reason() const { return stop_reason_; }

 private:
  EventQueue events_;
  SeededChoices choices_;
  Recorder recorder_;
  HostFiles files_;
  std::unique_ptr<Arena> arena_;
  ClaimLog log_;
  std::string stop_reason_;
  bool has_ended_ = false;
};

// `claims`: how many the file makes, so that none is skipped in silence.
void ExpectClaims(const std::string& file, size_t claims, bool has_lua_logger = false) {
  for (int workers : {1, 2, 8}) {
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      ClaimRun run(file, has_lua_logger, seed, workers);

      INFO(file << ".lua with " << workers << " workers, seed " << seed);
      for (const std::string& claim : run.log().broken()) {
        FAIL_CHECK("BROKEN: " << claim);
      }
      if (run.log().held().size() + run.log().broken().size() != claims || !run.has_ended()) {
        FAIL_CHECK(file << ".lua makes " << claims << " claims; judged: " << run.log().held().size()
                        << " hold, " << run.log().broken().size() << " are broken; its end: \""
                        << run.log().summary() << "\" " << run.stop_reason() << "\n" << run.log().text());
      }
    }
  }
}

TEST_CASE("function_names.lua") { ExpectClaims("function_names", 10); }
TEST_CASE("core_module.lua") { ExpectClaims("core_module", 12); }
TEST_CASE("task_order.lua") { ExpectClaims("task_order", 20); }
TEST_CASE("calls.lua") { ExpectClaims("calls", 20); }
TEST_CASE("requests.lua") { ExpectClaims("requests", 9); }
TEST_CASE("service_exit.lua") { ExpectClaims("service_exit", 12); }
TEST_CASE("service_facts.lua") { ExpectClaims("service_facts", 6); }
TEST_CASE("protocols.lua") { ExpectClaims("protocols", 9); }
TEST_CASE("debug_protocol.lua") { ExpectClaims("debug_protocol", 14); }
TEST_CASE("user_coroutines.lua") { ExpectClaims("user_coroutines", 15); }
TEST_CASE("logged_lines.lua") { ExpectClaims("logged_lines", 16, /*has_lua_logger=*/true); }
TEST_CASE("boot_services.lua") { ExpectClaims("boot_services", 6); }
TEST_CASE("module_loading.lua") { ExpectClaims("module_loading", 5); }
TEST_CASE("gate_events.lua") { ExpectClaims("gate_events", 6); }
TEST_CASE("cluster_caller.lua") { ExpectClaims("cluster_caller", 9); }
TEST_CASE("critical_section.lua") { ExpectClaims("critical_section", 5); }
TEST_CASE("socket_streams.lua") { ExpectClaims("socket_streams", 8); }
TEST_CASE("socket_channel.lua") { ExpectClaims("socket_channel", 11); }
TEST_CASE("cluster_calls.lua") { ExpectClaims("cluster_calls", 15); }
TEST_CASE("cluster_wire.lua") { ExpectClaims("cluster_wire", 18); }
TEST_CASE("upstream_defects.lua") { ExpectClaims("upstream_defects", 10); }
TEST_CASE("cluster_batch.lua") { ExpectClaims("cluster_batch", 6); }

}  // namespace
}  // namespace skysim
