#ifndef TESTS_ENGINE_CORE_FAKE_TRANSPORT_H_
#define TESTS_ENGINE_CORE_FAKE_TRANSPORT_H_

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "engine/platform/transport.h"

namespace skysim {

// FakeTransport is a transport whose peers are the test: it says which bytes arrive, how many go
// out, and when a connection ends or breaks. Poll() then reports readiness, level triggered, in the
// order of endpoints. After an error a stream reads as ended, as with POSIX.
class FakeTransport final : public Transport {
 public:
  // Everything that a test may look at or set.
  struct Endpoint {
    Address local, peer;
    bool is_connecting = false, is_udp = false;
    bool reading = false, writing = false, no_delay = false;
    bool read_is_shut = false, write_is_shut = false, is_closed = false;
    std::string incoming;    // not read yet
    bool has_ended = false;  // behind `incoming`
    std::string read_error;  // behind `incoming`; reported once
    std::string outgoing;    // what was written
    size_t room = std::numeric_limits<size_t>::max();  // bytes that still go out
    std::string write_error;
    std::string broken_error;
    bool is_broken = false;
    std::deque<Address> waiting;     // a listener's
    std::string accept_error;        // of the next Accept()
    std::deque<Datagram> datagrams;  // not received yet
    std::vector<Datagram> sent;      // `from` is where to
    std::vector<size_t> reads;       // capacities offered
  };

  std::map<EndpointId, Endpoint> endpoints;
  std::vector<std::string> hosts = {"10.0.0.9"};  // what a name resolves to
  std::string listen_error;                       // of Listen() and OpenUdp()
  int last_backlog = 0;
  bool has_descriptors = false;
  uint64_t cause = 0;        // of the callbacks
  uint64_t write_cause = 0;  // told by the server

  Endpoint& operator[](EndpointId endpoint) { return endpoints.at(endpoint); }
  EndpointId last() const { return endpoints.rbegin()->first; }

  // -- What happens in the world ------------------------------------------------------------------

  void FinishConnect(EndpointId endpoint, const std::string& ip = "10.0.0.2") {
    Endpoint& e = (*this)[endpoint];
    e.is_connecting = false;
    e.reading = true;
    e.peer.host = ip;
    sink_->OnConnected(endpoint, e.peer);
  }

  void FailConnect(EndpointId endpoint, absl::string_view error) {
    endpoints.erase(endpoint);
    sink_->OnConnectFailed(endpoint, error);
  }

  void Arrive(EndpointId endpoint, absl::string_view bytes) {
    (*this)[endpoint].incoming.append(bytes.data(), bytes.size());
  }

  void Break(EndpointId endpoint, absl::string_view error) {
    (*this)[endpoint].is_broken = true;
    (*this)[endpoint].broken_error = std::string(error);
  }

  // Reports readiness until nothing changes any more.
  void Poll() {
    while (PollOnce()) {
    }
  }

  // One round over the endpoints; false: none was ready.
  bool PollOnce() {
    bool is_changed = false;
    std::vector<EndpointId> ids;
    for (const auto& [id, e] : endpoints) ids.push_back(id);
    for (EndpointId id : ids) {
      Endpoint& e = (*this)[id];
      if (IsReadable(e)) {
        is_changed = true;
        if (e.waiting.empty()) {
          sink_->OnReadable(id);
        } else {
          sink_->OnAcceptable(id);
        }
      }
      if (IsOpen(e) && e.writing && (e.room > 0 || !e.write_error.empty())) {
        is_changed = true;
        sink_->OnWritable(id);
      }
      if (IsOpen(e) && e.is_broken && !e.reading && (!e.writing || e.has_ended)) {
        is_changed = true;
        sink_->OnBroken(id, e.broken_error);
      }
    }
    return is_changed;
  }

  // -- Transport ----------------------------------------------------------------------------------

  void SetSink(TransportSink* sink) override { sink_ = sink; }

  absl::StatusOr<Listening> Listen(const std::string& host, uint16_t port, int backlog) override {
    if (!listen_error.empty()) return absl::AlreadyExistsError(listen_error);
    last_backlog = backlog;
    EndpointId id = Add();
    (*this)[id].local = Address{host, port == 0 ? uint16_t{40000} : port};
    return Listening{id, (*this)[id].local};
  }

  absl::StatusOr<Accepted> Accept(EndpointId listener) override {
    Endpoint& l = (*this)[listener];
    if (l.waiting.empty()) return absl::NotFoundError("none waits");
    Address peer = l.waiting.front();
    l.waiting.pop_front();
    if (!l.accept_error.empty()) {
      return absl::ResourceExhaustedError(std::exchange(l.accept_error, ""));
    }
    EndpointId id = Add();
    (*this)[id].peer = peer;
    return Accepted{id, peer};
  }

