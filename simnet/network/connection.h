#ifndef SIMNET_NETWORK_CONNECTION_H_
#define SIMNET_NETWORK_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "engine/platform/transport.h"
#include "simnet/network/fabric.h"
#include "simnet/network/host.h"
#include "simnet/network/link.h"
#include "simnet/network/pipe.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// Connection is one TCP connection as both kernels see it: the handshake, a pipe in each direction,
// and what each side's program and kernel still have to do with it. Side 0 made the connection,
// side 1 accepts it; pipe s carries what side s writes. It lives in the fabric from connect() until
// both kernels have forgotten it and both endpoints are closed.
//
// One handshake segment is under way at a time: the next is sent when the last was lost, at the
// times at which Linux sends a SYN again. Left out: TIME_WAIT, simultaneous open.
//
// Keepalive: both ends have SO_KEEPALIVE, as skynet's socket server sets it. Probes that would be
// answered are not sent; an end begins to look at its clock when something might keep an answer
// from it (a partition, a peer without power or that has forgotten, a middle box), and asks at the
// times at which it would have asked anyway.
class Connection final : public Happening, private PipeEnds, private Holdable {
 public:
  Connection(Fabric& fabric, uint64_t serial, uint64_t number, Host& from, Host& to,
             const Address& from_address, const Address& to_address, EndpointId endpoint);
  ~Connection() override;

  // Sends the SYN. Once, after construction.
  void Start();

  // -- What the program of `side` does ----------------------------------------------------------

  ReadResult Read(int side, char* buffer, size_t capacity);
  WriteResult Write(int side, absl::string_view bytes, uint64_t cause);
  void ShutdownRead(int side);
  void ShutdownWrite(int side);
  // The endpoint is dead after. Unread bytes make it a RST.
  void Close(int side);
  // The program waits for OnWritable().
  void SetWaitingForSpace(int side, bool waits) { sides_[side].waits_for_space = waits; }
  // Side 1 becomes an endpoint of its host's transport.
  void Accept(EndpointId endpoint);

  bool IsReadable(int side) const;
  bool IsWritable(int side) const;
  // Nothing can be written any more, nor will anything arrive.
  bool IsHungUp(int side) const;
  // The pending error that poll(2) would report although neither direction is asked for.
  const char* PendingError(int side) const { return sides_[side].error; }
  void ClearError(int side) { sides_[side].error = nullptr; }
  bool HasSeenEnd(int side) const { return sides_[side].has_seen_end; }
  // Index of the kSegment event that side last received.
  uint64_t Cause(int side) const { return sides_[side].cause; }
  const Address& LocalAddress(int side) const { return sides_[side].address; }
  const Address& PeerAddress(int side) const { return sides_[1 - side].address; }
  const Host& HostOf(int side) const { return *sides_[side].host; }

  // -- What happens to it -------------------------------------------------------------------------

  // Both sides see a RST now. False: there is no open side.
  bool Reset();
  // The program of one side has it open, and the kernel of the other has forgotten it.
  bool IsHalfDead() const;
  // The kernel of `side` refuses a connection that no program has accepted.
  void Abort(int side);
  // The host of `side` has lost its power.
  void PowerOff(int side);

  // Something may keep answers from its ends from now on, or does no more.
  void WatchSilence();

  // -- What is under way (Network::ListInFlight()) ------------------------------------------------

  Pipe& PipeOf(int direction) { return pipes_[direction]; }
  const Pipe& PipeOf(int direction) const { return pipes_[direction]; }
  // A segment of the handshake.
  struct Packet {
    const char* kind;
    int from_side;
    bool is_held;
    int64_t sent_ns, arrival_ns;
  };
  std::optional<Packet> FindPacket() const;
  // What a story does to the segment that was sent at `sent_ns`. False: it is there no more.
  bool DeliverNow(int64_t sent_ns);
  bool Drop(int64_t sent_ns);
  bool Keep(int64_t sent_ns);
  bool LetGo(int64_t sent_ns);

  const char* StateName() const;
  uint64_t BytesUnderWay(int direction) const { return pipes_[direction].BytesUnderWay(); }

