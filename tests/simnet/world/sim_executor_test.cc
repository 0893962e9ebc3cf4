#include "simnet/world/sim_executor.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

constexpr int64_t kDispatchNs = 1000;

// Every decision of one stream is `value` (cut to its bound), all others are 0.
class OneStream final : public ChoiceSource {
 public:
  OneStream(std::string name, uint64_t value) : name_(std::move(name)), value_(value) {}
  StreamId Stream(absl::string_view name) override { return name == name_ ? 1 : 0; }
  uint64_t Choose(StreamId stream, uint64_t bound) override {
    return stream == 1 ? std::min(value_, bound - 1) : 0;
  }
  bool ChooseOneIn(StreamId stream, uint64_t, uint64_t) override {
    return stream == 1 && value_ != 0;
  }

 private:
  const std::string name_;
  const uint64_t value_;
};

using Lines = std::vector<std::string>;

// Services by name that note when they run, and the executor under test.
class ExecutorFixture final : public SimExecutor::Sink {
 public:
  ExecutorFixture(ChoiceSource& choices, int workers)
      : executor(std::make_unique<SimExecutor>(events, choices, *this,
                                               SimExecutor::Options{"n", workers, kDispatchNs})) {}

  // Has `mail` dispatches to do; `act` is what each does.
  struct Service final : Runnable {
    Service(ExecutorFixture& owner, std::string service_name)
        : fixture(owner), name(std::move(service_name)) {}
    bool RunOne() override {
      if (mail == 0) return false;  // it came back only because it was stretched
      fixture.Note(name);
      if (act) act();
      return --mail > 0 || fixture.executor->IsDeferring();
    }
    void Drop() override { fixture.Note(name + " dropped"); }

    ExecutorFixture& fixture;
    const std::string name;
    int mail = 1;
    std::function<void()> act;
  };

  Service& Make(const std::string& name, int mail = 1) {
    services_.push_back(std::make_unique<Service>(*this, name));
    services_.back()->mail = mail;
    return *services_.back();
  }
  void Note(const std::string& text) { order.push_back(text); }
  void RunAll() {
    while (!events.IsEmpty()) events.RunNext();
  }

  EventQueue events;
  Lines order;
  int dispatched = 0;
  std::unique_ptr<SimExecutor> executor;

 private:
  void OnDispatched() override { ++dispatched; }

  std::vector<std::unique_ptr<Service>> services_;
};

TEST_CASE("services run first in, first out, one message each, when nothing unusual is chosen") {
  for (int workers : {1, 2, 8}) {
    RecordedChoices choices({});
    ExecutorFixture fixture(choices, workers);

    for (const char* name : {"a", "b", "c"}) fixture.executor->Submit(&fixture.Make(name, 2));
    fixture.RunAll();

    INFO(workers);
    CHECK(fixture.order == Lines{"a", "b", "c", "a", "b", "c"});
    CHECK(fixture.dispatched == 6);
  }
}

TEST_CASE("a dispatch costs its time, and at most `workers` are under way") {
  RecordedChoices choices({});
  for (int workers : {1, 2, 4}) {
    ExecutorFixture fixture(choices, workers);
    for (int i = 0; i < 8; ++i) fixture.executor->Submit(&fixture.Make("s"));

    fixture.RunAll();

    CHECK(fixture.events.NowNs() == 8 / workers * kDispatchNs);
    CHECK(fixture.executor->cpu_ns() == 8 * kDispatchNs);
  }
}

TEST_CASE("a stalled worker lets the services behind it come first") {
  OneStream choices("node/n/stall", 1);
  ExecutorFixture fixture(choices, 2);
  // Every dispatch is stalled by 20/1024 of a dispatch, the shortest stall there is.
  fixture.executor->Submit(&fixture.Make("a"));
  fixture.RunAll();

  CHECK(fixture.events.NowNs() == kDispatchNs + 20 * kDispatchNs / 1024);
}

// Two services: "a" has two messages and three effects in each dispatch, "b" has one message.
void SubmitTwo(ExecutorFixture& fixture) {
  ExecutorFixture::Service& a = fixture.Make("a", 2);
  a.act = [&fixture] {
    for (const char* effect : {"1", "2", "3"}) {
      if (fixture.executor->IsDeferring()) {
        fixture.executor->Defer([&fixture, effect] { fixture.Note(effect); });
      } else {
        fixture.Note(effect);
      }
    }
  };
  fixture.executor->Submit(&a);
  fixture.executor->Submit(&fixture.Make("b"));
}

TEST_CASE("a stretched dispatch keeps the order of its effects and of the next dispatch") {
  OneStream choices("node/n/stretch", 1);
  ExecutorFixture fixture(choices, 2);

  SubmitTwo(fixture);
  fixture.RunAll();

  Lines of_a;
  for (const std::string& line : fixture.order) {
    if (line != "b") of_a.push_back(line);
  }
  CHECK(of_a == Lines{"a", "1", "2", "3", "a", "1", "2", "3"});
}

TEST_CASE("other services run between two effects of a stretched dispatch") {
  OneStream choices("node/n/stretch", 1);
  ExecutorFixture fixture(choices, 2);

  SubmitTwo(fixture);
  fixture.RunAll();

  CHECK(Lines(fixture.order.begin(), fixture.order.begin() + 4) == Lines{"a", "1", "b", "2"});
}

TEST_CASE("one worker stretches nothing: nobody could run in between") {
  OneStream choices("node/n/stretch", 1);
  ExecutorFixture fixture(choices, 1);

  SubmitTwo(fixture);
  fixture.RunAll();

  CHECK(fixture.order == Lines{"a", "1", "2", "3", "b", "a", "1", "2", "3"});
}

