#ifndef TESTS_CONTRACT_SOCKET_NET_H_
#define TESTS_CONTRACT_SOCKET_NET_H_

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/core/socket_server.h"
#include "tests/contract/contract_node.h"
#include "tests/contract/tapped_transport.h"
#include "tests/contract/transport_contract.h"
#include "tests/engine/core/socket_fixture.h"

namespace skysim {

constexpr Handle kOwner = 7;   // of every socket that a test opens
constexpr Handle kOther = 8;   // another service
constexpr size_t kMiB = 1u << 20;

// What services were told, by socket. An event reads "OWNER NAME UD TEXT"; data that comes in
// several pieces is one "OWNER DATA", as where it is cut means nothing.
class SocketOwners final : public SocketEventSink {
 public:
  explicit SocketOwners(Memory& memory) : memory_(memory) {}

  // The events of one socket since the last call.
  Events Take(SocketId id) {
    absl::MutexLock lock(&mutex_);
    return std::exchange(events_[id], {});
  }
  size_t Count(SocketId id) {
    absl::MutexLock lock(&mutex_);
    return events_[id].size();
  }
  // What was read, from the beginning.
  std::string Bytes(SocketId id) {
    absl::MutexLock lock(&mutex_);
    return bytes_[id];
  }
  // In order of accepting.
  std::vector<SocketId> Accepted() {
    absl::MutexLock lock(&mutex_);
    return accepted_;
  }
  // Of the last datagram.
  std::string UdpAddress() {
    absl::MutexLock lock(&mutex_);
    return udp_address_;
  }
  Events Logs() {
    absl::MutexLock lock(&mutex_);
    return logs_;
  }
  // Whether an event of data ever had another size than its bytes, or none.
  bool SawEmptyData() {
    absl::MutexLock lock(&mutex_);
    return saw_empty_data_;
  }

  void OnSocketEvent(Handle owner, SocketMessage message, absl::string_view text,
                     uint64_t) override {
    absl::MutexLock lock(&mutex_);
    const auto event = static_cast<SocketEvent>(message.type);
    std::string line = absl::StrCat(owner, " ", NameOf(event));
    if (event == SocketEvent::kData) {
      if (message.ud <= 0) saw_empty_data_ = true;
      bytes_[message.id].append(message.buffer, static_cast<size_t>(message.ud));
    } else {
      absl::StrAppend(&line, " ", message.ud, text.empty() ? "" : " ", text);
    }
    if (event == SocketEvent::kAccept) accepted_.push_back(message.ud);
    if (event == SocketEvent::kUdp) {
      const absl::string_view bytes(message.buffer, static_cast<size_t>(message.ud));
      absl::StrAppend(&line, " ", bytes);
      udp_address_.assign(message.buffer + message.ud, message.buffer[message.ud] == 1 ? 7 : 19);
    }
    memory_.Free(message.buffer);
    Events& events = events_[message.id];
    if (event == SocketEvent::kData && !events.empty() && events.back() == line) return;
    events.push_back(std::move(line));
  }
  void OnSocketLog(Handle owner, absl::string_view text) override {
    absl::MutexLock lock(&mutex_);
    logs_.push_back(absl::StrCat(owner, " ", text));
  }

 private:
  static const char* NameOf(SocketEvent event) {
    static constexpr const char* kNames[] = {"?",      "DATA",  "CONNECT", "CLOSE",
                                             "ACCEPT", "ERROR", "UDP",     "WARNING"};
    return kNames[static_cast<int>(event)];
  }

