#ifndef SIMNET_NETWORK_NETWORK_H_
#define SIMNET_NETWORK_NETWORK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/platform/observer.h"
#include "engine/platform/transport.h"
#include "simnet/choice/choice_source.h"
#include "simnet/network/link.h"
#include "simnet/network/link_config.h"
#include "simnet/network/message_in_flight.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// The transport that the network gives to a node. It ties bytes to events of the trace, which
// changes nothing that a node can see: CurrentCause() is the kSegment event that brought what can
// be read.
class SimulatedTransport : public Transport {
 public:
  // Index of the event on whose behalf Write() is called from now on: the cause of the kSegment
  // event that delivers the bytes.
  virtual void SetCause(uint64_t cause) = 0;
};

// Network is the simulated wire between the nodes of one run: hosts (one per node, with addresses
// and names), directed links between them, TCP-like connections and UDP over them. It gives each
// node a Transport. One thread; everything random comes from the ChoiceSource, all time from the
// EventQueue, and every event of note goes to the observer of the node that it happens to.
//
// TCP as modelled: three-way handshake over both links (SYN retried after 1, 3, 7, ... s as Linux
// does, at most 6 times, then ETIMEDOUT), listener backlog, byte stream cut into segments, loss =
// the segment comes later by a retransmission time-out (200 ms minimum, doubling) and holds up all
// behind it, keepalive (7200 s, then 9 probes 75 s apart, then ETIMEDOUT), send buffer and receive
// window with backpressure, FIN, half-close, RST (for a closed port, unread data at close, data for
// a closed endpoint, a crashed and restarted host), ETIMEDOUT after the retry limit (tcp_retries2 =
// 15, about 924 s) during a partition.
// Left out, because no service can tell it from what a real network may do: congestion control,
// slow start, fast retransmission (a loss costs its whole time-out, as the loss of a last segment
// does), delayed acknowledgements, checksums. Every rule, with figure, source and test:
// docs/network_model.md.
class Network final {
 public:
  Network(ChoiceSource& choices, EventQueue& events);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // -- Hosts ------------------------------------------------------------------------------------

  // Adds the host of a node. `name` resolves to `ip` and is its HostName(). InvalidArgument: name
  // or ip taken, ip not a literal. 127.0.0.1 means the host itself, everywhere.
  absl::Status AddHost(const std::string& name, const std::string& ip);

  // The host's transport for one life of its node. Borrowed, like `observer`, until StopHost(). The
  // host must be stopped, as it is at first: its kernel runs then, and refuses connections.
  SimulatedTransport& StartHost(const std::string& name, Observer& observer);

  // The node is gone, and its transport with it. A process that dies (is_power_off false) leaves a
  // kernel behind that sends FIN or RST for every connection, as a kernel does; a power-off leaves
  // silence until the host is started again, and RST for old segments then. Not to be called from
  // within a call to the node's TransportSink.
  void StopHost(const std::string& name, bool is_power_off);

  // The process of a started host is stopped and goes on again: HostTransport::Pause(). A host that
  // is stopped forgets it.
  void PauseHost(const std::string& name);
  void ResumeHost(const std::string& name);
  // What holds up the process of a host. InvalidArgument: no such host.
  //
  // So many descriptors for its sockets, those that are open included (RLIMIT_NOFILE less what the
  // process needs for itself); 0: no limit. Beyond it a connect fails with "Too many open files",
  // and a listener accepts and closes.
  absl::Status LimitDescriptors(const std::string& name, size_t count);
  // It accepts so long after the end of a handshake: the client is connected, and what it sends
  // waits. Connections that wait fill the backlog.
  absl::Status SetAcceptDelay(const std::string& name, int64_t delay_ns);
  // Its socket thread does nothing until it goes on, as skynet's while it resolves a name: nothing
  // is read, accepted or told; the kernel goes on taking bytes until the window is full, and what
  // services write goes out. (A reader that stalls by itself is the service's: socket.pause.)
  absl::Status StallSockets(const std::string& name, bool on);

  // -- Links. Names are hosts; a wrong name is InvalidArgument with the name in it. ---------------

