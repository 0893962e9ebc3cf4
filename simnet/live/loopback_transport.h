#ifndef SIMNET_LIVE_LOOPBACK_TRANSPORT_H_
#define SIMNET_LIVE_LOOPBACK_TRANSPORT_H_

#include <map>
#include <string>
#include <vector>

#include "engine/platform/transport.h"

namespace skysim {

// The addresses of a scenario's nodes, laid over the machine's loopback network: each node has one
// address of 127.0.0.0/8, so that two nodes may listen on the same port, as on two machines. Filled
// before any node runs; then any thread may read it.
class LoopbackMap final {
 public:
  // `run` chooses the 127.x.y.0/24 in which the addresses lie; kRuns and more begin anew. Another
  // run on this machine must not have the same.
  explicit LoopbackMap(uint32_t run) : run_(run) {}
  static constexpr uint32_t kRuns = 254 * 254;

  // An address that no node gets: whoever listens on its port kClaimPort has claimed the run.
  std::string ClaimAddress() const;
  static constexpr uint16_t kClaimPort = 1024;

  // `ip`: the literal of the scenario. At most 250 nodes. Errors: ResourceExhausted.
  absl::Status Add(const std::string& name, const std::string& ip);

  // The loopback address of a node, by its name or its ip. Null: no such node.
  const std::string* Find(const std::string& host) const;
  // The scenario's ip of a loopback address, or the address itself if it is nobody's.
  std::string IpOf(const std::string& loopback) const;

 private:
  uint32_t run_;
  std::map<std::string, std::string> loopback_by_host_;  // name and ip -> 127.x.y.z
  std::map<std::string, std::string> ip_by_loopback_;
};

// LoopbackTransport stands between one node of a scenario and real sockets and translates addresses
// both ways: the node sees those that the scenario declares. "0.0.0.0", "127.0.0.1" and "localhost"
// are the node itself. A host that the scenario does not know cannot be reached, so that no run
// touches a real network. IPv6 is left out: "::" listens as "0.0.0.0" does.
//
// Connections must come from the node's own address (EpollTransport::Options::connect_from), or the
// peer sees a stranger. Threads as Transport.
class LoopbackTransport final : public Transport, private TransportSink {
 public:
  // All borrowed. `name`: the node, which `map` knows.
  LoopbackTransport(Transport& sockets, const LoopbackMap& map, std::string name);

  void SetSink(TransportSink* sink) override;
  absl::StatusOr<Listening> Listen(const std::string& host, uint16_t port, int backlog) override;
  absl::StatusOr<Accepted> Accept(EndpointId listener) override;
  EndpointId Connect(const std::string& host, uint16_t port) override;
  void SetReading(EndpointId endpoint, bool on) override { sockets_.SetReading(endpoint, on); }
  void SetWriting(EndpointId endpoint, bool on) override { sockets_.SetWriting(endpoint, on); }
  ReadResult Read(EndpointId endpoint, char* buffer, size_t capacity) override {
    return sockets_.Read(endpoint, buffer, capacity);
  }
  WriteResult Write(EndpointId endpoint, absl::string_view bytes) override {
    return sockets_.Write(endpoint, bytes);
  }
  void ShutdownRead(EndpointId endpoint) override { sockets_.ShutdownRead(endpoint); }
  void ShutdownWrite(EndpointId endpoint) override { sockets_.ShutdownWrite(endpoint); }
  void Close(EndpointId endpoint) override { sockets_.Close(endpoint); }
  void SetNoDelay(EndpointId endpoint) override { sockets_.SetNoDelay(endpoint); }
  Address LocalAddress(EndpointId endpoint) const override;
  absl::StatusOr<EndpointId> OpenUdp(const std::string& host, uint16_t port) override;
  WriteResult SendTo(EndpointId endpoint, const Address& to, absl::string_view bytes) override;
  absl::StatusOr<Datagram> ReceiveFrom(EndpointId endpoint) override;
  absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host) override;
  std::string HostName() const override { return name_; }
  absl::StatusOr<EndpointId> Adopt(int descriptor) override { return sockets_.Adopt(descriptor); }

 private:
  void OnConnected(EndpointId endpoint, const Address& peer) override;
  void OnConnectFailed(EndpointId endpoint, absl::string_view error) override;
  void OnAcceptable(EndpointId listener) override { sink_->OnAcceptable(listener); }
  void OnReadable(EndpointId endpoint) override { sink_->OnReadable(endpoint); }
  void OnWritable(EndpointId endpoint) override { sink_->OnWritable(endpoint); }
  void OnBroken(EndpointId endpoint, absl::string_view error) override;

  bool IsOwn(absl::string_view host) const;
  // The loopback address that stands for `host`.
  std::string Inward(const std::string& host) const;
  Address Outward(const Address& address) const;

  Transport& sockets_;
  const LoopbackMap& map_;
  const std::string name_;
  TransportSink* sink_ = nullptr;
};

}  // namespace skysim

#endif  // SIMNET_LIVE_LOOPBACK_TRANSPORT_H_
