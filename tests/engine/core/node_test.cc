#include "engine/core/node.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/core/fake_platform.h"

namespace skysim {
namespace {

using Lines = std::vector<std::string>;

// Text messages that a service got.
Lines TextsOf(const std::vector<Seen>& seen) {
  Lines lines;
  for (const Seen& message : seen) {
    if (message.type == MessageType::kText) lines.push_back(message.bytes);
  }
  return lines;
}

// Errors that a service got: (source, session).
std::vector<std::pair<Handle, int32_t>> ErrorsOf(const std::vector<Seen>& seen) {
  std::vector<std::pair<Handle, int32_t>> errors;
  for (const Seen& message : seen) {
    if (message.type == MessageType::kError) errors.emplace_back(message.source, message.session);
  }
  return errors;
}

TEST_CASE("a node boots its log service and then its bootstrap") {
  FakeNode fixture("bootstrap", "a some args");

  REQUIRE(fixture.node->Boot().ok());
  fixture.Run();

  CHECK(fixture.context("log").handle() == 1);
  CHECK(fixture.context("a").handle() == 2);
  CHECK(fixture.node->FindAddress(".logger") == 1u);
  CHECK(TextsOf(fixture.seen("log")) == Lines{"LAUNCH a some args"});
}

TEST_CASE("a node without its log service does not boot") {
  FakeNode fixture("logservice", "nosuchmodule");

  CHECK(fixture.node->Boot().message() == "Can't launch nosuchmodule service");
}

TEST_CASE("a node without its bootstrap does not boot") {
  FakeNode fixture("bootstrap", "nosuchmodule x");

  CHECK(fixture.node->Boot().message() == "Bootstrap error : nosuchmodule x");
  fixture.Run();
  CHECK(TextsOf(fixture.seen("log")) ==
        Lines{"error: there is no native service called nosuchmodule"});
}

TEST_CASE("a launch that fails is logged, undone, and answers what came meanwhile") {
  FakeNode fixture;
  REQUIRE(fixture.node->Boot().ok());
  fixture.scripts["b"].init = [&](ServiceContext& context) {
    fixture.Send("a", context.handle(), 7);
    fixture.node->registry().AddName("failing", context.handle());
    return absl::InternalError("on purpose");
  };

  CHECK(fixture.Launch("b") == 0);
  fixture.Run();

  CHECK(TextsOf(fixture.seen("log")).back() == "error: launch b FAILED: on purpose");
  CHECK(!fixture.node->FindAddress(".failing").has_value());
  CHECK(fixture.scripts["b"].dead == 1);
  CHECK(fixture.seen("b").empty());
  CHECK(ErrorsOf(fixture.seen("a")) == std::vector<std::pair<Handle, int32_t>>{{3, 7}});
}

TEST_CASE("what a service sends to itself in Init is its first message") {
  FakeNode fixture;
  fixture.scripts["b"].init = [&](ServiceContext& context) {
    context.Send(context.handle(), MessageType::kText, 0, fixture.Bytes("first"));
    return absl::OkStatus();
  };

  Handle b = fixture.Launch("b");
  CHECK(fixture.seen("b").empty());
  fixture.Launch("a");
  fixture.Send("a", b, 0, "second");
  fixture.Run();

  REQUIRE(fixture.seen("b").size() == 2);
  CHECK(fixture.seen("b")[0] == Seen{MessageType::kText, b, 0, "first"});
  CHECK(fixture.seen("b")[1].bytes == "second");
}

TEST_CASE("a message to nobody is refused, and recorded") {
  FakeNode fixture;
  fixture.Launch("a");

  CHECK(!fixture.Send("a", 99, 1));
  CHECK(!fixture.Send("a", 0, 1));

  CHECK(fixture.fake.observer.Count(EventKind::kDeadLetter) == 2);
}

TEST_CASE("a retired service answers queued requests, and nothing else") {
  FakeNode fixture;
  fixture.Launch("a");
  Handle b = fixture.Launch("b");
  fixture.Send("a", b, 11);
  fixture.Send("a", b, 0);  // a push: nobody waits
  fixture.context("a").Send(b, MessageType::kResponse, 12, Payload());
  fixture.context("a").Send(b, MessageType::kError, 13, Payload());
  fixture.context("a").Send(b, MessageType::kMulticast, 256, Payload());  // its channel
  fixture.Send("a", b, 14);

  fixture.node->Retire(b, 0, 0);
  CHECK(!fixture.Send("a", b, 15));
  fixture.Run();

  CHECK(fixture.seen("b").empty());
  CHECK(fixture.scripts["b"].dead == 1);
  CHECK(ErrorsOf(fixture.seen("a")) == std::vector<std::pair<Handle, int32_t>>{{b, 11}, {b, 14}});
}

TEST_CASE("a service that is retired while it runs finishes that message") {
  FakeNode fixture;
  fixture.Launch("a");
  Handle b = fixture.Launch("b");
  fixture.scripts["b"].handle = [&](ServiceContext& context, const Seen&) {
    fixture.node->Retire(context.handle(), context.handle(), 0);
    context.Send(1, MessageType::kResponse, 11, Payload());
  };
  fixture.Send("a", b, 11);
  fixture.Send("a", b, 12);

  fixture.Run();

  CHECK(fixture.seen("b").size() == 1);
  REQUIRE(fixture.seen("a").size() == 2);
  CHECK(fixture.seen("a")[0].type == MessageType::kResponse);
  CHECK(fixture.seen("a")[1] == Seen{MessageType::kError, b, 12, ""});
  CHECK(fixture.scripts["b"].dead == 1);
}

TEST_CASE("the exit monitor hears of every exit but its own") {
  FakeNode fixture;
  Handle a = fixture.Launch("a");
  Handle b = fixture.Launch("b");
  Handle c = fixture.Launch("c");
  fixture.node->set_monitor(a);

  fixture.node->Retire(b, c, 0);
  fixture.node->Retire(c, c, 0);
  fixture.Run();
  fixture.node->Retire(a, a, 0);
  fixture.Run();

  REQUIRE(fixture.seen("a").size() == 2);
  CHECK(fixture.seen("a")[0] == Seen{MessageType::kClient, b, 0, ""});
  CHECK(fixture.seen("a")[1] == Seen{MessageType::kClient, c, 0, ""});
}

TEST_CASE("the environment begins as the config and is written once") {
  FakeNode fixture("start", "main");

  CHECK(*fixture.node->GetEnv("start") == "main");
  CHECK(*fixture.node->GetEnv("thread") == "8");
  CHECK(fixture.node->GetEnv("nosuchkey") == nullptr);
  CHECK(fixture.node->SetEnv("key", "one").ok());
  CHECK(fixture.node->SetEnv("key", "two").message() == "Can't setenv exist key : key");
  CHECK(fixture.node->SetEnv("start", "other").code() == absl::StatusCode::kAlreadyExists);
  CHECK(*fixture.node->GetEnv("key") == "one");
}

TEST_CASE("an abort retires everybody; the node is over when the log is written") {
  FakeNode fixture;
  REQUIRE(fixture.node->Boot().ok());
  fixture.Launch("b");
  fixture.Run();
  fixture.seen("log").clear();
  fixture.node->Log(2, "why it ends");

  fixture.node->Abort();
  fixture.node->Log(2, "last words");
  CHECK(fixture.over == 0);
  CHECK(fixture.Launch("c") == 0);
  fixture.Run();

  CHECK(TextsOf(fixture.seen("log")) == Lines{"why it ends", "last words"});
  CHECK(fixture.over == 1);
  CHECK(fixture.node->is_over());
  CHECK(fixture.node->registry().size() == 0);
  for (const char* name : {"log", "a", "b"}) CHECK(fixture.scripts[name].dead == 1);
}

TEST_CASE("a node is over when its last service exits") {
  FakeNode fixture;
  Handle a = fixture.Launch("a");
  Handle b = fixture.Launch("b");

  fixture.node->Retire(a, a, 0);
  CHECK(fixture.over == 0);
  fixture.node->Retire(b, b, 0);

  CHECK(fixture.over == 1);
}

TEST_CASE("a log line without a logger is dropped") {
  FakeNode fixture;
  Handle a = fixture.Launch("a");

  fixture.node->Log(a, "nobody hears it");
  fixture.Run();

  CHECK(fixture.seen("log").empty());
}

TEST_CASE("a log line keeps its source and every byte") {
  FakeNode fixture;
  REQUIRE(fixture.node->Boot().ok());
  fixture.Run();
  fixture.seen("log").clear();

  fixture.node->Log(77, absl::string_view("a\0b\n", 4));
  fixture.Run();

  CHECK(fixture.seen("log") ==
        std::vector<Seen>{{MessageType::kText, 77, 0, std::string("a\0b\n", 4)}});
}

TEST_CASE("an expired timer is a response from nobody; a dead service gets none") {
  FakeNode fixture;
  Handle a = fixture.Launch("a");
  Handle b = fixture.Launch("b");
  fixture.node->timers().Add(a, 31, 1, 0);
  fixture.node->timers().Add(b, 32, 1, 0);
  fixture.node->Retire(b, b, 0);

  fixture.fake.clock.Advance(Timers::kTickNs);
  fixture.Run();

  CHECK(fixture.seen("a") == std::vector<Seen>{{MessageType::kResponse, 0, 31, ""}});
  CHECK(fixture.seen("b").empty());
}

TEST_CASE("sessions are 1 to 2^31-1 and then 1 again") {
  FakeNode fixture;
  fixture.Launch("a");
  ServiceContext& a = fixture.context("a");

  CHECK(a.NewSession() == 1);
  CHECK(a.NewSession() == 2);
  a.SkipSessions(INT32_MAX - 1);
  CHECK(a.NewSession() == INT32_MAX);
  CHECK(a.NewSession() == 1);
}

TEST_CASE("effects of a stretched dispatch happen when the executor lets them") {
  FakeNode fixture;
  fixture.Launch("a");
  Handle b = fixture.Launch("b");
  fixture.fake.executor.is_deferring = true;

  fixture.Send("a", b, 0, "one");
  fixture.Send("a", b, 0, "two");
  fixture.fake.executor.is_deferring = false;
  fixture.Run();
  CHECK(fixture.seen("b").empty());

  for (auto& effect : fixture.fake.executor.effects) effect();
  fixture.Run();
  REQUIRE(fixture.seen("b").size() == 2);
  CHECK(fixture.seen("b")[0].bytes == "one");
}

TEST_CASE("an overloaded mailbox is logged by its service") {
  FakeNode fixture;
  REQUIRE(fixture.node->Boot().ok());
  Handle b = fixture.Launch("b");
  fixture.Run();
  for (int i = 0; i < 1026; ++i) fixture.Send("a", b, 0);

  fixture.Run();

  CHECK(fixture.seen("log").back() ==
        Seen{MessageType::kText, b, 0, "error: May overload, message queue length = 1025"});
}

TEST_CASE("addresses are :hex or .name") {
  FakeNode fixture;
  Handle a = fixture.Launch("a");
  fixture.node->registry().AddName("here", a);

  CHECK(fixture.node->FindAddress(":ff") == 255u);
  CHECK(fixture.node->FindAddress(".here") == a);
  CHECK(!fixture.node->FindAddress(".there").has_value());
  CHECK(!fixture.node->FindAddress("here").has_value());
  CHECK(!fixture.node->FindAddress("").has_value());
}

TEST_CASE("events name what caused them") {
  FakeNode fixture;
  fixture.Launch("a");
  Handle b = fixture.Launch("b");
  fixture.scripts["b"].handle = [&](ServiceContext& context, const Seen&) {
    context.Send(1, MessageType::kLua, 0, Payload());
  };

  fixture.Send("a", b, 0);
  uint64_t send = fixture.fake.observer.events.size();
  fixture.fake.executor.RunNext();

  std::vector<Event>& events = fixture.fake.observer.events;
  REQUIRE(events.size() == send + 2);
  CHECK(events[send].kind == EventKind::kDispatch);
  CHECK(events[send].cause == send);
  CHECK(events[send + 1].kind == EventKind::kSend);
  CHECK(events[send + 1].cause == send + 1);
}

TEST_CASE("a crash tells nobody and frees everything") {
  FakeNode fixture;
  REQUIRE(fixture.node->Boot().ok());
  Handle b = fixture.Launch("b");
  fixture.Send("a", b, 1);

  fixture.node.reset();

  CHECK(fixture.over == 0);
}

}  // namespace
}  // namespace skysim