  LinkConfig& DefaultLink();  // for links that were not configured by themselves
  absl::Status SetLink(const std::string& from, const std::string& to, const LinkConfig& config);
  absl::StatusOr<LinkConfig> GetLink(const std::string& from, const std::string& to) const;

  // Loses everything on the link from now on (segments under way included) until healed.
  absl::Status Partition(const std::string& from, const std::string& to);
  absl::Status Heal(const std::string& from, const std::string& to);
  // Keeps what arrives at the far end of the link until released; nothing is lost. Released bytes
  // arrive as they came, or joined and cut as `pieces` says.
  absl::Status Hold(const std::string& from, const std::string& to);
  absl::Status Release(const std::string& from, const std::string& to, const Pieces& pieces);
  // The bytes that the next connection to write there writes next arrive in pieces of `lengths`.
  absl::Status Cut(const std::string& from, const std::string& to, std::vector<uint64_t> lengths);
  // Bytes now held at the far end of the link.
  absl::StatusOr<uint64_t> HeldBytes(const std::string& from, const std::string& to) const;

  // -- Messages in flight ---------------------------------------------------------------------

  // Everything that is on a link now or kept at its far end, in order of sending. A stream's bytes
  // that nothing can tell apart are one message. Acknowledgements are not listed.
  std::vector<MessageInFlight> ListInFlight();
  // What is done to one of them; NotFound "message 7 is not in flight". A retransmission is another
  // message, with an id of its own.
  //
  // It arrives now, even if its link is held; bytes of a stream not before those in front of them.
  absl::Status Deliver(uint64_t id);
  // It is lost. Bytes of a stream, and all that was sent behind them, come by retransmission.
  absl::Status Drop(uint64_t id);
  // It waits at the far end until released, and with it what is behind it in its stream.
  absl::Status HoldMessage(uint64_t id);
  absl::Status ReleaseMessage(uint64_t id);

  // -- Connections --------------------------------------------------------------------------------

  // Each open connection that `from` made to `to` is reset: both ends see "Connection reset by
  // peer". Returns how many.
  absl::StatusOr<int> ResetConnections(const std::string& from, const std::string& to);
  // Connects of `from` to `to` are refused (RST) until allowed again; or get no answer at all.
  using ConnectRule = skysim::ConnectRule;
  absl::Status SetConnectRule(const std::string& from, const std::string& to, ConnectRule rule);
  // A middle box (NAT, firewall, load balancer) stands between `from` and `to`: it forgets what
  // `from` has connected when nothing has passed for `idle_ns`, and from then on loses what either
  // end sends, or answers it with a RST to its sender. 0: it stands there no more.
  absl::Status ForgetIdle(const std::string& from, const std::string& to, int64_t idle_ns,
                          bool resets);
  // Adds `delay_ns` to the handshake of the next `count` connects from `from` to `to`, and holds
  // that connection's bytes until the handshake ends; other connections are not affected.
  absl::Status DelayConnects(const std::string& from, const std::string& to, int64_t delay_ns,
                             int count);

  struct ConnectionInfo {
    uint64_t serial;
    std::string from, to;  // who connected to whom
    Address from_address, to_address;
    std::string state;       // "connecting", "open", "closing"
    uint64_t bytes_under_way_forth, bytes_under_way_back;
  };
  // Every connection that is not wholly closed, in order of their making.
  std::vector<ConnectionInfo> Connections() const;
  // How many connects of `from` to `to` have been accepted so far.
  absl::StatusOr<int> AcceptedConnections(const std::string& from, const std::string& to) const;

  // -- Calm ---------------------------------------------------------------------------------------

  // Undoes every partition, hold, connect rule and stall. How links and hosts were set stays: their
  // delays and losses, middle boxes, limits of descriptors, slow accepts.
  void CalmDown();
  // Resets each connection that is open at one end while the other end's kernel has forgotten it:
  // after a power-off, or when a RST was lost. That is what a keepalive finds after two hours
  // (tcp_keepalive_time). Returns how many.
  int ResetHalfDead();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_NETWORK_H_
