#ifndef TESTS_ENGINE_CORE_FAKE_PLATFORM_H_
#define TESTS_ENGINE_CORE_FAKE_PLATFORM_H_

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "engine/core/node.h"
#include "engine/os/heap.h"
#include "engine/platform/platform.h"
#include "tests/engine/core/fake_transport.h"

namespace skysim {

// A clock that the test moves. The alarm goes off inside Advance(), once, however late.
class FakeClock final : public Clock {
 public:
  int64_t now_ns = 0;
  int64_t wall_ns = 0;  // at now_ns 0
  int64_t cpu_ns = 0;

  int64_t NowNs() const override { return now_ns; }
  int64_t WallNs() const override { return wall_ns + now_ns; }
  int64_t CpuNs() const override { return cpu_ns; }
  void SetAlarm(int64_t when_ns, AlarmSink* sink) override {
    alarm_ns_ = when_ns;
    sink_ = sink;
  }

  // Moves time in one jump, then lets the alarm go off until none is due.
  void Advance(int64_t by_ns) {
    now_ns += by_ns;
    while (sink_ != nullptr && alarm_ns_ <= now_ns) std::exchange(sink_, nullptr)->OnAlarm();
  }

 private:
  AlarmSink* sink_ = nullptr;
  int64_t alarm_ns_ = 0;
};

// One worker, driven by the test.
class FakeExecutor final : public Executor {
 public:
  bool is_deferring = false;
  std::vector<absl::AnyInvocable<void()>> effects;

  ~FakeExecutor() override {
    for (Runnable* runnable : queue_) runnable->Drop();
  }

  void Submit(Runnable* runnable) override { queue_.push_back(runnable); }
  bool IsDeferring() const override { return is_deferring; }
  void Defer(absl::AnyInvocable<void()> effect) override { effects.push_back(std::move(effect)); }
  void Flush() override {
    std::vector<absl::AnyInvocable<void()>> due = std::exchange(effects, {});
    for (absl::AnyInvocable<void()>& effect : due) effect();
  }

  size_t waiting() const { return queue_.size(); }

  // Runs the first in line. False: nobody is there.
  bool RunNext() {
    if (queue_.empty()) return false;
    Runnable* runnable = queue_.front();
    queue_.pop_front();
    if (runnable->RunOne()) queue_.push_back(runnable);
    return true;
  }

  void RunAll() {
    while (RunNext()) {
    }
  }

 private:
  std::deque<Runnable*> queue_;
};

class FakeEntropy final : public Entropy {
 public:
  uint64_t Draw(absl::string_view) override { return 42; }
};

// Files in a map. A file that is renamed or removed while it is open is still written to.
class FakeStorage final : public Storage {
 public:
  using Bytes = std::shared_ptr<std::string>;
  std::map<std::string, Bytes> files;
  std::string open_error;  // of the next Open()

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode) override {
    if (!open_error.empty()) return absl::PermissionDeniedError(std::exchange(open_error, ""));
    Bytes& bytes = files[path];
    if (bytes == nullptr) bytes = std::make_shared<std::string>();
    return std::make_unique<OpenFile>(bytes);
  }
  absl::StatusOr<std::shared_ptr<const std::string>> ReadAll(const std::string& path) override {
    auto it = files.find(path);
    if (it == files.end()) return absl::NotFoundError("No such file or directory");
    return std::make_shared<const std::string>(*it->second);
  }
  bool Exists(const std::string& path) override { return files.count(path) > 0; }
  absl::Status Remove(const std::string& path) override {
    files.erase(path);
    return absl::OkStatus();
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    files[to] = files[from];
    files.erase(from);
    return absl::OkStatus();
  }
  std::optional<std::string> MachinePath(const std::string&) override { return std::nullopt; }

 private:
  class OpenFile final : public File {
   public:
    explicit OpenFile(Bytes bytes) : bytes_(std::move(bytes)) {}
    absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) override {
      return offset < bytes_->size() ? bytes_->substr(offset, size) : "";
    }
    absl::Status WriteAt(uint64_t offset, absl::string_view bytes) override {
      if (bytes_->size() < offset) bytes_->resize(offset);
      bytes_->replace(offset, bytes.size(), bytes.data(), bytes.size());
      return absl::OkStatus();
    }
    absl::StatusOr<uint64_t> Size() override { return bytes_->size(); }
    absl::Status Sync() override { return absl::OkStatus(); }

