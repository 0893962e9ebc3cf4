#include "tests/engine/lua/module_fixture.h"

#include <deque>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "engine/platform/platform.h"
#include "tests/engine/lua/counting_memory.h"

namespace skysim {
namespace {

// Every part of a platform but memory, absent.
class AbsentClock final : public Clock {
 public:
  int64_t NowNs() const override { return Absent(); }
  int64_t WallNs() const override { return Absent(); }
  int64_t CpuNs() const override { return Absent(); }
  void SetAlarm(int64_t, AlarmSink*) override { Absent(); }

 private:
  static int64_t Absent() {
    LOG(FATAL) << "this platform has no clock";
    return 0;
  }
};

class AbsentExecutor final : public Executor {
 public:
  void Submit(Runnable*) override { LOG(FATAL) << "this platform has no executor"; }
  bool IsDeferring() const override { return false; }
  void Defer(absl::AnyInvocable<void()>) override { LOG(FATAL) << "this platform has no executor"; }
  void Flush() override {}
};

// What the test gave, in order.
class GivenEntropy final : public Entropy {
 public:
  uint64_t Draw(absl::string_view stream) override {
    CHECK(!draws.empty()) << "this platform has no entropy left for " << stream;
    const uint64_t bits = draws.front();
    draws.pop_front();
    return bits;
  }

  std::deque<uint64_t> draws;
};

class AbsentStorage final : public Storage {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string&, OpenMode) override {
    return Absent();
  }
  absl::StatusOr<std::shared_ptr<const std::string>> ReadAll(const std::string&) override {
    return Absent();
  }
  bool Exists(const std::string&) override { return false; }
  absl::Status Remove(const std::string&) override { return Absent(); }
  absl::Status Rename(const std::string&, const std::string&) override { return Absent(); }
  std::optional<std::string> MachinePath(const std::string&) override { return std::nullopt; }

 private:
  static absl::Status Absent() { return absl::UnimplementedError("this platform has no storage"); }
};

class AbsentTransport final : public Transport {
 public:
  void SetSink(TransportSink*) override {}
  absl::StatusOr<Listening> Listen(const std::string&, uint16_t, int) override { return Absent(); }
  absl::StatusOr<Accepted> Accept(EndpointId) override { return Absent(); }
  EndpointId Connect(const std::string&, uint16_t) override {
    LOG(FATAL) << "this platform has no transport";
    return 0;
  }
  void SetReading(EndpointId, bool) override {}
  void SetWriting(EndpointId, bool) override {}
  ReadResult Read(EndpointId, char*, size_t) override { return ReadResult(); }
  WriteResult Write(EndpointId, absl::string_view) override { return WriteResult(); }
  void ShutdownRead(EndpointId) override {}
  void ShutdownWrite(EndpointId) override {}
  void Close(EndpointId) override {}
  void SetNoDelay(EndpointId) override {}
  Address LocalAddress(EndpointId) const override { return Address(); }
  absl::StatusOr<EndpointId> OpenUdp(const std::string&, uint16_t) override { return Absent(); }
  WriteResult SendTo(EndpointId, const Address&, absl::string_view) override {
    return WriteResult();
  }
  absl::StatusOr<Datagram> ReceiveFrom(EndpointId) override { return Absent(); }
  absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string&) override {
    return Absent();
  }
  std::string HostName() const override { return ""; }

 private:
  static absl::Status Absent() {
    return absl::UnimplementedError("this platform has no transport");
  }
};

class DeafObserver final : public Observer {
 public:
  uint64_t Record(const Event&) override { return 0; }
};

}  // namespace

struct ModuleFixture::World {
  AbsentClock clock;
  AbsentExecutor executor;
  AbsentTransport transport;
  GivenEntropy entropy;
  AbsentStorage storage;
  DeafObserver observer;
  CountingMemory memory;
  CountingMemory vm_memory;
  Platform platform{clock, executor, transport, entropy, storage, observer, memory};
  LuaVm vm{vm_memory, 1, VmContext{&platform}};
};

ModuleFixture::ModuleFixture() : world_(std::make_unique<World>()) { luaL_openlibs(L()); }

ModuleFixture::~ModuleFixture() = default;

lua_State* ModuleFixture::L() { return world_->vm.state(); }

void ModuleFixture::GiveEntropy(const std::vector<uint64_t>& draws) {
  world_->entropy.draws.insert(world_->entropy.draws.end(), draws.begin(), draws.end());
}

CountingMemory& ModuleFixture::memory() { return world_->memory; }

std::string ModuleFixture::Run(const std::string& chunk) {
  const std::string result = Do(chunk);
  CHECK(!has_failed_) << result;
  return result;
}

std::string ModuleFixture::Failure(const std::string& chunk) {
  const std::string result = Do(chunk);
  CHECK(has_failed_) << "no error; result " << result;
  return result;
}

std::string ModuleFixture::Do(const std::string& chunk) {
  lua_settop(L(), 0);
  has_failed_ = luaL_loadbufferx(L(), chunk.data(), chunk.size(), "=chunk", "t") != LUA_OK ||
                lua_pcall(L(), 0, LUA_MULTRET, 0) != LUA_OK;
  if (lua_gettop(L()) == 0) return "nil";
  size_t size = 0;
  const char* const text = luaL_tolstring(L(), 1, &size);
  std::string result(text, size);
  lua_settop(L(), 0);
  if (has_failed_ && result.compare(0, 6, "chunk:") == 0) {
    result = result.substr(result.find(": ") + 2);
  }
  return result;
}

}  // namespace skysim
