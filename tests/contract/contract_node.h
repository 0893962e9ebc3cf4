#ifndef TESTS_CONTRACT_CONTRACT_NODE_H_
#define TESTS_CONTRACT_CONTRACT_NODE_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/platform/transport.h"
#include "tests/contract/transport_contract.h"

namespace skysim {

using Events = std::vector<std::string>;

// The sink of one transport, and the test's way to call it. Reads and accepts whatever comes,
// unless told to leave an endpoint to the test, and writes down what it sees. Each operation takes
// the lock.
class ContractNode final : public TransportSink {
 public:
  struct Seen {
    Events events;         // "connected IP:PORT", "end", "error: X", "broken: X", "from IP:PORT: X"
    std::string bytes;     // of a stream, read
    std::string unsent;    // still to be written
    int readable = 0, writable = 0, acceptable = 0;  // callbacks
    bool is_by_hand = false;  // readiness is counted, and that is all
    bool is_udp = false;
  };

  ContractNode(ContractMonitor& monitor, Transport& transport)
      : monitor_(monitor), transport_(transport) {
    transport_.SetSink(this);
  }

  // -- Calls --------------------------------------------------------------------------------------

  // Calls the transport in some other way.
  template <typename Call>
  std::invoke_result_t<Call, Transport&> Do(Call call) {
    absl::MutexLock lock(&monitor_.mutex);
    return Calling(call);
  }

  Transport::Listening Listen(const std::string& host = "0.0.0.0", uint16_t port = 0,
                              bool accepts = true) {
    const absl::StatusOr<Transport::Listening> listening =
        Do([&](Transport& t) { return t.Listen(host, port, 32); });
    INFO(listening.status().message());
    REQUIRE(listening.ok());
    if (accepts) SetReading(listening->endpoint, true);
    return *listening;
  }
  absl::Status ListenError(const std::string& host, uint16_t port) {
    return Do([&](Transport& t) { return t.Listen(host, port, 32); }).status();
  }
  EndpointId Connect(const std::string& host, uint16_t port) {
    return Do([&](Transport& t) { return t.Connect(host, port); });
  }
  absl::StatusOr<Transport::Accepted> Accept(EndpointId listener) {
    return Do([&](Transport& t) { return t.Accept(listener); });
  }
  void SetReading(EndpointId id, bool on) {
    Do([&](Transport& t) { t.SetReading(id, on); });
  }
  void SetWriting(EndpointId id, bool on) {
    Do([&](Transport& t) { t.SetWriting(id, on); });
  }
  // As text: the bytes, "(end)", "(error: ...)" or "(nothing)".
  std::string Read(EndpointId id, size_t capacity) {
    std::string buffer(capacity, '\0');
    const ReadResult result =
        Do([&](Transport& t) { return t.Read(id, buffer.data(), buffer.size()); });
    if (result.is_end) return "(end)";
    if (!result.error.empty()) return absl::StrCat("(error: ", result.error, ")");
    return result.size == 0 ? "(nothing)" : buffer.substr(0, result.size);
  }
  WriteResult Write(EndpointId id, absl::string_view bytes) {
    return Do([&](Transport& t) { return t.Write(id, bytes); });
  }
  // Writes what fits now and the rest as room appears.
  void Send(EndpointId id, absl::string_view bytes) {
    absl::MutexLock lock(&monitor_.mutex);
    absl::StrAppend(&seen_[id].unsent, bytes);
    Flush(id);
  }
  void Close(EndpointId id) {
    Do([&](Transport& t) { t.Close(id); });
  }
  Address LocalAddress(EndpointId id) {
    return Do([&](Transport& t) { return t.LocalAddress(id); });
  }
  EndpointId OpenUdp(const std::string& host, uint16_t port = 0) {
    const absl::StatusOr<EndpointId> id =
        Do([&](Transport& t) { return t.OpenUdp(host, port); });
    INFO(id.status().message());
    REQUIRE(id.ok());
    absl::MutexLock lock(&monitor_.mutex);
    seen_[*id].is_udp = true;
    return *id;
  }
  WriteResult SendTo(EndpointId id, const Address& to, absl::string_view bytes) {
    return Do([&](Transport& t) { return t.SendTo(id, to, bytes); });
  }

