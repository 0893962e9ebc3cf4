#include "simnet/trace/recorder.h"

#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

// Does nothing: what the tests need is that time passes.
class Nothing final : public Happening {
 public:
  void Happen(uint64_t argument) override {}
};

Event Of(EventKind kind, absl::string_view text = "") {
  return Event{kind, 0, 0, 0, 0, 0, 0, text, ""};
}

// A recorder and a clock that a test moves by hand.
class Run final {
 public:
  explicit Run(Recorder::Options options = {}) : recorder(clock, options) {
    recorder.AddNode("a");
    node_b = &recorder.AddNode("b");
  }
  void Advance(int64_t duration_ns) {
    clock.Schedule(clock.NowNs() + duration_ns, &nothing_, 0);
    clock.RunNext();
  }
  // Three events: the story begins, b sends a message, b dispatches another.
  void Play(absl::string_view payload = "payload") {
    uint64_t began = recorder.world().Record(Of(EventKind::kStory, "begin"));
    Advance(1'000);
    Event send{EventKind::kSend, 10, 1, 2, 3, payload.size(), began, "", payload};
    uint64_t sent = node_b->Record(send);
    Advance(500);
    node_b->Record(Event{EventKind::kDispatch, 10, 2, 1, 3, 7, sent, "", ""});
  }

  EventQueue clock;
  Recorder recorder;
  Observer* node_b;

 private:
  Nothing nothing_;
};

Recorder::Options Keeping() {
  Recorder::Options options;
  options.keeps_events = true;
  return options;
}

Recorder::Options Comparing(const EventLog& expected) {
  Recorder::Options options;
  options.expected = &expected;
  return options;
}

TEST_CASE("recorder numbers events from 1 and knows when and where they were") {
  Run run(Keeping());
  run.Play();

  const EventLog& events = run.recorder.events();
  REQUIRE(events.size() == 3);
  CHECK(events[0].index == 1);
  CHECK(events[0].node == 0);
  CHECK(events[0].text == "begin");
  CHECK(events[1].time_ns == 1'000);
  CHECK(events[1].node == 2);
  CHECK(events[1].cause == 1);
  CHECK(events[1].bytes_hash != 0);
  CHECK(events[2].time_ns == 1'500);
  CHECK(events[2].bytes_hash == 0);
  CHECK(run.recorder.node_names() == std::vector<std::string>{"world", "a", "b"});
}

class Counting final : public EventListener {
 public:
  void OnEvent(uint32_t node, const Event& event) override {
    ++events;
    last_node = node;
    last_kind = event.kind;
  }
  int events = 0;
  uint32_t last_node = 0;
  EventKind last_kind = EventKind::kStory;
};

TEST_CASE("recorder tells a listener of each event, and the digest does not change by it") {
  Counting listener;
  Recorder::Options options;
  options.listener = &listener;
  Run heard(options), counted;
  heard.Play();
  counted.Play();

  CHECK(listener.events == 3);
  CHECK(listener.last_node == 2);
  CHECK(listener.last_kind == EventKind::kDispatch);
  CHECK(heard.recorder.digest() == counted.recorder.digest());
}

TEST_CASE("digest is the same whether events are kept, compared or neither") {
  Run kept(Keeping()), counted;
  kept.Play();
  counted.Play();
  Run compared(Comparing(kept.recorder.events()));
  compared.Play();

  CHECK(kept.recorder.digest() == counted.recorder.digest());
  CHECK(kept.recorder.digest() == compared.recorder.digest());
  CHECK(counted.recorder.events().empty());
  CHECK(counted.recorder.count() == 3);
}

TEST_CASE("equal runs do not diverge") {
  Run first(Keeping());
  first.Play();

  Run second(Comparing(first.recorder.events()));
  second.Play();
  second.recorder.Finish();

  CHECK_FALSE(second.recorder.divergence().has_value());
}

TEST_CASE("divergence is the first different event, with both sides") {
  Run first(Keeping());
  first.Play("payload");

  Run second(Comparing(first.recorder.events()));
  second.Play("Payload");
  second.recorder.world().Record(Of(EventKind::kFault));
  second.recorder.Finish();

  REQUIRE(second.recorder.divergence().has_value());
  const Divergence& divergence = *second.recorder.divergence();
  REQUIRE(divergence.expected.has_value());
  REQUIRE(divergence.actual.has_value());
  CHECK(*divergence.expected == first.recorder.events()[1]);
  CHECK(divergence.actual->index == 2);
  CHECK(divergence.actual->bytes_hash != divergence.expected->bytes_hash);
}

TEST_CASE("a run that goes on where the recorded one ended diverges there") {
  Run first(Keeping());
  first.Play();

  Run second(Comparing(first.recorder.events()));
  second.Play();
  second.recorder.world().Record(Of(EventKind::kFault));
  second.recorder.Finish();

  REQUIRE(second.recorder.divergence().has_value());
  CHECK_FALSE(second.recorder.divergence()->expected.has_value());
  CHECK(second.recorder.divergence()->actual->index == 4);
}

TEST_CASE("a run that ends before the recorded one diverges at its end") {
  Run first(Keeping());
  first.Play();
  first.recorder.world().Record(Of(EventKind::kFault));

  Run second(Comparing(first.recorder.events()));
  second.Play();
  CHECK_FALSE(second.recorder.divergence().has_value());
  second.recorder.Finish();

  REQUIRE(second.recorder.divergence().has_value());
  CHECK(second.recorder.divergence()->expected->kind == EventKind::kFault);
  CHECK_FALSE(second.recorder.divergence()->actual.has_value());
}

TEST_CASE("recorder stops keeping, not counting, at its limit") {
  Recorder::Options options = Keeping();
  options.kept_max = 2;
  Run run(options), whole;
  run.Play();
  whole.Play();

  CHECK(run.recorder.events().size() == 2);
  CHECK(run.recorder.events().dropped() == 1);
  CHECK(run.recorder.count() == 3);
  CHECK(run.recorder.digest() == whole.recorder.digest());
}

TEST_CASE("a run is compared as far as the recorded one was kept") {
  Recorder::Options options = Keeping();
  options.kept_max = 2;
  Run first(options);
  first.Play();

  Run second(Comparing(first.recorder.events()));
  second.Play();
  second.recorder.Finish();

  CHECK_FALSE(second.recorder.divergence().has_value());
}

}  // namespace
}  // namespace skysim
