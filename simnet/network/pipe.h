#ifndef SIMNET_NETWORK_PIPE_H_
#define SIMNET_NETWORK_PIPE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include "absl/strings/string_view.h"
#include "simnet/choice/choice_source.h"
#include "simnet/network/byte_queue.h"
#include "simnet/network/link.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// What travels through a pipe besides bytes.
enum class SegmentKind : uint8_t {
  kData,       // bytes, the last of them may be the FIN
  kEstablish,  // the ACK that ends the handshake
  kProbe,      // a retransmission of bytes that have arrived: only an ACK of them was lost
  kReset,      // RST; never sent again
};

// What a segment under way is known by to those outside: where it begins in its stream, and when it
// was sent.
struct FlightKey {
  uint64_t start;
  int64_t sent_ns;
  SegmentKind kind;

  bool operator<(const FlightKey& other) const {
    return std::tie(start, sent_ns, kind) < std::tie(other.start, other.sent_ns, other.kind);
  }
};

// The connection around a pipe: what its two kernels do about what the pipe brings.
class PipeEnds {
 public:
  virtual ~PipeEnds() = default;
  // A middle box on the way has forgotten the connection, and takes what is sent now.
  virtual bool IsForgotten(int direction, SegmentKind kind) = 0;
  // The far host is powered.
  virtual bool IsReceiverUp(int direction) const = 0;
  // The far kernel has a use for the segment. `has_bytes`: there is more in it than a FIN.
  virtual bool Takes(int direction, SegmentKind kind, bool has_bytes) const = 0;
  // A segment came that the far kernel had no use for: it answers with a RST.
  virtual void OnRefused(int direction) = 0;
  // `bytes` more can be read, or the stream has ended. `cause` as given to Write().
  virtual void OnArrived(int direction, uint64_t bytes, uint64_t cause) = 0;
  virtual void OnEstablished(int direction) = 0;
  virtual void OnEstablishLost(int direction) = 0;
  virtual void OnReset(int direction) = 0;
  // The sender gave up after its last retransmission.
  virtual void OnTimedOut(int direction) = 0;
  // The send buffer has room again. Only if IsWaitingForSpace().
  virtual void OnSpace(int direction) = 0;
  // Everything that was written, and the FIN, is acknowledged.
  virtual void OnDrained(int direction) = 0;
  virtual bool IsWaitingForSpace(int direction) const = 0;
  // The program has closed its end: a kernel tries less long then.
  virtual bool IsOrphan(int direction) const = 0;
  // Something may keep answers from the sender: what it would ask from time to time is worth asking.
  virtual bool MayBeSilent(int direction) const = 0;
};

// Pipe is one direction of a TCP connection: the sending kernel, the wire, and the receiving kernel
// up to the read. The bytes lie in one queue; sending and arriving only move positions in the
// stream: read <= acknowledged or not <= arrived <= sent <= written (a FIN counts as one byte after
// the last).
//
// Acknowledgements are no events while all is calm: arriving frees the sender's buffer. When the
// buffer is more than half full, or the program waits for room, they take the back link's usual
// delay as events. They get lost when the back link is partitioned. They are not held by a hold,
// and not lost by the back link's random loss (the next one makes up for it).
//
// Keepalive is the connection's: the pipe sends its probes.
//
// Loss stops the pipe at the lost segment until the retransmission time-out; what follows waits
// behind it, as the receiver could not hand it out anyway. Left out: fast retransmission, so that a
// loss in the midst of a dense stream costs its whole time-out.
class Pipe final : public Happening, public Holdable {
 public:
  // All borrowed for the pipe's life. `back` is the link of the other direction.
  Pipe(PipeEnds& ends, int direction, Link& link, Link& back, LinkStreams streams,
       EventQueue& events);
  ~Pipe() override;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // -- The sending end --------------------------------------------------------------------------