   private:
    const Bytes bytes_;
  };
};

// Keeps what was recorded, texts copied.
class FakeObserver final : public Observer {
 public:
  std::vector<Event> events;
  std::deque<std::string> texts;

  uint64_t Record(const Event& event) override {
    texts.emplace_back(event.text);
    events.push_back(event);
    events.back().text = texts.back();
    events.back().bytes = {};
    return events.size();
  }

  size_t Count(EventKind kind) const {
    size_t count = 0;
    for (const Event& event : events) count += event.kind == kind;
    return count;
  }
};

struct FakePlatform {
  FakeClock clock;
  FakeTransport transport;
  FakeEntropy entropy;
  FakeStorage storage;
  FakeObserver observer;
  Heap memory;
  FakeExecutor executor;  // last: what it drops may use the others

  Platform platform() {
    return Platform{clock, executor, transport, entropy, storage, observer, memory};
  }
};

// What one message was, as its receiver saw it.
struct Seen {
  MessageType type;
  Handle source;
  int32_t session;
  std::string bytes;
  bool operator==(const Seen& other) const {
    return type == other.type && source == other.source && session == other.session &&
           bytes == other.bytes;
  }
};

// A service that is the test: notes what it gets, and does what the test hands to it.
class TestService final : public Service {
 public:
  struct Script {
    std::vector<Seen> seen;
    std::function<absl::Status(ServiceContext&)> init;
    std::function<void(ServiceContext&, const Seen&)> handle;
    ServiceContext* context = nullptr;  // while it lives
    int dead = 0;                       // services destroyed
  };
  explicit TestService(Script& script) : script_(script) {}
  ~TestService() override {
    ++script_.dead;
    script_.context = nullptr;
  }

  absl::Status Init(ServiceContext& context, const std::string&) override {
    context_ = script_.context = &context;
    return script_.init ? script_.init(context) : absl::OkStatus();
  }
  void OnMessage(Message message) override {
    Seen seen{message.type, message.source, message.session, std::string(message.payload.bytes())};
    script_.seen.push_back(seen);
    if (script_.handle) script_.handle(*context_, seen);
  }
  void OnSignal(int) override {}

 private:
  Script& script_;
  ServiceContext* context_ = nullptr;
};

// A node whose native modules "a", "b", "c" and "log" are played by the test.
class FakeNode {
 public:
  // `key`, if any: one entry of the config.
  explicit FakeNode(const std::string& key = "", const std::string& value = "") {
    Node::Options options;
    options.name = "node";
    if (!key.empty()) options.config.entries[key] = value;
    options.config.entries.emplace("harbor", "0");
    options.config.entries.emplace("logservice", "log");
    options.config.entries.emplace("bootstrap", "a boot");
    REQUIRE(options.config.Complete().ok());
    for (const char* name : {"a", "b", "c", "log"}) {
      options.modules[name] = [this, name] { return std::make_unique<TestService>(scripts[name]); };
    }
    options.on_over = [this] { ++over; };
    node = std::make_unique<Node>(fake.platform(), std::move(options));
  }

  Handle Launch(const std::string& module) { return node->Launch(module, "", nullptr); }
  ServiceContext& context(const std::string& module) { return *scripts[module].context; }
  std::vector<Seen>& seen(const std::string& module) { return scripts[module].seen; }
  Payload Bytes(absl::string_view bytes) { return Payload::Copy(fake.memory, bytes); }
  bool Send(const std::string& from, Handle to, int32_t session, absl::string_view bytes = "") {
    return context(from).Send(to, MessageType::kLua, session, Bytes(bytes));
  }
  void Run() { fake.executor.RunAll(); }

  std::map<std::string, TestService::Script> scripts;  // what the platform drops looks at them
  FakePlatform fake;
  int over = 0;
  std::unique_ptr<Node> node;
};

}  // namespace skysim

#endif  // TESTS_ENGINE_CORE_FAKE_PLATFORM_H_
