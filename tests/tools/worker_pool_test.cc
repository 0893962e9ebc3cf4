#include "tools/worker_pool.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <limits>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

// Keeps what it is told.
class Sink final : public WorkerPoolSink {
 public:
  bool OnResult(uint64_t seed, absl::string_view result) override {
    results[seed] = std::string(result);
    return results.size() < results_max;
  }
  bool OnCrash(uint64_t seed, absl::string_view how) override {
    crashes[seed] = std::string(how);
    return true;
  }
  void OnTick() override {
    if (interrupts_at_tick) kill(getpid(), SIGINT);
  }

  std::map<uint64_t, std::string> results, crashes;
  size_t results_max = std::numeric_limits<size_t>::max();
  bool interrupts_at_tick = false;
};

SeedWork Echo() {
  return [](uint64_t seed) { return absl::StrCat("seed ", seed); };
}

TEST_CASE("pool works on every seed once, whatever the number of processes") {
  for (int jobs : {1, 2, 3, 7, 20}) {
    Sink sink;

    auto end = RunWorkerPool({10, 19}, jobs, Echo, sink);

    INFO("jobs " << jobs);
    REQUIRE(end.ok());
    CHECK(*end == PoolEnd::kDone);
    CHECK(sink.results.size() == 10);
    CHECK(sink.results[10] == "seed 10");
    CHECK(sink.results[19] == "seed 19");
    CHECK(sink.crashes.empty());
  }
}

TEST_CASE("pool reaches the last seed there is") {
  constexpr uint64_t kLast = std::numeric_limits<uint64_t>::max();
  Sink sink;

  auto end = RunWorkerPool({kLast - 2, kLast}, 2, Echo, sink);

  REQUIRE(end.ok());
  CHECK(sink.results.size() == 3);
  CHECK(sink.results.count(kLast) == 1);
}

TEST_CASE("pool takes large and empty results whole") {
  Sink sink;
  auto make_work = [] {
    return [](uint64_t seed) { return std::string(seed % 2 == 0 ? 0 : 1'000'000, 'x'); };
  };

  auto end = RunWorkerPool({1, 4}, 2, make_work, sink);

  REQUIRE(end.ok());
  CHECK(sink.results[1].size() == 1'000'000);
  CHECK(sink.results[2].empty());
  CHECK(sink.results[3].size() == 1'000'000);
}

TEST_CASE("pool names the seed whose process crashed and goes on with the others") {
  Sink sink;
  auto make_work = [] {
    return [](uint64_t seed) {
      if (seed == 5) raise(SIGKILL);
      if (seed == 6) _exit(3);
      return std::string("fine");
    };
  };

  auto end = RunWorkerPool({1, 20}, 2, make_work, sink);

  REQUIRE(end.ok());
  CHECK(*end == PoolEnd::kDone);
  CHECK(sink.results.size() == 18);
  CHECK(sink.crashes ==
        std::map<uint64_t, std::string>{{5, "signal 9 (Killed)"}, {6, "exit status 3"}});
}

TEST_CASE("pool stops when the sink has seen enough") {
  Sink sink;
  sink.results_max = 3;

  auto end = RunWorkerPool({1, 1'000'000'000}, 2, Echo, sink);

  REQUIRE(end.ok());
  CHECK(*end == PoolEnd::kStopped);
  CHECK(sink.results.size() >= 3);
}

TEST_CASE("signal stops the pool, not the process") {
  Sink sink;
  sink.interrupts_at_tick = true;

  auto end = RunWorkerPool({1, 1'000'000'000}, 2, Echo, sink);

  REQUIRE(end.ok());
  CHECK(*end == PoolEnd::kInterrupted);
}

}  // namespace
}  // namespace skysim