  // Takes as many bytes as the send buffer has room for.
  size_t Write(absl::string_view bytes, uint64_t cause);
  uint64_t Space() const;
  // Linux calls a socket writable from a third of free buffer on (sk_stream_is_writeable).
  bool IsWritable() const { return Space() * 3 >= link_.config().send_buffer_bytes && Space() > 0; }
  // Ends the stream after what was written (FIN).
  void Finish();
  bool is_finished() const { return is_finished_; }
  bool IsDrained() const { return is_finished_ && acked_ == End(); }
  void SendEstablish() { Transmit(SegmentKind::kEstablish, 0); }
  // A keepalive probe: no bytes, and the far kernel answers.
  void SendProbe() { Transmit(SegmentKind::kProbe, 0); }
  // Something was sent, or waits to be, that the far kernel has not acknowledged.
  bool IsWaitingForAcknowledgement() const { return acked_ < End(); }
  // When the last segment was put on the wire, arrived at the far kernel, was answered by it; 0:
  // none yet.
  int64_t last_left_ns() const { return last_left_ns_; }
  int64_t heard_ns() const { return heard_ns_; }
  int64_t answered_ns() const { return answered_ns_; }
  // Drops what is not on the wire yet and sends a RST behind what is.
  void SendReset();
  // The sending kernel forgets the stream: nothing more is sent, nothing retransmitted.
  void Abandon();

  // -- The receiving end ------------------------------------------------------------------------

  size_t Unread() const;
  // The FIN has arrived, and all before it was read.
  bool IsEnded() const { return HasFinArrived() && Unread() == 0; }
  bool HasFinArrived() const { return is_finished_ && arrived_ == End(); }
  size_t Read(char* buffer, size_t capacity);
  // Throws away what has arrived and was not read.
  void DropUnread();
  // A sender that waits for the window asks from time to time (Linux: zero-window probes), and so
  // far got the same answer each time, so that nothing was sent here. From now on it may be another
  // or none: it asks at the next time at which it would have asked anyway.
  void ProbeWindow() {
    if (IsWaitingForWindow()) StartRetry(events_.NowNs());
  }

  // Written and not arrived yet.
  uint64_t BytesUnderWay() const { return written_ - std::min(arrived_, written_); }

  // -- What is on the wire or kept at its far end (Network::ListInFlight()) -----------------------

  struct Listed {
    FlightKey key;
    int64_t arrival_ns;
    uint64_t bytes;
    bool has_fin, is_held;
  };
  std::vector<Listed> List() const;
  // False: it is there no more.
  bool DeliverNow(const FlightKey& key);
  bool Drop(const FlightKey& key);
  bool Keep(const FlightKey& key);
  bool LetGo(const FlightKey& key);

  // For the handshake, whose segments use the same link and streams.
  LinkStreams& streams() { return streams_; }
  Link& link() { return link_; }

 private:
  struct Flight {
    int64_t arrival_ns;
    int64_t sent_ns;
    uint64_t end;    // position behind its last byte
    uint64_t cause;  // of the last write in it
    uint32_t epoch;  // of the link, when sent
    SegmentKind kind;
    bool is_held;    // has crossed the link
    bool is_kept;    // by hand
    bool is_free;    // no hold keeps it any more
    int64_t turn;    // in which it is released from a hold
  };
  struct Ack {
    int64_t arrival_ns;
    uint64_t position;
    uint32_t epoch;  // of the back link
  };
  // A queue without a node per element; a flight rarely has company.
  template <typename T>
  class Ring {
   public:
    bool empty() const { return begin_ == items_.size(); }
    size_t size() const { return items_.size() - begin_; }
    T& front() { return items_[begin_]; }
    T& back() { return items_.back(); }
    T& operator[](size_t i) { return items_[begin_ + i]; }
    const T& operator[](size_t i) const { return items_[begin_ + i]; }
    void push_back(const T& item) { items_.push_back(item); }
    void clear() {
      items_.clear();
      begin_ = 0;
    }
    // Removes `size` elements from `index` on.
    void erase(size_t index, size_t size) {
      const auto first = items_.begin() + static_cast<ptrdiff_t>(begin_ + index);
      items_.erase(first, first + static_cast<ptrdiff_t>(size));
      if (empty()) clear();
    }
    void push_front(const T& item) {
      if (begin_ == 0) {
        items_.insert(items_.begin(), item);
      } else {
        items_[--begin_] = item;
      }
    }
    void pop_front() {
      if (++begin_ == items_.size()) return clear();
      if (begin_ < 64 || begin_ * 2 < items_.size()) return;
      items_.erase(items_.begin(), items_.begin() + static_cast<ptrdiff_t>(begin_));
      begin_ = 0;
    }

