#include "engine/core/harbor_service.h"

#include <memory>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/core/fake_platform.h"

namespace skysim {
namespace {

// A node with the harbor service as handle 1, .cslave ("c") as 2, and "a", "b".
class HarborFixture {
 public:
  HarborFixture() {
    node_ = std::make_unique<Node>(fake.platform(), Options());
    harbor = node_->Launch("harbor", "0 2", nullptr);
    c = node_->Launch("c", "", nullptr);
    a = node_->Launch("a", "", nullptr);
    b = node_->Launch("b", "", nullptr);
  }

  absl::Status FailedLaunch(const std::string& args) {
    auto context = std::make_unique<HarborService>();
    TestService::Script script;
    ServiceContext owner(*node_, std::make_unique<TestService>(script), "test");
    return context->Init(owner, args);
  }

  bool SendToName(const std::string& name, const std::string& bytes) {
    Message message;
    message.source = a;
    message.type = MessageType::kLua;
    message.payload = Payload::Copy(fake.memory, bytes);
    return node_->SendGlobal(name, std::move(message));
  }

  void Command(Handle source, const std::string& text) {
    Message message;
    message.source = source;
    message.type = MessageType::kHarbor;
    message.payload = Payload::Copy(fake.memory, text);
    node_->Send(harbor, std::move(message));
    fake.executor.RunAll();
  }

  std::vector<std::string> Got(const std::string& module) {
    fake.executor.RunAll();
    std::vector<std::string> texts;
    for (const Seen& seen : scripts[module].seen) texts.push_back(seen.bytes);
    scripts[module].seen.clear();
    return texts;
  }

  std::map<std::string, TestService::Script> scripts;  // what the platform drops looks at them
  FakePlatform fake;
  Handle harbor = 0, a = 0, b = 0, c = 0;

  Node& node() { return *node_; }

 private:
  Node::Options Options() {
    Node::Options options;
    options.config.entries["harbor"] = "0";
    for (const char* name : {"a", "b", "c"}) {
      options.modules[name] = [this, name] { return std::make_unique<TestService>(scripts[name]); };
    }
    options.modules["harbor"] = [] { return std::make_unique<HarborService>(); };
    return options;
  }

  std::unique_ptr<Node> node_;
};

using Texts = std::vector<std::string>;

TEST_CASE("what is sent to an unknown name waits, in order, until somebody has the name") {
  HarborFixture fixture;

  CHECK(fixture.SendToName("NAME", "one"));
  CHECK(fixture.SendToName("OTHER", "not for b"));
  CHECK(fixture.SendToName("NAME", "two"));
  CHECK(fixture.Got("b").empty());
  CHECK(fixture.Got("c") == Texts{"Q NAME", "Q OTHER", "Q NAME"});
  fixture.Command(fixture.b, "N NAME");
  fixture.SendToName("NAME", "three");

  CHECK(fixture.Got("b") == Texts{"one", "two", "three"});
  CHECK(fixture.Got("c").empty());
}

TEST_CASE("a name may move to another service") {
  HarborFixture fixture;
  fixture.Command(fixture.b, "N NAME");

  fixture.Command(fixture.c, "N NAME");
  fixture.SendToName("NAME", "one");

  CHECK(fixture.Got("b").empty());
  CHECK(fixture.Got("c") == Texts{"one"});
}

TEST_CASE("a name of more than 15 bytes is not bound") {
  HarborFixture fixture;

  fixture.Command(fixture.b, "N 0123456789abcdef");
  fixture.SendToName("0123456789abcdef", "one");

  CHECK(fixture.Got("b").empty());
}

TEST_CASE("a message to a name whose service is gone is refused") {
  HarborFixture fixture;
  fixture.Command(fixture.b, "N NAME");
  fixture.node().Retire(fixture.b, 0, 0);

  CHECK(!fixture.SendToName("NAME", "one"));
}

TEST_CASE("a node without a harbor service has no global names") {
  HarborFixture fixture;
  fixture.node().Retire(fixture.harbor, 0, 0);

  CHECK(!fixture.SendToName("NAME", "one"));
}

TEST_CASE("the harbor service tells what it cannot do") {
  HarborFixture fixture;

  CHECK(fixture.FailedLaunch("nonsense").message() ==
        "harbor needs \"<harbor id> <handle of .cslave>\", not \"nonsense\"");
  CHECK(fixture.FailedLaunch("1 2").code() == absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace skysim
