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
#include "tests/conformance/claim_file.h"
#include "tests/conformance/claim_log.h"

namespace skysim {
namespace {

constexpr char kNode[] = "node";
constexpr uint64_t kSeeds = 3;

std::string Home() {
  const char* workspace = std::getenv("TEST_SRCDIR");
  return absl::StrCat(workspace == nullptr ? "." : workspace, "/skysim");
}

// One run of one file.
class ClaimRun {
 public:
  ClaimRun(const ClaimFile& file, uint64_t seed, int workers, bool any_order)
      : choices_(seed, false), recorder_(events_, {}) {
    auto arena = Arena::Create();
    REQUIRE(arena.ok());
    arena_ = *std::move(arena);
    World::Options options;
    options.home = Home();
    options.project = absl::StrCat(Home(), "/tests/conformance");
    options.workers = workers;
    options.any_order = any_order;
    options.virtual_ns_max = 600 * int64_t{1'000'000'000};
    options.dispatches_max = 1'000'000;
    options.log = [this](int64_t, absl::string_view, absl::string_view line) { log_.Hear(line); };
    World world(choices_, events_, *arena_, files_, recorder_, options);
    NodeSpec spec;
    spec.name = kNode;
    spec.ip = "10.0.0.1";
    for (const auto& [key, value] : file.config) spec.config[key] = value;
    spec.config["start"] = file.name;
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

}  // namespace

void ExpectSimulatedClaims(const ClaimFile& file) {
  for (int workers : {1, 2, 8}) {
    for (uint64_t seed = 1; seed <= (workers == 8 ? 2 : 1) * kSeeds; ++seed) {
      const bool any_order = seed > kSeeds;
      ClaimRun run(file, seed, workers, any_order);

      INFO(file.name << ".lua with " << workers << " workers, seed " << seed
                     << (any_order ? ", any order" : ""));
      for (const std::string& claim : run.log().broken()) {
        FAIL_CHECK("BROKEN: " << claim);
      }
      if (run.log().held().size() + run.log().broken().size() != file.claims || !run.has_ended()) {
        FAIL_CHECK(file.name << ".lua makes " << file.claims << " claims; judged: " << run.log().held().size()
                        << " hold, " << run.log().broken().size() << " are broken; its end: \""
                        << run.log().summary() << "\" " << run.stop_reason() << "\n" << run.log().text());
      }
    }
  }
}

}  // namespace skysim