  Memory& memory_;
  absl::Mutex mutex_;
  std::map<SocketId, Events> events_;
  std::map<SocketId, std::string> bytes_;
  std::vector<SocketId> accepted_;
  std::string udp_address_;
  Events logs_;
  bool saw_empty_data_ = false;
};

// A socket server on node 1 of a world, and on node 0 a bare transport as its peer, which does
// exactly what the test says. A connection between them is there from the beginning, which only
// Settle() uses: the server's ids begin with it.
class SocketNet final {
 public:
  explicit SocketNet(const MakeTransportWorld& make, SocketServer::Options options = {})
      : world(make()),
        peer(monitor_, world->transport(0)),
        tap(monitor_, world->transport(1)),
        server(tap, executor, memory, observer_, clock_, owners, options) {
    world->Begin();
    std::tie(fence_, peer_fence_) = Link();
  }
  ~SocketNet() { world.reset(); }  // it calls the others until then
  SocketNet(const SocketNet&) = delete;
  SocketNet& operator=(const SocketNet&) = delete;

  // True as soon as `condition` holds; it is asked after every callback.
  bool WaitUntil(const std::function<bool()>& condition) {
    while (true) {
      int64_t callbacks;
      {
        absl::MutexLock lock(&monitor_.mutex);
        callbacks = monitor_.callbacks;
      }
      if (condition()) return true;
      if (!world->Step(monitor_, callbacks)) return false;
    }
  }
  // The events of `id`, once they are `count` or more.
  Events Await(SocketId id, size_t count) {
    WaitUntil([&] { return owners.Count(id) >= count; });
    return owners.Take(id);
  }
  // The far end has read `bytes`, and nothing else.
  bool PeerGets(EndpointId at, const std::string& bytes) {
    return WaitUntil([&] { return peer.Received(at) >= bytes.size(); }) &&
           peer.Of(at).bytes == bytes;
  }
  bool Gets(SocketId id, const std::string& bytes) {
    return WaitUntil([&] { return owners.Bytes(id).size() >= bytes.size(); }) &&
           owners.Bytes(id) == bytes;
  }
  // Long enough for what was under way to have happened and to have been told; see
  // ContractNet::Settle().
  void Settle() {
    world->PassTime();
    for (int i = 0; i < 3; ++i) {
      const size_t there = peer.Received(peer_fence_) + 1;
      REQUIRE(Send(fence_, "."));
      REQUIRE(WaitUntil([&] { return peer.Received(peer_fence_) == there; }));
      const size_t back = owners.Bytes(fence_).size() + 1;
      peer.Send(peer_fence_, ".");
      REQUIRE(WaitUntil([&] { return owners.Bytes(fence_).size() == back; }));
    }
  }

  // -- Sockets, with the events on the way forgotten ----------------------------------------------

