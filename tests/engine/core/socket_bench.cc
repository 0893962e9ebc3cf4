// Measures what one send and one read cost in the socket server itself, over a transport that
// costs nothing: ns per message of 32 bytes.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/core/socket_server.h"

namespace skysim {
namespace {

class Heap final : public Memory {
 public:
  void* Allocate(size_t size) override { return std::malloc(size); }
  void* Reallocate(void* block, size_t size) override { return std::realloc(block, size); }
  void Free(void* block) override { std::free(block); }
};

class Inline final : public Executor {
 public:
  void Submit(Runnable*) override {}
  bool IsDeferring() const override { return false; }
  void Defer(absl::AnyInvocable<void()> effect) override { effect(); }
  void Flush() override {}
};

class Still final : public Clock {
 public:
  int64_t NowNs() const override { return 1; }
  int64_t WallNs() const override { return 1; }
  int64_t CpuNs() const override { return 1; }
  void SetAlarm(int64_t, AlarmSink*) override {}
};

class Counter final : public Observer {
 public:
  uint64_t Record(const Event&) override { return ++count; }
  uint64_t count = 0;
};

class Drop final : public SocketEventSink {
 public:
  void OnSocketEvent(Handle, SocketMessage message, absl::string_view, uint64_t) override {
    std::free(message.buffer);
  }
  void OnSocketLog(Handle, absl::string_view) override {}
};

// One connection; each write is at once there to be read.
class Mirror final : public Transport {
 public:
  void SetSink(TransportSink* s) override { sink = s; }
  absl::StatusOr<Listening> Listen(const std::string&, uint16_t, int) override { return Listening{}; }
  absl::StatusOr<Accepted> Accept(EndpointId) override { return Accepted{}; }
  EndpointId Connect(const std::string&, uint16_t) override { return 1; }
  void SetReading(EndpointId, bool) override {}
  void SetWriting(EndpointId, bool) override {}
  ReadResult Read(EndpointId, char* buffer, size_t capacity) override {
    ReadResult result;
    result.size = size < capacity ? size : capacity;
    std::memcpy(buffer, bytes, result.size);
    size = 0;
    return result;
  }
  WriteResult Write(EndpointId, absl::string_view text) override {
    size = text.size();
    std::memcpy(bytes, text.data(), size);
    WriteResult result;
    result.size = size;
    return result;
  }
  void ShutdownRead(EndpointId) override {}
  void ShutdownWrite(EndpointId) override {}
  void Close(EndpointId) override {}
  void SetNoDelay(EndpointId) override {}
  Address LocalAddress(EndpointId) const override { return {}; }
  absl::StatusOr<EndpointId> OpenUdp(const std::string&, uint16_t) override { return 1; }
  WriteResult SendTo(EndpointId, const Address&, absl::string_view) override { return {}; }
  absl::StatusOr<Datagram> ReceiveFrom(EndpointId) override { return absl::NotFoundError(""); }
  absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string&) override {
    return std::vector<std::string>{};
  }
  std::string HostName() const override { return ""; }

  TransportSink* sink = nullptr;
  char bytes[4096];
  size_t size = 0;
};

}  // namespace
}  // namespace skysim

int main() {
  using namespace skysim;
  Heap memory;
  Inline executor;
  Still clock;
  Counter observer;
  Drop drop;
  Mirror transport;
  SocketServer server(transport, executor, memory, observer, clock, drop);
  SocketId id = server.Connect(7, "x", 1);
  transport.sink->OnConnected(1, {"x", 1});
  constexpr int kMessages = 5'000'000;

  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kMessages; ++i) {
    server.Send(id, Payload::Copy(memory, "0123456789abcdef0123456789abcdef"));
  }
  auto middle = std::chrono::steady_clock::now();
  for (int i = 0; i < kMessages; ++i) {
    transport.size = 32;
    transport.sink->OnReadable(1);
  }
  auto end = std::chrono::steady_clock::now();
  auto each = [](auto from, auto to) {
    return std::chrono::duration<double, std::nano>(to - from).count() / kMessages;
  };
  std::printf("send %.1f ns, read %.1f ns (%llu events)\n", each(begin, middle), each(middle, end),
              static_cast<unsigned long long>(observer.count));
}