  // From now on the test itself reads, accepts or writes there.
  void TakeInHand(EndpointId id) {
    absl::MutexLock lock(&monitor_.mutex);
    seen_[id].is_by_hand = true;
  }
  void LetGo(EndpointId id) {
    absl::MutexLock lock(&monitor_.mutex);
    seen_[id].is_by_hand = false;
  }
  // Whether accepted connections are read (the usual) or left alone.
  void StartAccepted(bool on) {
    absl::MutexLock lock(&monitor_.mutex);
    starts_accepted_ = on;
  }
  // Runs `action` within the next OnReadable(), in the transport's own thread: no other callback is
  // on its way then.
  void InNextCallback(std::function<void(Transport&)> action) {
    absl::MutexLock lock(&monitor_.mutex);
    action_ = std::move(action);
  }

  // -- What was seen ------------------------------------------------------------------------------

  Seen Of(EndpointId id) {
    absl::MutexLock lock(&monitor_.mutex);
    return seen_[id];
  }
  // How many bytes of a stream were read.
  size_t Received(EndpointId id) {
    absl::MutexLock lock(&monitor_.mutex);
    return seen_[id].bytes.size();
  }
  // In order of accepting.
  std::vector<Transport::Accepted> Accepted() {
    absl::MutexLock lock(&monitor_.mutex);
    return accepted_;
  }
  bool WasCalledInside() const { return was_called_inside_; }

  // -- TransportSink ------------------------------------------------------------------------------

  void OnConnected(EndpointId id, const Address& peer) override {
    Hear([&] { Note(id, absl::StrCat("connected ", peer.ToString())); });
  }
  void OnConnectFailed(EndpointId id, absl::string_view error) override {
    Hear([&] { Note(id, absl::StrCat("failed: ", error)); });
  }
  void OnAcceptable(EndpointId listener) override {
    Hear([&] {
      ++seen_[listener].acceptable;
      if (!seen_[listener].is_by_hand) AcceptOne(listener);
    });
  }
  void OnReadable(EndpointId id) override {
    Hear([&] {
      if (action_) Calling(std::exchange(action_, nullptr));
      Seen& seen = seen_[id];
      ++seen.readable;
      if (seen.is_by_hand) return;
      if (seen.is_udp) return ReceiveAll(id);
      while (ReadOnce(id)) {
      }
    });
  }
  void OnWritable(EndpointId id) override {
    Hear([&] {
      ++seen_[id].writable;
      if (!seen_[id].is_by_hand) Flush(id);
    });
  }
  void OnBroken(EndpointId id, absl::string_view error) override {
    Hear([&] { Note(id, absl::StrCat("broken: ", error)); });
  }

 private:
  // Takes the lock and runs a callback's work; a callback from within a call is only remembered.
  template <typename Work>
  void Hear(Work work) {
    if (calling_ == std::this_thread::get_id()) {
      was_called_inside_ = true;
      return;
    }
    absl::MutexLock lock(&monitor_.mutex);
    ++monitor_.callbacks;
    work();
  }

  // Calls the transport, with the lock held.
  template <typename Call>
  std::invoke_result_t<Call, Transport&> Calling(Call call) {
    struct Mark {
      explicit Mark(std::atomic<std::thread::id>& calling) : calling(calling) {
        calling = std::this_thread::get_id();
      }
      ~Mark() { calling = std::thread::id(); }
      std::atomic<std::thread::id>& calling;
    } mark(calling_);
    return call(transport_);
  }

  void Note(EndpointId id, std::string event) { seen_[id].events.push_back(std::move(event)); }

  void AcceptOne(EndpointId listener) {
    const auto accepted = Calling([&](Transport& t) { return t.Accept(listener); });
    if (absl::IsNotFound(accepted.status())) return;  // it went away again
    if (!accepted.ok()) return Note(listener, std::string(accepted.status().message()));
    accepted_.push_back(*accepted);
    if (starts_accepted_) Calling([&](Transport& t) { t.SetReading(accepted->endpoint, true); });
  }

  bool ReadOnce(EndpointId id) {
    std::string buffer(4096, '\0');
    const ReadResult result =
        Calling([&](Transport& t) { return t.Read(id, buffer.data(), buffer.size()); });
    seen_[id].bytes.append(buffer, 0, result.size);
    if (!result.error.empty()) Note(id, absl::StrCat("error: ", result.error));
    if (result.is_end) {
      Note(id, "end");
      Calling([&](Transport& t) { t.SetReading(id, false); });
    }
    return result.size != 0;
  }