  // A connection from the server to the peer; both ends.
  std::pair<SocketId, EndpointId> Link() {
    const Transport::Listening listening = peer.Listen(world->ip(0));
    const size_t before = peer.Accepted().size();
    const SocketId id = server.Connect(kOwner, world->ip(0), listening.address.port);
    REQUIRE(WaitUntil([&] {
      return peer.Accepted().size() == before + 1 && owners.Count(id) == 1;
    }));
    owners.Take(id);
    peer.Close(listening.endpoint);
    return {id, peer.Accepted().back().endpoint};
  }
  // A listener of the server, started, and its port.
  std::pair<SocketId, uint16_t> Listen() {
    const absl::StatusOr<SocketId> id = server.Listen(kOwner, world->ip(1), 0, 32);
    REQUIRE(id.ok());
    const Events events = owners.Take(*id);
    REQUIRE(events.size() == 1);
    server.Start(kOwner, *id);
    owners.Take(*id);
    return {*id, static_cast<uint16_t>(std::stoi(events[0].substr(strlen("7 CONNECT "))))};
  }
  // A connection that the server has accepted and not started; both ends.
  std::pair<SocketId, EndpointId> Accept() {
    const auto [listener, port] = Listen();
    const size_t before = owners.Accepted().size();
    const EndpointId client = peer.Connect(world->ip(1), port);
    REQUIRE(WaitUntil([&] {
      return owners.Accepted().size() == before + 1 && peer.Of(client).events.size() == 1;
    }));
    server.Close(listener);
    return {owners.Accepted().back(), client};
  }
  // A connection that takes nothing more, with bytes queued.
  struct Stuck {
    SocketId id;
    EndpointId far;
    std::string sent;  // so far
  };
  Stuck LinkStuck() {
    const auto [id, far] = Link();
    return Stick(id, far);
  }
  // The same with a connection that is there already, and whose queues are empty.
  Stuck Stick(SocketId id, EndpointId far) {
    peer.TakeInHand(far);
    peer.SetReading(far, false);
    Stuck stuck{id, far, ""};
    const std::string part = Pattern(64 << 10);
    for (size_t queued = 0, before = 1; queued == 0 || queued != before;) {
      before = queued;
      REQUIRE(stuck.sent.size() < kMoreThanBuffers);
      if (queued == 0) {
        REQUIRE(Send(id, part));
        stuck.sent += part;
      } else {
        Settle();  // the kernel may have found room in the meantime
      }
      queued = Info(id)->queued_bytes;
    }
    REQUIRE(owners.Take(id).empty());  // one part is too little for a warning
    return stuck;
  }
  // The peer reads again, all of it.
  void Unstick(const Stuck& stuck) {
    peer.LetGo(stuck.far);
    peer.SetReading(stuck.far, true);
  }
  // The peer's end of a connection goes away with a byte unread: an RST.
  void Reset(SocketId id, EndpointId far) {
    peer.TakeInHand(far);
    peer.SetReading(far, true);
    REQUIRE(Send(id, "unread"));
    REQUIRE(WaitUntil([&] { return peer.Of(far).readable > 0; }));
    peer.Close(far);
  }
  // A connection whose last write has failed, while the server knows of no other break.
  SocketId LinkWriteFailed() {
    const auto [id, far] = Link();
    tap.HoldNewest();
    Reset(id, far);
    REQUIRE(WaitUntil([&, id = id] { return Send(id, "x") && owners.Count(id) > 0; }));
    return id;
  }

  // -- Short for calls ----------------------------------------------------------------------------

  Payload Bytes(absl::string_view text) { return Payload::Copy(memory, text); }
  bool Send(SocketId id, absl::string_view text) { return server.Send(id, Bytes(text)); }
  bool SendLow(SocketId id, absl::string_view text) { return server.SendLow(id, Bytes(text)); }
  std::optional<SocketInfo> Info(SocketId id) {
    for (SocketInfo& info : server.Info()) {
      if (info.id == id) return std::move(info);
    }
    return std::nullopt;
  }
  bool IsGone(SocketId id) { return !Info(id).has_value(); }

  // Bytes that do not repeat soon, so that a swap or a hole shows. Numbered blocks of digits: a
  // pattern is long, and some builds are slow.
  static std::string Pattern(size_t size) {
    std::string digits;
    for (uint32_t i = 0; digits.size() < 16'000; ++i) absl::StrAppend(&digits, i, ",");
    std::string bytes;
    for (uint32_t i = 0; bytes.size() < size; ++i) absl::StrAppend(&bytes, "<", i, ">", digits);
    bytes.resize(size);
    return bytes;
  }
  // More than the buffers of any kernel on the way hold.
  static constexpr size_t kMoreThanBuffers = 24 * kMiB;

 private:
  class Forgetful final : public Observer {
   public:
    uint64_t Record(const Event&) override { return 0; }
  };

  ContractMonitor monitor_;
  FakeClock clock_;
  Forgetful observer_;

 public:
  CountingMemory memory;
  FakeExecutor executor;
  SocketOwners owners{memory};
  std::unique_ptr<TransportWorld> world;
  ContractNode peer;
  TappedTransport tap;
  SocketServer server;

 private:
  SocketId fence_ = 0;
  EndpointId peer_fence_ = 0;
};

}  // namespace skysim

#endif  // TESTS_CONTRACT_SOCKET_NET_H_