 private:
  enum class State : uint8_t {
    kNone,      // side 0: connecting; side 1: has not heard of it
    kHalfOpen,  // side 1: SYN received
    kOpen,
    kClosed,    // the program has closed; the kernel still sends
    kGone,      // the kernel has forgotten it: what comes draws a RST
  };
  struct Side {
    Host* host;
    Address address;
    EndpointId endpoint;  // 0: none (yet, or any more)
    State state = State::kNone;
    bool has_seen_end = false, is_read_shut = false, is_write_shut = false;
    bool is_broken = false;   // RST or time-out
    bool waits_for_space = false;
    bool is_queued = false;   // side 1: waits in its listener's queue
    const char* error = nullptr;  // told to the program once
    uint64_t cause = 0;
    uint64_t fin_wait_ticket = 0;
    uint64_t keepalive_ticket = 0, box_ticket = 0;
    int probes = 0;  // sent since it last heard something
  };

  // Events of the handshake and of closing.
  void Happen(uint64_t argument) override;
  uint64_t HeldBytes() const override { return 0; }
  void OnReleased(const Pieces& pieces) override;

  bool IsForgotten(int direction, SegmentKind kind) override;
  bool IsReceiverUp(int direction) const override;
  bool Takes(int direction, SegmentKind kind, bool has_bytes) const override;
  void OnRefused(int direction) override;
  void OnArrived(int direction, uint64_t bytes, uint64_t cause) override;
  void OnEstablished(int direction) override;
  void OnEstablishLost(int direction) override;
  void OnReset(int direction) override;
  void OnTimedOut(int direction) override;
  void OnSpace(int direction) override;
  void OnDrained(int direction) override;
  bool IsWaitingForSpace(int direction) const override {
    return sides_[direction].waits_for_space;
  }
  bool IsOrphan(int direction) const override {
    return sides_[direction].state == State::kClosed;
  }
  bool MayBeSilent(int direction) const override { return NeedsKeepalive(direction); }

  void SendSyn();
  void ReceiveSyn();
  void SendAnswer(uint64_t what);
  void ReceiveAnswer(uint64_t what);
  bool IsHandshakeLost(const Link& link) const {
    return !has_packet_crossed_ && link.HasLost(packet_epoch_);
  }
  bool KeepsHandshake(Link& link, uint64_t what);
  bool StopPacket(int64_t sent_ns);
  void LimitPatience();
  void ScheduleHandshake(int64_t when_ns, uint64_t what);
  void RetrySynLater();
  void FailConnect(const char* error);
  void EstablishServer();
  void RetryServerLater();
  void RetryServer();
  void LeaveHalfOpen();

  int64_t HeardNs(int side) const;
  bool NeedsKeepalive(int side) const;
  void StartKeepalive(int side);
  void KeepAlive(int side);
  void ResetByBox(int side);

  void CloseConnecting();
  void Break(int side, const char* error);
  void Forget(int side);
  void RemoveIfOver();
  void Poll(int side);

  Fabric& fabric_;
  const uint64_t serial_;
  Link& forth_;
  Link& back_;
  Side sides_[2];
  Pipe pipes_[2];

  EndpointId listener_ = 0;        // of side 1's transport, while half-open
  int64_t syn_sent_ns_ = 0;        // the first
  int64_t half_open_ns_ = 0;
  int64_t extra_delay_ns_ = 0;     // of the next SYN
  uint64_t packet_ticket_ = 0, client_ticket_ = 0, server_ticket_ = 0;
  uint64_t packet_ = 0;            // what is under way or kept; 0: nothing
  int64_t packet_sent_ns_ = 0, packet_arrival_ns_ = 0;
  bool is_packet_kept_ = false;    // by hand
  bool is_packet_free_ = false;    // no hold keeps it any more
  int64_t kept_turn_ = 0;
  Link* kept_by_ = nullptr;
  uint32_t packet_epoch_ = 0;      // of the link it is on, when sent
  bool has_packet_crossed_ = false;  // was kept by a hold: a partition cannot lose it any more
  bool is_forgotten_ = false;      // by a middle box
  bool is_removed_ = false;
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_CONNECTION_H_
