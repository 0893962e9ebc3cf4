#ifndef TESTS_ENGINE_CORE_SOCKET_FIXTURE_H_
#define TESTS_ENGINE_CORE_SOCKET_FIXTURE_H_

#include <atomic>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/core/socket_server.h"

namespace skysim {

// The C heap, which knows whether everything came back. Any thread may call it.
class CountingMemory final : public Memory {
 public:
  ~CountingMemory() override { CHECK(blocks == 0); }  // everything was freed
  void* Allocate(size_t size) override {
    ++blocks;
    return std::malloc(size);
  }
  void* Reallocate(void* block, size_t size) override {
    if (block == nullptr) ++blocks;
    return std::realloc(block, size);
  }
  void Free(void* block) override {
    if (block != nullptr) --blocks;
    std::free(block);
  }
  std::atomic<int> blocks{0};
};

// Runs effects at once, or keeps them until RunEffects().
class FakeExecutor final : public Executor {
 public:
  void Submit(Runnable*) override {}
  bool IsDeferring() const override { return is_deferring; }
  void Defer(absl::AnyInvocable<void()> effect) override { effects.push_back(std::move(effect)); }
  void Flush() override {
    while (!effects.empty()) {
      absl::AnyInvocable<void()> effect = std::move(effects.front());
      effects.erase(effects.begin());
      effect();
    }
  }

  void RunEffects() {
    while (!effects.empty()) {
      absl::AnyInvocable<void()> effect = std::move(effects.front());
      effects.pop_front();
      effect();
    }
  }

  bool is_deferring = false;
  std::deque<absl::AnyInvocable<void()>> effects;
};

class FakeClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ns; }
  int64_t WallNs() const override { return now_ns; }
  int64_t CpuNs() const override { return 0; }
  void SetAlarm(int64_t, AlarmSink*) override {}
  int64_t now_ns = 1'000'000'000;
};

// Keeps every event.
class FakeObserver final : public Observer {
 public:
  struct Fact {
    EventKind kind;
    Handle service;
    int32_t session;
    uint64_t size, cause;
    std::string text, bytes;
  };
  static constexpr uint64_t kFirst = 1000;  // no mistake for another number

  uint64_t Record(const Event& event) override {
    facts.push_back({event.kind, event.service, event.session, event.size, event.cause,
                     std::string(event.text), std::string(event.bytes)});
    return kFirst + facts.size() - 1;
  }

  // The last fact of `kind`, and its index; there must be one.
  const Fact& Last(EventKind kind) const { return facts[LastIndex(kind) - kFirst]; }
  uint64_t LastIndex(EventKind kind) const {
    for (size_t i = facts.size(); i-- > 0;) {
      if (facts[i].kind == kind) return kFirst + i;
    }
    INFO("kind " << static_cast<int>(kind));
    FAIL("no event of this kind");
    return 0;
  }

  std::vector<Fact> facts;
};

// What owners were told, each event as "owner NAME id ud text"; DATA and UDP have the bytes as
// text, if they are few. Frees the buffers.
class FakeSink final : public SocketEventSink {
 public:
  explicit FakeSink(Memory& memory) : memory_(memory) {}

  void OnSocketEvent(Handle owner, SocketMessage message, absl::string_view text,
                     uint64_t cause) override {
    static constexpr const char* kNames[] = {"?",      "DATA",  "CONNECT", "CLOSE",
                                             "ACCEPT", "ERROR", "UDP",     "WARNING"};
    std::string content(text);
    if (message.buffer != nullptr) {
      content.assign(message.buffer, static_cast<size_t>(message.ud));
      if (message.type == static_cast<int>(SocketEvent::kUdp)) {
        last_udp_address.assign(message.buffer + message.ud, 7);
      }
      memory_.Free(message.buffer);
    }
    if (message.type == static_cast<int>(SocketEvent::kData)) {
      received[message.id].append(content);
      if (content.size() > 20) content = "...";
    }
    std::string suffix = content.empty() ? "" : absl::StrCat(" ", content);
    events.push_back(absl::StrCat(owner, " ", kNames[message.type], " ", message.id, " ",
                                  message.ud, suffix));
    last_cause = cause;
  }

  void OnSocketLog(Handle owner, absl::string_view text) override {
    logs.push_back(absl::StrCat(owner, " ", text));
  }

  // The events since the last call.
  std::vector<std::string> Take() { return std::exchange(events, {}); }

  std::vector<std::string> events;
  std::vector<std::string> logs;
  std::map<SocketId, std::string> received;
  std::string last_udp_address;
  uint64_t last_cause = 0;

 private:
  Memory& memory_;
};

}  // namespace skysim

#endif  // TESTS_ENGINE_CORE_SOCKET_FIXTURE_H_
