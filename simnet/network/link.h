#ifndef SIMNET_NETWORK_LINK_H_
#define SIMNET_NETWORK_LINK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simnet/choice/choice_source.h"
#include "simnet/network/link_config.h"
#include "simnet/time/event_queue.h"

namespace skysim {

// What a connect over a link meets at its far end.
enum class ConnectRule { kAllow, kRefuse, kBlackHole };

// The decisions of one user of a link: one direction of one connection, or all UDP. Streams are
// looked up when something first depends on them, and then kept; what has one outcome only (a
// constant delay, no loss) asks nothing.
class LinkStreams final {
 public:
  // Names are "link/a>b/<kind>/delay" and so on. `link_name` is borrowed.
  LinkStreams(ChoiceSource& choices, const std::string& link_name, std::string kind)
      : choices_(choices), link_name_(link_name), kind_(std::move(kind)) {}
  LinkStreams(ChoiceSource& choices, std::string&& link_name, std::string kind) = delete;

  int64_t ChooseDelayNs(const Delay& delay);
  // The jitter, too.
  int64_t ChooseDelayNs(const LinkConfig& config) {
    const int64_t delay_ns = ChooseDelayNs(config.delay);
    if (config.jitter_ns == 0) return delay_ns;
    const auto range = static_cast<uint64_t>(config.jitter_ns) + 1;
    return delay_ns + static_cast<int64_t>(Choose("jitter", &jitter_, range));
  }
  bool ShouldLose(Ratio loss) { return ChooseOneIn("loss", &loss_, loss); }
  bool ShouldLoseFragment(Ratio loss) { return ChooseOneIn("fragment", &fragment_, loss); }
  bool ShouldEnterBurst(Ratio enter) { return ChooseOneIn("burst", &burst_, enter); }
  // The unusual outcome is that the burst goes on.
  bool ShouldStayInBurst(Ratio leave) {
    return ChooseOneIn("burst", &burst_, {leave.denominator - leave.numerator, leave.denominator});
  }
  bool ShouldSplit(Ratio split) { return ChooseOneIn("split", &split_, split); }
  bool ShouldDuplicate(Ratio ratio) { return ChooseOneIn("duplicate", &duplicate_, ratio); }
  bool ShouldReorder(Ratio ratio) { return ChooseOneIn("reorder", &reorder_, ratio); }
  // Bytes of the first part of `size` >= 2: 1 .. size-1.
  uint64_t ChooseSplitBytes(uint64_t size) { return 1 + Choose("split_at", &split_at_, size - 1); }

 private:
  StreamId Find(const char* what, std::optional<StreamId>* stream);
  uint64_t Choose(const char* what, std::optional<StreamId>* stream, uint64_t bound);
  bool ChooseOneIn(const char* what, std::optional<StreamId>* stream, Ratio ratio);

  ChoiceSource& choices_;
  const std::string& link_name_;
  std::string kind_;
  std::optional<StreamId> delay_, jitter_, loss_, fragment_, burst_, split_, split_at_, duplicate_,
      reorder_;
};

// How what a hold kept is cut when it arrives: each connection's bytes as one chunk, in pieces of
// `bytes`, or cut behind each of `at` bytes (ascending). Nothing set: as they came.
struct Pieces {
  bool is_one_chunk = false;
  uint64_t bytes = 0;
  std::vector<uint64_t> at;

  // What arrived by turns arrives at once, and only the cuts part it.
  bool is_joined() const { return is_one_chunk || bytes != 0 || !at.empty(); }
};

// Something that a held link keeps at its far end.
class Holdable {
 public:
  virtual ~Holdable() = default;
  virtual uint64_t HeldBytes() const = 0;
  // The link was released: what was kept arrives now, by events and not inside the call. In the
  // order of its first arrival, so many nanoseconds later as its turn says; or joined and cut.
  virtual void OnReleased(const Pieces& pieces) = 0;
};

// Link is one direction between two hosts, which may be the same one: how it behaves, and what it
// loses and holds at the moment. It carries nothing itself; connections and datagrams ask it. Lives
// as long as the network. One thread.
class Link final {
 public:
  // `default_config` is borrowed and counts until SetConfig().
  Link(std::string name, const LinkConfig& default_config)
      : name_(std::move(name)), config_(&default_config) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  const std::string& name() const { return name_; }  // "a>b"
  const LinkConfig& config() const { return *config_; }
  void SetConfig(const LinkConfig& config);

