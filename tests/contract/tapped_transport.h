#ifndef TESTS_CONTRACT_TAPPED_TRANSPORT_H_
#define TESTS_CONTRACT_TAPPED_TRANSPORT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/platform/transport.h"
#include "tests/contract/transport_contract.h"

namespace skysim {

// TappedTransport stands between a socket server and the transport under it. It counts callbacks,
// so that a test can wait for their effect, and makes things happen that no peer can bring about: an
// accept that finds no descriptor, a connect that takes its time, readiness that the server learns
// of late.
class TappedTransport final : public Transport, private TransportSink {
 public:
  // Both borrowed.
  TappedTransport(ContractMonitor& monitor, Transport& below) : monitor_(monitor), below_(below) {}

  // The next `count` calls of Accept() take a connection, close it, and say that no descriptor was
  // left.
  void FailNextAccepts(int count) {
    absl::MutexLock lock(&monitor_.mutex);
    accepts_to_fail_ = count;
  }
  // From now on no readiness of the newest connection reaches the server, until Release().
  void HoldNewest() {
    absl::MutexLock lock(&monitor_.mutex);
    held_ = newest_;
  }
  // The next Connect() does not end, and nothing else happens to it, until Release().
  void HoldNextConnect() {
    absl::MutexLock lock(&monitor_.mutex);
    holds_next_ = true;
  }
  // What was readiness goes on when the server switches it on again.
  void Release() {
    EndpointId id = 0;
    std::optional<Address> peer;
    {
      absl::MutexLock lock(&monitor_.mutex);
      id = std::exchange(held_, 0);
      peer.swap(held_peer_);
    }
    if (peer.has_value()) sink_->OnConnected(id, *peer);
  }

  void SetSink(TransportSink* sink) override {
    sink_ = sink;
    below_.SetSink(this);
  }
  absl::StatusOr<Listening> Listen(const std::string& host, uint16_t port, int backlog) override {
    return below_.Listen(host, port, backlog);
  }
  absl::StatusOr<Accepted> Accept(EndpointId listener) override {
    absl::StatusOr<Accepted> accepted = below_.Accept(listener);
    if (!accepted.ok()) return accepted;
    absl::MutexLock lock(&monitor_.mutex);
    if (accepts_to_fail_ == 0) {
      newest_ = accepted->endpoint;
      return accepted;
    }
    --accepts_to_fail_;
    below_.Close(accepted->endpoint);
    return absl::ResourceExhaustedError("Too many open files");
  }
  EndpointId Connect(const std::string& host, uint16_t port) override {
    absl::MutexLock lock(&monitor_.mutex);  // nothing is told before `held_` is set
    newest_ = below_.Connect(host, port);
    if (std::exchange(holds_next_, false)) held_ = newest_;
    return newest_;
  }
  void SetReading(EndpointId id, bool on) override { below_.SetReading(id, on); }
  void SetWriting(EndpointId id, bool on) override { below_.SetWriting(id, on); }
  ReadResult Read(EndpointId id, char* buffer, size_t capacity) override {
    return below_.Read(id, buffer, capacity);
  }
  WriteResult Write(EndpointId id, absl::string_view bytes) override {
    return below_.Write(id, bytes);
  }
  void ShutdownRead(EndpointId id) override { below_.ShutdownRead(id); }
  void ShutdownWrite(EndpointId id) override { below_.ShutdownWrite(id); }
  void Close(EndpointId id) override { below_.Close(id); }
  void SetNoDelay(EndpointId id) override { below_.SetNoDelay(id); }
  Address LocalAddress(EndpointId id) const override { return below_.LocalAddress(id); }
  absl::StatusOr<EndpointId> OpenUdp(const std::string& host, uint16_t port) override {
    return below_.OpenUdp(host, port);
  }
  WriteResult SendTo(EndpointId id, const Address& to, absl::string_view bytes) override {
    return below_.SendTo(id, to, bytes);
  }
  absl::StatusOr<Datagram> ReceiveFrom(EndpointId id) override { return below_.ReceiveFrom(id); }
  absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host) override {
    return below_.ResolveHost(host);
  }
  std::string HostName() const override { return below_.HostName(); }
  absl::StatusOr<EndpointId> Adopt(int descriptor) override { return below_.Adopt(descriptor); }
  uint64_t CurrentCause() const override { return below_.CurrentCause(); }
  void SetCause(uint64_t cause) override { below_.SetCause(cause); }

 private:
  void OnConnected(EndpointId id, const Address& peer) override {
    if (!KeepConnected(id, peer)) sink_->OnConnected(id, peer);
    Count();
  }
  void OnConnectFailed(EndpointId id, absl::string_view error) override {
    sink_->OnConnectFailed(id, error);
    Count();
  }
  void OnAcceptable(EndpointId id) override {
    sink_->OnAcceptable(id);
    Count();
  }
  void OnReadable(EndpointId id) override {
    if (!IsHeld(id)) sink_->OnReadable(id);
    Count();
  }
  void OnWritable(EndpointId id) override {
    if (!IsHeld(id)) sink_->OnWritable(id);
    Count();
  }
  void OnBroken(EndpointId id, absl::string_view error) override {
    if (!IsHeld(id)) sink_->OnBroken(id, error);
    Count();
  }

  void Count() {
    absl::MutexLock lock(&monitor_.mutex);
    ++monitor_.callbacks;
  }
  bool KeepConnected(EndpointId id, const Address& peer) {
    absl::MutexLock lock(&monitor_.mutex);
    if (id != held_) return false;
    held_peer_ = peer;
    return true;
  }
  bool IsHeld(EndpointId id) {
    absl::MutexLock lock(&monitor_.mutex);
    return id == held_;
  }

  ContractMonitor& monitor_;
  Transport& below_;
  TransportSink* sink_ = nullptr;
  EndpointId newest_ ABSL_GUARDED_BY(monitor_.mutex) = 0;  // connected or accepted last
  EndpointId held_ ABSL_GUARDED_BY(monitor_.mutex) = 0;
  bool holds_next_ ABSL_GUARDED_BY(monitor_.mutex) = false;
  std::optional<Address> held_peer_ ABSL_GUARDED_BY(monitor_.mutex);  // of its end, if that came
  int accepts_to_fail_ ABSL_GUARDED_BY(monitor_.mutex) = 0;
};

}  // namespace skysim

#endif  // TESTS_CONTRACT_TAPPED_TRANSPORT_H_