   private:
    std::vector<T> items_;
    size_t begin_ = 0;
  };

  void Happen(uint64_t argument) override;
  uint64_t HeldBytes() const override;
  void OnReleased(const Pieces& pieces) override;

  uint64_t End() const { return written_ + (is_finished_ ? 1 : 0); }
  void Schedule(int64_t when_ns, uint64_t what, uint64_t* ticket);

  // The sending kernel.
  // `has_turn`: waited for the link's bandwidth, and may use it now.
  void TrySend(bool has_turn = false);
  uint64_t SegmentBytes() const;
  void WaitForWindow();
  int64_t TurnNs(uint64_t size, bool has_turn) const;
  void PassInVain(uint64_t size);
  bool Transmit(SegmentKind kind, uint64_t size);
  void Launch(SegmentKind kind, int64_t arrival_ns);
  void StartRetry(int64_t since_ns);
  int64_t UsualRoundTripNs() const { return link_.UsualDelayNs() + back_.UsualDelayNs(); }
  int64_t FirstTimeoutNs() const;
  int64_t RetryTimeoutNs() const;
  bool IsWaitingForWindow() const {
    return is_window_closed_ && !is_recovering_ && acked_ == sent_;
  }
  int64_t NextWindowProbeNs() const;
  void Retry();
  void TakeAcknowledgements();
  void Acknowledged(uint64_t position);

  // The wire and the receiving kernel.
  void Deliver();
  void ScheduleDelivery();
  bool IsLost(const Flight& flight) const;
  void Lose();
  void LoseForGood(size_t index);
  void LoseFrom(size_t index);
  void Hold();
  bool IsStopped(const Flight& flight) const {
    return flight.is_kept || (link_.is_held() && !flight.is_free);
  }
  size_t FindFlight(const FlightKey& key) const;
  uint64_t StartOf(size_t index) const { return index == 0 ? arrived_ : flights_[index - 1].end; }
  void DeliverAnew();
  void TakeCut();
  uint64_t NextCut() const;
  void Arrive();
  void TakeData();
  uint64_t MaybeSplit(uint64_t end);
  void SendAcknowledgement(int64_t sent_ns);

  PipeEnds& ends_;
  const int direction_;
  Link& link_;
  Link& back_;
  LinkStreams streams_;
  EventQueue& events_;

  ByteQueue bytes_;  // of the positions [read_, written_)
  uint64_t read_ = 0, acked_ = 0, arrived_ = 0, sent_ = 0, written_ = 0;
  uint64_t cause_ = 0;  // of the last write

  // Where the delivery of the stream is cut: behind the positions `at` (ascending), and at each
  // multiple of `every` from `from` to `until`. Null: nowhere.
  struct Cuts {
    std::vector<uint64_t> at;
    uint64_t from = 0, every = 0, until = 0;
  };
  std::unique_ptr<Cuts> cuts_;

  Ring<Flight> flights_;  // in order of arrival
  Ring<Ack> acks_;
  int64_t last_arrival_ns_ = 0, last_left_ns_ = 0, heard_ns_ = 0, answered_ns_ = 0;
  uint64_t deliver_ticket_ = 0, ack_ticket_ = 0, retry_ticket_ = 0, pump_ticket_ = 0;
  // As it was when the last acknowledgement came: the time-out goes by what was measured, not by
  // what a link has become since (Linux: tcp_rtt_estimator runs for acknowledgements only). -1:
  // none yet.
  int64_t round_trip_ns_ = -1;
  int retries_ = 0;  // time-outs since the last acknowledgement
  int64_t window_closed_ns_ = 0;  // since when the sender waits for the window

  bool is_finished_ = false;        // a FIN follows the last byte
  bool is_abandoned_ = false;
  bool is_recovering_ = false;      // the segment at sent_ was lost; the next retry sends it
  bool is_window_closed_ = false;   // sending stopped at the receiver's window
  bool is_reset_under_way_ = false;
  bool is_kept_ = false;            // by the held link
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_PIPE_H_