TEST_CASE("Stop drops what is queued or under way, its effects, and what is submitted later") {
  OneStream choices("node/n/stretch", 1);
  ExecutorFixture fixture(choices, 2);
  SubmitTwo(fixture);
  fixture.executor->Submit(&fixture.Make("c"));
  fixture.events.RunNext();  // a ran; effects 2 and 3 are still to happen
  REQUIRE(fixture.order == Lines{"a", "1"});

  fixture.executor->Stop();
  fixture.executor->Submit(&fixture.Make("d"));
  fixture.RunAll();

  CHECK(fixture.order == Lines{"a", "1", "c dropped", "a dropped", "b dropped", "d dropped"});
}

// A service that ends has no mail any more, but its end has effects.
TEST_CASE("Stop does not touch a service that is gone, though its effects are still to happen") {
  class Ending final : public Runnable {
   public:
    explicit Ending(ExecutorFixture& fixture) : fixture_(fixture) {}
    bool RunOne() override {
      for (const char* effect : {"1", "2"}) {
        fixture_.executor->Defer([this, effect] { fixture_.Note(effect); });
      }
      return false;
    }
    void Drop() override { fixture_.Note("dropped"); }

   private:
    ExecutorFixture& fixture_;
  };
  OneStream choices("node/n/stretch", 1);
  ExecutorFixture fixture(choices, 2);
  Ending ending(fixture);
  fixture.executor->Submit(&ending);
  fixture.events.RunNext();
  REQUIRE(fixture.order == Lines{"1"});

  fixture.executor->Stop();

  CHECK(fixture.order == Lines{"1"});
}

TEST_CASE("the same seed gives the same interleaving, and stays within the workers") {
  auto run = [](uint64_t seed) {
    SeededChoices choices(seed, false);
    ExecutorFixture fixture(choices, 3);
    for (int i = 0; i < 20; ++i) {
      fixture.executor->Submit(&fixture.Make(std::string(1, static_cast<char>('a' + i)), 5));
    }
    fixture.RunAll();
    return fixture.order;
  };

  Lines first = run(7);

  CHECK(first == run(7));
  CHECK(first != run(8));
}

TEST_CASE("a pause stops workers in the midst of a dispatch's time, and they go on from there") {
  RecordedChoices choices({});
  ExecutorFixture fixture(choices, 2);
  fixture.executor->Submit(&fixture.Make("a"));
  fixture.events.AdvanceTo(300);
  fixture.executor->Submit(&fixture.Make("b"));
  fixture.events.AdvanceTo(400);

  fixture.executor->Pause();
  fixture.executor->Submit(&fixture.Make("c"));  // the story's, say
  CHECK(fixture.events.IsEmpty());
  fixture.events.AdvanceTo(1'000'000);
  fixture.executor->Resume();
  fixture.events.RunNext();
  CHECK(fixture.order == Lines{"a"});
  CHECK(fixture.events.NowNs() == 1'000'600);
  fixture.RunAll();

  CHECK(fixture.order == Lines{"a", "b", "c"});
  CHECK(fixture.events.NowNs() == 1'000'600 + kDispatchNs);  // c began when a had ended
}

TEST_CASE("workers that had nothing to do take what came in the pause") {
  RecordedChoices choices({});
  ExecutorFixture fixture(choices, 2);

  fixture.executor->Pause();
  for (const char* name : {"a", "b", "c"}) fixture.executor->Submit(&fixture.Make(name));
  CHECK(fixture.events.IsEmpty());
  fixture.executor->Resume();
  fixture.RunAll();

  CHECK(fixture.order == Lines{"a", "b", "c"});
  CHECK(fixture.events.NowNs() == 2 * kDispatchNs);
}

TEST_CASE("a pause comes between two effects of a stretched dispatch, too") {
  OneStream choices("node/n/stretch", 1);
  ExecutorFixture fixture(choices, 2);
  SubmitTwo(fixture);
  while (fixture.order.size() < 2) fixture.events.RunNext();
  const Lines before = fixture.order;

  fixture.executor->Pause();
  CHECK(fixture.events.IsEmpty());
  fixture.events.AdvanceTo(1'000'000);
  CHECK(fixture.order == before);
  fixture.executor->Resume();
  fixture.RunAll();

  // The same order as without a pause.
  ExecutorFixture other(choices, 2);
  SubmitTwo(other);
  other.RunAll();
  CHECK(fixture.order == other.order);
}

TEST_CASE("who dies in a pause drops what was queued and under way") {
  RecordedChoices choices({});
  ExecutorFixture fixture(choices, 1);
  fixture.executor->Submit(&fixture.Make("a"));
  fixture.executor->Submit(&fixture.Make("b"));

  fixture.executor->Pause();
  fixture.executor->Stop();
  fixture.RunAll();

  std::sort(fixture.order.begin(), fixture.order.end());
  CHECK(fixture.order == Lines{"a dropped", "b dropped"});
}

TEST_CASE("a slow CPU takes a multiple of the time for each dispatch from the next one on") {
  RecordedChoices choices({});
  ExecutorFixture fixture(choices, 1);
  fixture.executor->Submit(&fixture.Make("a"));
  fixture.executor->Submit(&fixture.Make("b"));

  fixture.executor->SetSlowdown(5);
  fixture.RunAll();
  CHECK(fixture.events.NowNs() == (1 + 5) * kDispatchNs);
  CHECK(fixture.executor->cpu_ns() == (1 + 5) * kDispatchNs);

  fixture.executor->SetSlowdown(1);
  fixture.executor->Submit(&fixture.Make("c"));
  fixture.RunAll();
  CHECK(fixture.events.NowNs() == (1 + 5 + 1) * kDispatchNs);
}

}  // namespace
}  // namespace skysim