  EndpointId Connect(const std::string& host, uint16_t port) override {
    EndpointId id = Add();
    (*this)[id].is_connecting = true;
    (*this)[id].peer = Address{host, port};
    return id;
  }

  void SetReading(EndpointId endpoint, bool on) override { Open(endpoint).reading = on; }
  void SetWriting(EndpointId endpoint, bool on) override { Open(endpoint).writing = on; }

  ReadResult Read(EndpointId endpoint, char* buffer, size_t capacity) override {
    Endpoint& e = Open(endpoint);
    e.reads.push_back(capacity);
    ReadResult result;
    result.size = std::min(capacity, e.incoming.size());
    if (result.size > 0) {
      std::memcpy(buffer, e.incoming.data(), result.size);
      e.incoming.erase(0, result.size);
    } else if (!e.read_error.empty()) {
      result.error = std::exchange(e.read_error, "");
      e.has_ended = true;
    } else {
      result.is_end = e.has_ended;
    }
    return result;
  }

  WriteResult Write(EndpointId endpoint, absl::string_view bytes) override {
    Endpoint& e = Open(endpoint);
    REQUIRE_FALSE(e.is_connecting);  // the server must wait
    WriteResult result;
    if (!e.write_error.empty()) {
      result.error = e.write_error;
      return result;
    }
    result.size = std::min(bytes.size(), e.room);
    e.room -= result.size;
    e.outgoing.append(bytes.data(), result.size);
    return result;
  }

  void ShutdownRead(EndpointId endpoint) override { Open(endpoint).read_is_shut = true; }
  void ShutdownWrite(EndpointId endpoint) override { Open(endpoint).write_is_shut = true; }
  void Close(EndpointId endpoint) override { Open(endpoint).is_closed = true; }
  void SetNoDelay(EndpointId endpoint) override { Open(endpoint).no_delay = true; }
  Address LocalAddress(EndpointId endpoint) const override { return endpoints.at(endpoint).local; }

  absl::StatusOr<EndpointId> OpenUdp(const std::string& host, uint16_t port) override {
    if (!listen_error.empty()) return absl::AlreadyExistsError(listen_error);
    EndpointId id = Add();
    (*this)[id].is_udp = true;
    (*this)[id].local = Address{host, port};
    return id;
  }

  WriteResult SendTo(EndpointId endpoint, const Address& to, absl::string_view bytes) override {
    Endpoint& e = Open(endpoint);
    WriteResult result;
    result.error = e.write_error;
    if (!result.error.empty() || e.room < bytes.size()) return result;
    e.room -= bytes.size();
    result.size = bytes.size();
    e.sent.push_back({to, std::string(bytes)});
    return result;
  }

  absl::StatusOr<Datagram> ReceiveFrom(EndpointId endpoint) override {
    Endpoint& e = Open(endpoint);
    if (!e.read_error.empty()) return absl::UnavailableError(std::exchange(e.read_error, ""));
    if (e.datagrams.empty()) return absl::NotFoundError("nothing there");
    Datagram datagram = e.datagrams.front();
    e.datagrams.pop_front();
    return datagram;
  }

  absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host) override {
    if (host.find_first_not_of("0123456789.:") == std::string::npos) {
      return std::vector<std::string>{host};
    }
    if (hosts.empty()) return absl::NotFoundError("Name or service not known");
    return hosts;
  }

  std::string HostName() const override { return "fake"; }

  absl::StatusOr<EndpointId> Adopt(int descriptor) override {
    if (!has_descriptors) return Transport::Adopt(descriptor);
    return Add();
  }

  uint64_t CurrentCause() const override { return cause; }
  void SetCause(uint64_t cause) override { write_cause = cause; }

 private:
  EndpointId Add() {
    endpoints[++last_id_];
    return last_id_;
  }

  // The server must not touch what it closed.
  Endpoint& Open(EndpointId endpoint) {
    Endpoint& e = (*this)[endpoint];
    REQUIRE_FALSE(e.is_closed);
    return e;
  }

  static bool IsOpen(const Endpoint& e) { return !e.is_closed && !e.is_connecting; }

  static bool IsReadable(const Endpoint& e) {
    return IsOpen(e) && e.reading &&
           (!e.incoming.empty() || e.has_ended || !e.read_error.empty() || !e.datagrams.empty() ||
            !e.waiting.empty());
  }

  TransportSink* sink_ = nullptr;
  EndpointId last_id_ = 0;
};

}  // namespace skysim

#endif  // TESTS_ENGINE_CORE_FAKE_TRANSPORT_H_