  void ReceiveAll(EndpointId id) {
    while (true) {
      const auto datagram = Calling([&](Transport& t) { return t.ReceiveFrom(id); });
      if (absl::IsNotFound(datagram.status())) return;
      if (!datagram.ok()) return Note(id, std::string(datagram.status().message()));
      Note(id, absl::StrCat("from ", datagram->from.ToString(), ": ", datagram->bytes));
    }
  }

  void Flush(EndpointId id) {
    std::string& unsent = seen_[id].unsent;
    while (!unsent.empty()) {
      const WriteResult result = Calling([&](Transport& t) { return t.Write(id, unsent); });
      if (!result.error.empty()) {
        Note(id, absl::StrCat("write error: ", result.error));
        unsent.clear();
      }
      if (result.size == 0) break;
      unsent.erase(0, result.size);
    }
    const bool is_waiting = !unsent.empty();
    Calling([&](Transport& t) { t.SetWriting(id, is_waiting); });
  }

  ContractMonitor& monitor_;
  Transport& transport_;
  std::atomic<std::thread::id> calling_{};
  std::atomic<bool> was_called_inside_{false};
  // All below under monitor_.mutex.
  std::map<EndpointId, Seen> seen_;
  std::vector<Transport::Accepted> accepted_;
  bool starts_accepted_ = true;
  std::function<void(Transport&)> action_;
};

// Both nodes of a world, with a connection between them that only Settle() uses.
class ContractNet final {
 public:
  explicit ContractNet(const MakeTransportWorld& make)
      : world(make()), node0(monitor_, world->transport(0)), node1(monitor_, world->transport(1)) {
    world->Begin();
    const Transport::Listening listening = node1.Listen(world->ip(1));
    fence0_ = node0.Connect(world->ip(1), listening.address.port);
    REQUIRE(WaitUntil([&] {
      return node1.Accepted().size() == 1 && !node0.Of(fence0_).events.empty();
    }));
    fence1_ = node1.Accepted()[0].endpoint;
    node1.Close(listening.endpoint);
  }
  ~ContractNet() { world.reset(); }  // it calls the nodes until then
  ContractNet(const ContractNet&) = delete;
  ContractNet& operator=(const ContractNet&) = delete;

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

  // Long enough for what was under way to have happened and to have been told: time passes, and
  // bytes go to and fro three times. A real world is not waited for any longer, so a claim that
  // nothing happens may miss something there that comes late; it never fails without reason.
  void Settle() {
    world->PassTime();
    for (int i = 0; i < 3; ++i) {
      Carry(node0, fence0_, node1, fence1_);
      Carry(node1, fence1_, node0, fence0_);
    }
  }

  // Runs `action` in the thread of node 0's transport.
  void InCallbackOf0(std::function<void(Transport&)> action) {
    node0.InNextCallback(std::move(action));
    Carry(node1, fence1_, node0, fence0_);
  }

  // A connection from node 0 to node 1; both ends. `starts` says whether node 1 reads.
  std::pair<EndpointId, EndpointId> Link(bool starts = true) {
    node1.StartAccepted(starts);
    const Transport::Listening listening = node1.Listen(world->ip(1));
    const size_t before = node1.Accepted().size();
    const EndpointId client = node0.Connect(world->ip(1), listening.address.port);
    REQUIRE(WaitUntil([&] {
      return node1.Accepted().size() == before + 1 && node0.Of(client).events.size() == 1;
    }));
    node1.Close(listening.endpoint);
    return {client, node1.Accepted().back().endpoint};
  }

  // Node 1 closes its end, which node 0 wrote to and node 1 has not read: node 0 gets an RST.
  void Reset(EndpointId client, EndpointId server) {
    node1.TakeInHand(server);
    node1.SetReading(server, true);
    REQUIRE(node0.Write(client, "unread").size == 6);
    REQUIRE(WaitUntil([&] { return node1.Of(server).readable > 0; }));
    node1.Close(server);
  }

 private:
  ContractMonitor monitor_;

 public:
  std::unique_ptr<TransportWorld> world;
  ContractNode node0, node1;

 private:
  void Carry(ContractNode& from, EndpointId writer, ContractNode& to, EndpointId reader) {
    const size_t before = to.Received(reader);
    REQUIRE(from.Write(writer, ".").size == 1);
    REQUIRE(WaitUntil([&] { return to.Received(reader) > before; }));
  }

  EndpointId fence0_ = 0, fence1_ = 0;
};

}  // namespace skysim

#endif  // TESTS_CONTRACT_CONTRACT_NODE_H_
