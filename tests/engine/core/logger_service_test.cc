#include "engine/core/logger_service.h"

#include <memory>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "tests/engine/core/fake_platform.h"

namespace skysim {
namespace {

// A node with the native logger; `file` is its argument.
class LoggerFixture {
 public:
  explicit LoggerFixture(const std::string& file = "") {
    // 2024-01-02 03:04:05.678 UTC
    fake.clock.wall_ns = 1'704'164'645'678 * int64_t{1'000'000};
    Node::Options options;
    options.config.entries["harbor"] = "0";
    options.modules["logger"] = [this] {
      return std::make_unique<LoggerService>(
          [this](absl::string_view line) { lines.emplace_back(line); });
    };
    options.modules["a"] = [this] { return std::make_unique<TestService>(script); };
    options.config.entries["bootstrap"] = "a";
    if (!file.empty()) options.config.entries["logger"] = file;
    node = std::make_unique<Node>(fake.platform(), std::move(options));
  }

  void Boot() {
    REQUIRE(node->Boot().ok());
    fake.executor.RunAll();
    lines.clear();
  }
  void Log(Handle source, absl::string_view text) {
    node->Log(source, text);
    fake.executor.RunAll();
  }
  void Reopen() {
    Message message;
    message.type = MessageType::kSystem;
    node->Send(1, std::move(message));
    fake.executor.RunAll();
  }
  std::string File(const std::string& path) { return *fake.storage.files.at(path); }

  FakePlatform fake;
  TestService::Script script;
  std::vector<std::string> lines;
  std::unique_ptr<Node> node;
};

using Lines = std::vector<std::string>;

TEST_CASE("the logger writes the source and the text") {
  LoggerFixture fixture;
  fixture.Boot();

  fixture.Log(0x0100000a, "hello");
  fixture.Log(0, absl::string_view("a\0b", 3));

  CHECK(fixture.lines == Lines{"[:0100000a] hello", std::string("[:00000000] a\0b", 15)});
}

TEST_CASE("lines in a file are led by day, month, year and centiseconds") {
  LoggerFixture fixture("log/skynet.log");
  fixture.Boot();

  fixture.Log(10, "hello");

  CHECK(fixture.lines.empty());
  CHECK(fixture.File("log/skynet.log") ==
        "02/01/24 03:04:05.67 [:00000002] LAUNCH a\n"
        "02/01/24 03:04:05.67 [:0000000a] hello\n");
}

TEST_CASE("the logger appends to a file that is there") {
  LoggerFixture fixture("f");
  fixture.fake.storage.files["f"] = std::make_shared<std::string>("before\n");
  fixture.Boot();

  CHECK(fixture.File("f") == "before\n02/01/24 03:04:05.67 [:00000002] LAUNCH a\n");
}

TEST_CASE("after a rotation the logger writes to a new file") {
  LoggerFixture fixture("f");
  fixture.Boot();

  REQUIRE(fixture.fake.storage.Rename("f", "f.1").ok());
  fixture.Log(10, "still in the old one");
  fixture.Reopen();
  fixture.Log(10, "in the new one");

  CHECK(fixture.File("f.1") ==
        "02/01/24 03:04:05.67 [:00000002] LAUNCH a\n"
        "02/01/24 03:04:05.67 [:0000000a] still in the old one\n");
  CHECK(fixture.File("f") == "02/01/24 03:04:05.67 [:0000000a] in the new one\n");
}

TEST_CASE("a rotation that fails goes on with the old file") {
  LoggerFixture fixture("f");
  fixture.Boot();

  fixture.fake.storage.open_error = "Permission denied";
  fixture.Reopen();
  fixture.Log(10, "hello");

  CHECK(fixture.File("f") ==
        "02/01/24 03:04:05.67 [:00000002] LAUNCH a\n02/01/24 03:04:05.67 [:0000000a] hello\n");
}

TEST_CASE("a rotation without a file changes nothing") {
  LoggerFixture fixture;
  fixture.Boot();

  fixture.Reopen();
  fixture.Log(10, "hello");

  CHECK(fixture.lines == Lines{"[:0000000a] hello"});
}

TEST_CASE("a node whose log file cannot be opened does not boot") {
  LoggerFixture fixture("f");
  fixture.fake.storage.open_error = "Permission denied";

  CHECK(fixture.node->Boot().message() == "Can't launch logger service");
}

}  // namespace
}  // namespace skysim
