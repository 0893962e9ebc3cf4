#include "simnet/storage/tree_storage.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "simnet/choice/choice_source.h"
#include "simnet/time/event_queue.h"

namespace skysim {
namespace {

using OpenMode = Storage::OpenMode;

// A folder of the machine with a few files, gone with the test.
class HostFolder {
 public:
  HostFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tree_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    std::filesystem::create_directory(path_ + "/lib");
    Write("a.txt", "host a");
    Write("lib/b.lua", "return 'b'");
  }
  ~HostFolder() { std::filesystem::remove_all(path_); }

  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
  }
  std::string Read(const std::string& name) {
    std::ifstream file(path_ + "/" + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Fixture {
  HostFolder folder;
  HostFiles host;
  EventQueue events;
  TreeStorage tree{host, {"/project", {{"/project", folder.path()}}, &events}};

  std::string Content(const std::string& path) {
    absl::StatusOr<std::shared_ptr<const std::string>> content = tree.ReadAll(path);
    return content.ok() ? **content : "error: " + std::string(content.status().message());
  }
  std::string OpenError(const std::string& path, OpenMode mode) {
    return std::string(tree.Open(path, mode).status().message());
  }
  std::unique_ptr<File> Open(const std::string& path, OpenMode mode) {
    absl::StatusOr<std::unique_ptr<File>> file = tree.Open(path, mode);
    INFO(path << ": " << file.status());
    REQUIRE(file.ok());
    return *std::move(file);
  }
  // The choices of the power-off, in their order; 0 is the fate of all others.
  void PowerOff(const std::vector<uint64_t>& values = {}) {
    std::vector<Choice> recorded;
    for (uint64_t i = 0; i < values.size(); ++i) recorded.push_back({"off", i, 1000, values[i]});
    RecordedChoices choices(recorded);
    tree.DropUnsynced(choices, choices.Stream("off"));
  }
  void Write(const std::string& path, const std::string& bytes, bool syncs = false) {
    std::unique_ptr<File> file = Open(path, OpenMode::kTruncate);
    REQUIRE(file->WriteAt(0, bytes).ok());
    if (syncs) REQUIRE(file->Sync().ok());
  }
};

TEST_CASE_METHOD(Fixture, "tree reads the host's files at their mount") {
  CHECK(Content("a.txt") == "host a");
  CHECK(Content("/project/lib/b.lua") == "return 'b'");
  CHECK(Content("/a.txt") == "error: No such file or directory");
  CHECK(tree.Exists("lib"));
  CHECK_FALSE(tree.Exists("lib/c.lua"));
}

TEST_CASE_METHOD(Fixture, "tree does not show the machine outside of its mounts") {
  CHECK(Content(folder.path() + "/a.txt") == "error: No such file or directory");
  CHECK(Content("/etc/passwd") == "error: No such file or directory");
  CHECK(Content("../../etc/passwd") == "error: No such file or directory");
}

TEST_CASE_METHOD(Fixture, "tree prefers the innermost mount") {
  HostFolder other;
  other.Write("b.lua", "other");
  TreeStorage nested(
      host, {"/project", {{"/project", folder.path()}, {"/project/lib", other.path()}}});

  CHECK(*nested.ReadAll("lib/b.lua").value() == "other");
  CHECK(*nested.ReadAll("a.txt").value() == "host a");
}

TEST_CASE_METHOD(Fixture, "tree normalises paths") {
  CHECK(tree.Normalise("./a/../b//c/.") == "/project/b/c");
  CHECK(tree.Normalise("/..//x/../y/") == "/y");
  CHECK(tree.Normalise("..") == "/");
  CHECK(Content("./lib/..//a.txt") == "host a");
}

TEST_CASE_METHOD(Fixture, "tree keeps writes in memory") {
  Write("a.txt", "mine");
  Write("lib/new.txt", "new");

  CHECK(Content("a.txt") == "mine");
  CHECK(Content("lib/new.txt") == "new");
  CHECK(folder.Read("a.txt") == "host a");
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/lib/new.txt"));
}

TEST_CASE_METHOD(Fixture, "two trees over one host are apart") {
  TreeStorage other(host, {"/project", {{"/project", folder.path()}}});

  Write("a.txt", "mine");

  CHECK(*other.ReadAll("a.txt").value() == "host a");
}

TEST_CASE_METHOD(Fixture, "host files are read once") {
  CHECK(Content("a.txt") == "host a");
  CHECK(Content("late.txt") == "error: No such file or directory");

  folder.Write("a.txt", "changed");
  folder.Write("late.txt", "late");
  TreeStorage next_run(host, {"/project", {{"/project", folder.path()}}});

  CHECK(*next_run.ReadAll("a.txt").value() == "host a");
  CHECK_FALSE(next_run.Exists("late.txt"));
}

TEST_CASE_METHOD(Fixture, "tree remembers what was removed") {
  CHECK(tree.Remove("a.txt").ok());

  CHECK(Content("a.txt") == "error: No such file or directory");
  CHECK(tree.Remove("a.txt").message() == "No such file or directory");
  CHECK(OpenError("a.txt", OpenMode::kReadWrite) == "No such file or directory");
  Write("a.txt", "again");
  CHECK(Content("a.txt") == "again");
  CHECK(folder.Read("a.txt") == "host a");
}

TEST_CASE_METHOD(Fixture, "tree renames over what was there") {
  Write("new", "fresh");

  CHECK(tree.Rename("new", "a.txt").ok());

  CHECK(Content("a.txt") == "fresh");
  CHECK_FALSE(tree.Exists("new"));
  CHECK(tree.Rename("new", "b").message() == "No such file or directory");
  CHECK(tree.Rename("a.txt", "a.txt").ok());
  CHECK(tree.Rename("a.txt", "lib").message() == "Is a directory");
  CHECK(tree.Rename("lib", "x").message() == "Operation not supported");
}

TEST_CASE_METHOD(Fixture, "tree answers what POSIX would for folders and wrong paths") {
  CHECK(OpenError("", OpenMode::kTruncate) == "No such file or directory");
  CHECK(OpenError("nowhere/x", OpenMode::kTruncate) == "No such file or directory");
  CHECK(OpenError("a.txt/x", OpenMode::kTruncate) == "Not a directory");
  CHECK(OpenError("a.txt/x/y", OpenMode::kRead) == "Not a directory");
  CHECK(OpenError("lib", OpenMode::kTruncate) == "Is a directory");
  CHECK(Content("lib") == "error: Is a directory");
  CHECK(tree.Remove("lib").message() == "Directory not empty");
  CHECK(tree.Open("nowhere", OpenMode::kRead).status().code() == absl::StatusCode::kNotFound);
  CHECK(Open("lib", OpenMode::kRead)->ReadAt(0, 1).status().message() == "Is a directory");
}

TEST_CASE_METHOD(Fixture, "a file opened for reading refuses writes") {
  CHECK(Open("a.txt", OpenMode::kRead)->WriteAt(0, "x").message() == "Bad file descriptor");
}

TEST_CASE_METHOD(Fixture, "appending ignores the offset, a gap is filled with zeros") {
  REQUIRE(Open("a.txt", OpenMode::kAppend)->WriteAt(0, "!").ok());
  REQUIRE(Open("gap", OpenMode::kCreate)->WriteAt(2, "x").ok());

  CHECK(Content("a.txt") == "host a!");
  CHECK(Content("gap") == std::string("\0\0x", 3));
}

TEST_CASE_METHOD(Fixture, "an open file outlives its removal") {
  std::unique_ptr<File> file = Open("a.txt", OpenMode::kRead);

  REQUIRE(tree.Remove("a.txt").ok());

  CHECK(file->ReadAt(5, 10).value() == "a");
  CHECK(file->ReadAt(6, 10).value().empty());
}

TEST_CASE_METHOD(Fixture, "power-off takes back what was not synced") {
  Write("kept", "durable", true);
  REQUIRE(Open("kept", OpenMode::kAppend)->WriteAt(0, " and lost").ok());
  Write("a.txt", "lost");
  Write("fresh", "lost");
  Write("overwritten", "old", true);
  REQUIRE(Open("overwritten", OpenMode::kReadWrite)->WriteAt(1, "xx and more").ok());
  REQUIRE(tree.Remove("lib/b.lua").ok());

  PowerOff();

  CHECK(Content("kept") == "durable");
  CHECK(Content("a.txt") == "host a");
  CHECK_FALSE(tree.Exists("fresh"));
  CHECK(Content("overwritten") == "old");
  CHECK_FALSE(tree.Exists("lib/b.lua"));
}

TEST_CASE_METHOD(Fixture, "what a killed process had open cannot be written any more") {
  auto file = Open("log", OpenMode::kAppend);
  REQUIRE(file->WriteAt(0, "before").ok());

  tree.AbandonOpenFiles();
  CHECK(file->WriteAt(0, " after").ok());
  REQUIRE(Open("log", OpenMode::kAppend)->WriteAt(0, ", next life").ok());

  CHECK(Content("log") == "before, next life");
}

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kWhole = 1, kTorn = 2;

TEST_CASE_METHOD(Fixture, "power-off keeps what the system wrote back after 35 s") {
  Write("old", "bytes");
  events.AdvanceTo(1);
  Write("young", "bytes");
  events.AdvanceTo(35 * kSecondNs);

  PowerOff();

  CHECK(Content("old") == "bytes");
  CHECK_FALSE(tree.Exists("young"));
}

TEST_CASE_METHOD(Fixture, "a file that is written all the time loses what is younger than 35 s") {
  auto file = Open("log", OpenMode::kAppend);
  for (int second = 0; second < 100; ++second) {
    events.AdvanceTo(second * kSecondNs);
    REQUIRE(file->WriteAt(0, "x").ok());
  }

  PowerOff();

  // Dirty at 0 and written back at 35, with the byte of second 34; dirty again at 35, so at 70.
  CHECK(Content("log") == std::string(70, 'x'));
}

TEST_CASE_METHOD(Fixture, "what a power-off catches may have been written already") {
  Write("fresh", "bytes");
  Write("a.txt", "mine");

  PowerOff({kWhole, kWhole});

  CHECK(Content("fresh") == "bytes");
  CHECK(Content("a.txt") == "mine");
}

TEST_CASE_METHOD(Fixture, "a power-off may cut what a file grew by, at a page") {
  const std::string grown = std::string(3000, 'a') + std::string(9000, 'b');
  for (auto [state, bytes] : {std::pair{0, 4096}, {1, 8192}}) {
    Write("log", std::string(3000, 'a'), true);
    REQUIRE(Open("log", OpenMode::kAppend)->WriteAt(0, std::string(9000, 'b')).ok());

    PowerOff({kTorn, static_cast<uint64_t>(state)});

    CHECK(Content("log") == grown.substr(0, bytes));
  }
}

TEST_CASE_METHOD(Fixture, "a file that was made or emptied may be empty after a power-off") {
  Write("new", "bytes");
  PowerOff({kTorn, 0});
  CHECK(Content("new").empty());

  Write("rewritten", std::string(5000, 'a'), true);
  Write("rewritten", std::string(5000, 'b'));
  PowerOff({kTorn, 0});
  CHECK(Content("rewritten").empty());

  Write("rewritten", std::string(5000, 'a'), true);
  Write("rewritten", std::string(5000, 'b'));
  PowerOff({kTorn, 1});
  CHECK(Content("rewritten") == std::string(4096, 'b'));
}

TEST_CASE_METHOD(Fixture, "a file that was written over may be new in front and old behind") {
  Write("table", std::string(9000, 'a'), true);
  REQUIRE(Open("table", OpenMode::kReadWrite)->WriteAt(0, std::string(9000, 'b')).ok());

  PowerOff({kTorn, 0});

  CHECK(Content("table") == std::string(4096, 'b') + std::string(4904, 'a'));
}

TEST_CASE_METHOD(Fixture, "less than a page that a file grew by is there or not") {
  Write("log", "one\n", true);
  REQUIRE(Open("log", OpenMode::kAppend)->WriteAt(0, "two\n").ok());

  PowerOff({kTorn, 0});

  CHECK(Content("log") == "one\n");
}

TEST_CASE_METHOD(Fixture, "writing beside and renaming over survives a power-off whole") {
  Write("state", "old", true);
  Write("state.new", "new");
  REQUIRE(tree.Rename("state.new", "state").ok());

  PowerOff();

  CHECK(Content("state") == "new");
}

TEST_CASE_METHOD(Fixture, "a new disk has the host's files only") {
  Write("a.txt", "mine", true);
  tree.Put("/etc/config", "x");
  REQUIRE(tree.Remove("lib/b.lua").ok());

  tree.Clear();

  CHECK(Content("a.txt") == "host a");
  CHECK(Content("lib/b.lua") == "return 'b'");
  CHECK_FALSE(tree.Exists("/etc"));
}

TEST_CASE_METHOD(Fixture, "a file that was put is durable and brings its folders") {
  tree.Put("/etc/skynet/config", "thread = 8");

  PowerOff();

  CHECK(Content("/etc/skynet/config") == "thread = 8");
  CHECK(tree.Exists("/etc/skynet"));
  Write("/etc/skynet/other", "x");
  CHECK(tree.DebugString() ==
        "/etc/skynet/config: 10 bytes\n/etc/skynet/other: 1 bytes, unsynced\n");
}

TEST_CASE_METHOD(Fixture, "tree agrees with a map under random writes, syncs and power-offs") {
  std::mt19937 numbers(1);
  std::map<std::string, std::string> now;
  std::map<std::string, std::string> durable;
  for (int step = 0; step < 5'000; ++step) {
    std::string name = "f" + std::to_string(numbers() % 4);
    switch (numbers() % 6) {
      case 0:
      case 1: {
        size_t offset = numbers() % 12;
        std::string bytes(numbers() % 5, static_cast<char>('a' + numbers() % 26));
        REQUIRE(Open(name, OpenMode::kCreate)->WriteAt(offset, bytes).ok());
        std::string& content = now[name];
        if (bytes.empty()) break;
        if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size(), '\0');
        content.replace(offset, bytes.size(), bytes);
        break;
      }
      case 2:
        Write(name, "new");
        now[name] = "new";
        break;
      case 3:
        if (now.count(name) == 0) break;
        REQUIRE(Open(name, OpenMode::kRead)->Sync().ok());
        durable[name] = now[name];
        break;
      case 4:
        CHECK(tree.Remove(name).ok() == (now.erase(name) == 1));
        durable.erase(name);
        break;
      case 5:
        if (numbers() % 4 != 0) break;
        PowerOff();
        now = durable;
        break;
    }
    for (int i = 0; i < 4; ++i) {
      std::string checked = "f" + std::to_string(i);
      auto found = now.find(checked);
      REQUIRE(Content(checked) ==
              (found == now.end() ? "error: No such file or directory" : found->second));
    }
  }
}

TEST_CASE_METHOD(Fixture, "the machine's path is known while a node has not changed the file") {
  REQUIRE(tree.MachinePath("./lib/b.lua") == folder.path() + "/lib/b.lua");

  REQUIRE(Open("lib/b.lua", OpenMode::kReadWrite)->WriteAt(0, "R").ok());

  CHECK(tree.MachinePath("lib/b.lua") == std::nullopt);
  CHECK(tree.MachinePath("/project/lib") == std::nullopt);
  CHECK(tree.MachinePath("none") == std::nullopt);
  CHECK(tree.MachinePath("") == std::nullopt);
}

}  // namespace
}  // namespace skysim