  // The delay of a segment about which nothing is unusual.
  int64_t UsualDelayNs() const { return config_->delay.min_ns; }

  // Whether chance takes the next segment, of the user that has `streams`.
  bool ShouldLose(LinkStreams& streams) {
    if (config_->bursts.enter.numerator == 0) return streams.ShouldLose(config_->loss);
    return ShouldLoseInBursts(streams);
  }
  bool ShouldLoseFragment(LinkStreams& streams) {
    if (config_->bursts.enter.numerator == 0) return streams.ShouldLoseFragment(config_->loss);
    return ShouldLoseInBursts(streams);
  }
  // `count` segments pass that nobody needs: those behind one that was lost. A burst may end by it.
  void PassInVain(LinkStreams& streams, uint64_t count);

  // Whether `size` bytes more find no room in the queue.
  bool IsFull(int64_t now_ns, uint64_t size) const {
    return config_->queue_bytes != 0 && busy_until_ns_ > now_ns &&
           WaitingBytes(now_ns) + size > config_->queue_bytes;
  }
  // Puts `size` bytes on the link. Returns when the last of them has left: later than `now_ns` only
  // with a limited bandwidth.
  int64_t Transmit(int64_t now_ns, uint64_t size);
  int64_t busy_until_ns() const { return busy_until_ns_; }
  // How long `size` bytes take to leave. With a bandwidth only.
  int64_t TransmissionNs(uint64_t size) const;

  // -- Partition --------------------------------------------------------------------------------

  void Partition();
  void Heal() { is_partitioned_ = false; }
  bool is_partitioned() const { return is_partitioned_; }
  // Counts partitions: what was sent in an earlier epoch was under way when one began.
  uint32_t epoch() const { return epoch_; }
  bool HasLost(uint32_t sent_epoch) const { return is_partitioned_ || sent_epoch != epoch_; }

  // -- Hold ---------------------------------------------------------------------------------------

  void Hold() { is_held_ = true; }
  void Release(const Pieces& pieces);
  bool is_held() const { return is_held_; }
  // `kept` has something at the far end of the held link. Borrowed until released or forgotten.
  void Keep(Holdable* kept) { kept_.push_back(kept); }
  // The turn of the next arrival that is kept.
  int64_t TakeTurn() { return turn_++; }
  void Forget(Holdable* kept);
  uint64_t HeldBytes() const;

  // -- Cuts ---------------------------------------------------------------------------------------

  // The bytes that are written next by whatever connection writes next come in pieces of these
  // lengths; what follows is as usual. Replaces a list that nobody has taken yet.
  void Cut(std::vector<uint64_t> lengths) { lengths_ = std::move(lengths); }
  bool has_cut() const { return !lengths_.empty(); }
  std::vector<uint64_t> TakeCut() { return std::exchange(lengths_, {}); }

  // -- A middle box between two hosts, kept for the connections -----------------------------------

  // What becomes of a connection, made over this link, on which nothing has passed for `idle_ns`:
  // the box forgets it, and loses what comes then, or answers with a RST.
  struct FlowRule {
    int64_t idle_ns = 0;  // 0: there is no such box
    bool resets = false;
    int64_t since_ns = 0;
  };
  FlowRule flow_rule;
  bool has_middle_box = false;  // there is, or was, a rule for this link or its opposite

  // -- Connects over this link, kept for the network ---------------------------------------------

  ConnectRule connect_rule = ConnectRule::kAllow;
  int64_t connect_delay_ns = 0;  // added to the handshake of the next
  int connects_delayed = 0;      // so many connects
  uint64_t connects = 0;         // begun so far: the number of the next
  int accepted = 0;

 private:
  bool ShouldLoseInBursts(LinkStreams& streams);
  void PassBurst(LinkStreams& streams);
  uint64_t WaitingBytes(int64_t now_ns) const;

  const std::string name_;
  const LinkConfig* config_;
  std::optional<LinkConfig> own_config_;
  int64_t busy_until_ns_ = 0;
  bool is_in_burst_ = false;
  bool is_partitioned_ = false;
  bool is_held_ = false;
  uint32_t epoch_ = 0;
  std::vector<uint64_t> lengths_;
  std::vector<Holdable*> kept_;  // in order of their first arrival
  int64_t turn_ = 0;             // arrivals kept since the hold began
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_LINK_H_
