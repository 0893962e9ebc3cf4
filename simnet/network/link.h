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
  bool ShouldLose(Ratio loss) { return ChooseOneIn("loss", &loss_, loss); }
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
  std::optional<StreamId> delay_, loss_, split_, split_at_, duplicate_, reorder_;
};

// Something that a held link keeps at its far end.
class Holdable {
 public:
  virtual ~Holdable() = default;
  virtual uint64_t HeldBytes() const = 0;
  // The link was released: what was kept arrives now, by events and not inside the call. In the
  // order of its first arrival, so many nanoseconds later as its turn says; or each connection's
  // bytes as one chunk.
  virtual void OnReleased(bool as_one_chunk) = 0;
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

  // Puts `size` bytes on the link. Returns when the last of them has left: later than `now_ns` only
  // with a limited bandwidth.
  int64_t Transmit(int64_t now_ns, uint64_t size);
  int64_t busy_until_ns() const { return busy_until_ns_; }

  // -- Partition --------------------------------------------------------------------------------

  void Partition();
  void Heal() { is_partitioned_ = false; }
  bool is_partitioned() const { return is_partitioned_; }
  // Counts partitions: what was sent in an earlier epoch was under way when one began.
  uint32_t epoch() const { return epoch_; }
  bool HasLost(uint32_t sent_epoch) const { return is_partitioned_ || sent_epoch != epoch_; }

  // -- Hold ---------------------------------------------------------------------------------------

  void Hold() { is_held_ = true; }
  void Release(bool as_one_chunk);
  bool is_held() const { return is_held_; }
  // `kept` has something at the far end of the held link. Borrowed until released or forgotten.
  void Keep(Holdable* kept) { kept_.push_back(kept); }
  // The turn of the next arrival that is kept.
  int64_t TakeTurn() { return turn_++; }
  void Forget(Holdable* kept);
  uint64_t HeldBytes() const;

  // -- Connects over this link, kept for the network ---------------------------------------------

  ConnectRule connect_rule = ConnectRule::kAllow;
  int64_t connect_delay_ns = 0;  // added to the handshake of the next
  int connects_delayed = 0;      // so many connects
  uint64_t connects = 0;         // begun so far: the number of the next
  int accepted = 0;

 private:
  const std::string name_;
  const LinkConfig* config_;
  std::optional<LinkConfig> own_config_;
  int64_t busy_until_ns_ = 0;
  bool is_partitioned_ = false;
  bool is_held_ = false;
  uint32_t epoch_ = 0;
  std::vector<Holdable*> kept_;  // in order of their first arrival
  int64_t turn_ = 0;             // arrivals kept since the hold began
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_LINK_H_
