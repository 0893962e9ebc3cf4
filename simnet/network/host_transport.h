#ifndef SIMNET_NETWORK_HOST_TRANSPORT_H_
#define SIMNET_NETWORK_HOST_TRANSPORT_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/platform/transport.h"
#include "simnet/network/connection.h"
#include "simnet/network/fabric.h"
#include "simnet/network/host.h"
#include "simnet/network/network.h"

namespace skysim {

// HostTransport is the socket calls of one host during one life of its node: a table of endpoints,
// their readiness, ports and names. It holds no bytes of streams; connections do. Callbacks to the
// sink come only from events, never from within a call of the node. One thread.
class HostTransport final : public SimulatedTransport {
 public:
  struct Listener {
    EndpointId endpoint;
    Address address;         // as bound; "0.0.0.0" or "::" stand for all
    size_t backlog;
    size_t half_open = 0;    // connections that will come into the queue
    struct Waiting {
      Connection* connection;
      int64_t ready_ns;  // when the process gets round to it
    };
    std::deque<Waiting> queue;

    // Linux: a queue takes one more than the backlog says (sk_acceptq_is_full).
    bool IsFull() const { return queue.size() + half_open > backlog; }
  };

  HostTransport(Fabric& fabric, Host& host);
  ~HostTransport() override;

  void SetSink(TransportSink* sink) override { sink_ = sink; }
  absl::StatusOr<Listening> Listen(const std::string& host, uint16_t port, int backlog) override;
  absl::StatusOr<Accepted> Accept(EndpointId listener) override;
  EndpointId Connect(const std::string& host, uint16_t port) override;
  void SetReading(EndpointId endpoint, bool on) override;
  void SetWriting(EndpointId endpoint, bool on) override;
  ReadResult Read(EndpointId endpoint, char* buffer, size_t capacity) override;
  WriteResult Write(EndpointId endpoint, absl::string_view bytes) override;
  void ShutdownRead(EndpointId endpoint) override;
  void ShutdownWrite(EndpointId endpoint) override;
  void Close(EndpointId endpoint) override;
  void SetNoDelay(EndpointId) override {}  // nothing here waits for company
  Address LocalAddress(EndpointId endpoint) const override;
  absl::StatusOr<EndpointId> OpenUdp(const std::string& host, uint16_t port) override;
  WriteResult SendTo(EndpointId endpoint, const Address& to, absl::string_view bytes) override;
  absl::StatusOr<Datagram> ReceiveFrom(EndpointId endpoint) override;
  absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host) override;
  std::string HostName() const override { return host_.name; }

  void SetCause(uint64_t cause) override { cause_ = cause; }
  uint64_t CurrentCause() const override { return current_cause_; }

  // -- For the host, connections and datagrams ----------------------------------------------------

  // Tells the sink what `endpoint` is ready for and asked for. From events only.
  void Poll(EndpointId endpoint);
  // Poll() by an event of its own, now.
  void WakeSoon(EndpointId endpoint);
  void Wake(EndpointId endpoint);
  // `connection` waits in the queue of `listener`.
  void OnEstablished(Listener& listener, Connection* connection);
  void OnConnected(EndpointId endpoint, const Address& peer);
  void OnConnectFailed(EndpointId endpoint, const char* error);
  // Null: none listens there. Borrowed until the next call of any kind.
  Listener* FindListener(const Address& address);
  Listener* FindListener(EndpointId endpoint);
  void ReceiveDatagram(const Address& to, Datagram datagram);
  // The process dies: its kernel closes everything.
  void CloseAll();
  // The process is stopped (SIGSTOP) and continues: its sink is told nothing meanwhile, and then
  // finds what its kernel has for it, in the order in which it came to be ready. The kernel goes
  // on: it answers SYNs, queues connections and datagrams, and acknowledges until a window is full.
  void Pause() { is_paused_ = true; }
  void Resume();
  // The same for the end of a stall of the socket thread (Host::is_stalled).
  void WakeDeferred();
  bool is_calling() const { return calls_ != 0; }

 private:
  enum class Kind : uint8_t { kFree, kStream, kListener, kUdp, kFailing };
  struct Udp {
    Address address;
    bool is_bound;
    std::deque<Datagram> queue;
    size_t queued_bytes = 0;
  };
  struct Endpoint {
    EndpointId id = 0;
    Kind kind = Kind::kFree;
    int8_t side = 0;
    bool is_connecting = false;
    bool is_reading = false, is_writing = false;
    bool is_wake_scheduled = false;  // or deferred while the process is held up
    bool is_connect_untold = false;  // it was established meanwhile
    bool has_told_break = false;  // and nothing was switched on since
    Connection* connection = nullptr;       // kStream
    std::unique_ptr<Listener> listener;     // kListener
    std::unique_ptr<Udp> udp;               // kUdp
    const char* error = nullptr;            // kFailing
  };

  bool IsHeldUp() const { return is_paused_ || host_.is_stalled; }
  Endpoint* Find(EndpointId id);
  const Endpoint* Find(EndpointId id) const;
  Endpoint& Add(Kind kind);
  void Remove(Endpoint& endpoint);
  bool HasDescriptor() const {
    return host_.descriptors_max == 0 || descriptors_ < host_.descriptors_max;
  }
  EndpointId FailLater(const char* error, int64_t delay_ns);
  void WakeAt(Endpoint& endpoint, int64_t when_ns);
  void Defer(Endpoint& endpoint);
  void TellConnect(Endpoint& endpoint);
  void Switch(EndpointId id, bool Endpoint::*direction, bool on);
  bool HasBreakToTell(const Endpoint& endpoint) const;
  bool IsReadable(const Endpoint& endpoint) const;
  bool IsWritable(const Endpoint& endpoint) const;
  bool ReportBreak(EndpointId id);
  absl::StatusOr<std::string> BindableHost(const std::string& host) const;
  uint16_t TakeFreePort(Kind kind, const std::string& host);
  bool IsPortTaken(Kind kind, const std::string& host, uint16_t port) const;

  Fabric& fabric_;
  Host& host_;
  TransportSink* sink_ = nullptr;
  uint64_t cause_ = 0, current_cause_ = 0;
  int calls_ = 0;  // of the sink, under way
  bool is_paused_ = false;
  std::vector<EndpointId> deferred_;  // to be looked at when it goes on
  std::vector<Endpoint> endpoints_;
  std::vector<uint32_t> free_;
  size_t descriptors_ = 0;  // endpoints that are open
  std::vector<EndpointId> listeners_, udp_sockets_;  // in order of opening
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_HOST_TRANSPORT_H_
