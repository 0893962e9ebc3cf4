#include "simnet/check/linearizability.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/log/check.h"

// The argument for "as late as it can": take any valid order. Go along the history; whenever an
// operation returns that has not happened yet, let happen what stands in the order up to it. That
// gives the same order, so nothing is lost by never trying an operation at another moment.
//
// A prefix is linearizable exactly if the search can pass its last return, because what is still
// under way need not have happened. The search of a whole history may get stuck earlier than that:
// it knows what operations under way will return, and the prefix does not. So the furthest return
// that it has come to is where the shortest illegal prefix may end at the earliest; which one it is
// searches of prefixes tell, by halving, since what begins with an illegal prefix is illegal.

namespace skysim {
namespace {

// Names texts by small numbers, in order of first use.
class Interner final {
 public:
  uint32_t IdOf(const std::string& text) {
    auto [entry, is_new] = ids_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
    if (is_new) texts_.push_back(text);
    return entry->second;
  }
  const std::string& TextOf(uint32_t id) const { return texts_[id]; }

 private:
  absl::flat_hash_map<std::string, uint32_t> ids_;
  std::vector<std::string> texts_;
};

// A model asked with numbers; each question once.
class CachedModel final {
 public:
  struct Outcome {
    bool is_possible = false;
    uint32_t state = 0, result = 0;
  };

  CachedModel(SequentialModel& model, const std::vector<Operation>& history) : model_(model) {
    for (const Operation& operation : history) {
      calls_.push_back(texts_.IdOf(operation.call));
      results_.push_back(operation.result.has_value() ? texts_.IdOf(*operation.result) : 0);
    }
    initial_ = states_.IdOf(model.InitialState());
  }

  uint32_t initial() const { return initial_; }
  const std::string& StateText(uint32_t state) const { return states_.TextOf(state); }
  uint32_t result_of(size_t operation) const { return results_[operation]; }

  Outcome Apply(uint32_t state, size_t operation) {
    std::pair<uint32_t, uint32_t> question(state, calls_[operation]);
    auto known = outcomes_.find(question);
    if (known != outcomes_.end()) return known->second;
    Outcome outcome;
    std::optional<SequentialModel::Outcome> answer =
        model_.Apply(states_.TextOf(state), texts_.TextOf(calls_[operation]));
    if (answer.has_value()) {
      outcome = {true, states_.IdOf(answer->state), texts_.IdOf(answer->result)};
    }
    outcomes_[question] = outcome;
    return outcome;
  }

 private:
  SequentialModel& model_;
  Interner states_, texts_;
  std::vector<uint32_t> calls_, results_;  // of each operation
  uint32_t initial_ = 0;
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, Outcome> outcomes_;
};

// Depth first, with the path on a stack of our own: histories are longer than C++ stacks.
class Search final {
 public:
  Search(const std::vector<Operation>& history, SequentialModel& model, uint64_t steps_max)
      : history_(history), model_(model, history), steps_max_(steps_max) {
    FindReturns();
  }

  LinearizabilityResult Run() {
    Enter(Position{0, model_.initial(), {}});
    while (!path_.empty() && path_.back().at.returns < returns_.size()) {
      if (result_.steps >= steps_max_) return End(LinearizabilityResult::Verdict::kUnknown);
      if (!Advance()) Leave();
    }
    if (!path_.empty()) {
      KeepOrder();
      return End(LinearizabilityResult::Verdict::kLinearizable);
    }
    result_.culprit = returns_[furthest_].operation;
    return End(LinearizabilityResult::Verdict::kIllegal);
  }

 private:
  // A return, and what is under way right before it, the one that returns first.
  struct Return {
    size_t operation;
    std::vector<uint32_t> candidates;
  };
  struct Position {
    size_t returns = 0;                // so many were passed
    uint32_t state = 0;
    std::vector<uint32_t> happened;    // and not returned, sorted

    friend bool operator==(const Position& a, const Position& b) {
      return a.returns == b.returns && a.state == b.state && a.happened == b.happened;
    }
    template <typename H>
    friend H AbslHashValue(H hash, const Position& position) {
      return H::combine(std::move(hash), position.returns, position.state, position.happened);
    }
  };
  struct Frame {
    Position at;
    size_t next = 0;        // of the candidates of the return that comes
    size_t order_size = 0;  // of order_, when it was entered
  };

  void FindReturns() {
    std::vector<size_t> invoked, returned;
    for (size_t i = 0; i < history_.size(); ++i) {
      invoked.push_back(i);
      if (history_[i].result.has_value()) {
        CHECK_GT(history_[i].returned, history_[i].invoked);
        returned.push_back(i);
      }
    }
    std::sort(invoked.begin(), invoked.end(),
              [&](size_t a, size_t b) { return history_[a].invoked < history_[b].invoked; });
    std::sort(returned.begin(), returned.end(),
              [&](size_t a, size_t b) { return history_[a].returned < history_[b].returned; });
    std::vector<uint32_t> under_way;  // in order of invocation
    auto next = invoked.begin();
    for (size_t operation : returned) {
      for (; next != invoked.end() && history_[*next].invoked < history_[operation].returned;
           ++next) {
        under_way.push_back(static_cast<uint32_t>(*next));
      }
      under_way.erase(std::find(under_way.begin(), under_way.end(), operation));
      Return entry{operation, {static_cast<uint32_t>(operation)}};
      entry.candidates.insert(entry.candidates.end(), under_way.begin(), under_way.end());
      returns_.push_back(std::move(entry));
    }
  }

  // Makes the next move from where the path ends. False: there is none that is new.
  bool Advance() {
    Frame& frame = path_.back();
    const Return& coming = returns_[frame.at.returns];
    const std::vector<uint32_t>& happened = frame.at.happened;
    const uint32_t returning = static_cast<uint32_t>(coming.operation);
    if (std::binary_search(happened.begin(), happened.end(), returning)) {
      if (frame.next++ > 0) return false;
      Position next = frame.at;
      ++next.returns;
      next.happened.erase(std::find(next.happened.begin(), next.happened.end(), returning));
      return Enter(std::move(next));
    }
    while (frame.next < coming.candidates.size() && result_.steps < steps_max_) {
      uint32_t candidate = coming.candidates[frame.next++];
      if (std::binary_search(happened.begin(), happened.end(), candidate)) continue;
      if (TryOperation(candidate)) return true;
    }
    return false;
  }

  bool TryOperation(uint32_t operation) {
    ++result_.steps;
    const Position& at = path_.back().at;
    CachedModel::Outcome outcome = model_.Apply(at.state, operation);
    if (!outcome.is_possible) return false;
    if (history_[operation].result.has_value()) {
      if (outcome.result != model_.result_of(operation)) return false;
    } else if (outcome.state == at.state) {
      return false;  // whether it happens here or not changes nothing but that it could not later
    }
    Position next = at;
    next.state = outcome.state;
    next.happened.insert(
        std::upper_bound(next.happened.begin(), next.happened.end(), operation), operation);
    order_.push_back(operation);
    if (Enter(std::move(next))) return true;
    order_.pop_back();
    return false;
  }

  // False: it was looked at before.
  bool Enter(Position position) {
    if (!visited_.insert(position).second) return false;
    if (position.returns > furthest_) {
      furthest_ = position.returns;
      KeepOrder();
      result_.state = model_.StateText(position.state);
    }
    path_.push_back(Frame{std::move(position), 0, order_.size()});
    return true;
  }

  void Leave() {
    path_.pop_back();
    order_.resize(path_.empty() ? 0 : path_.back().order_size);
  }

  void KeepOrder() { result_.order.assign(order_.begin(), order_.end()); }

  LinearizabilityResult End(LinearizabilityResult::Verdict verdict) {
    result_.verdict = verdict;
    if (verdict == LinearizabilityResult::Verdict::kUnknown) {
      result_.order.clear();
      result_.state.clear();
    } else if (furthest_ == 0) {
      result_.state = model_.StateText(model_.initial());
    }
    return std::move(result_);
  }

  const std::vector<Operation>& history_;
  CachedModel model_;
  const uint64_t steps_max_;
  std::vector<Return> returns_;
  absl::flat_hash_set<Position> visited_;
  std::vector<Frame> path_;
  std::vector<uint32_t> order_;  // what has happened on the path
  size_t furthest_ = 0;          // returns passed by some path
  LinearizabilityResult result_;
};

// The operations of `history` up to position `end`, as they were known then.
struct Prefix {
  std::vector<Operation> operations;
  std::vector<size_t> indexes;  // of each in the history
};

Prefix PrefixOf(const std::vector<Operation>& history, uint64_t end) {
  Prefix prefix;
  for (size_t i = 0; i < history.size(); ++i) {
    if (history[i].invoked > end) continue;
    prefix.operations.push_back(history[i]);
    prefix.indexes.push_back(i);
    if (history[i].returned > end) prefix.operations.back().result.reset();
  }
  return prefix;
}

// Searches the prefix up to `end` with what is left of `steps_left`; indexes are the history's.
LinearizabilityResult SearchPrefix(const std::vector<Operation>& history, uint64_t end,
                                   SequentialModel& model, uint64_t& steps_left) {
  Prefix prefix = PrefixOf(history, end);
  LinearizabilityResult result = Search(prefix.operations, model, steps_left).Run();
  steps_left -= result.steps;
  result.culprit = prefix.indexes.empty() ? 0 : prefix.indexes[result.culprit];
  for (size_t& index : result.order) index = prefix.indexes[index];
  return result;
}

// `found` is what the search of the whole history said. `steps_max` for this alone.
LinearizabilityResult ShortestIllegalPrefix(const std::vector<Operation>& history,
                                            SequentialModel& model, uint64_t steps_max,
                                            LinearizabilityResult found) {
  std::vector<size_t> returned;
  for (size_t i = 0; i < history.size(); ++i) {
    if (history[i].result.has_value()) returned.push_back(i);
  }
  std::sort(returned.begin(), returned.end(),
            [&](size_t a, size_t b) { return history[a].returned < history[b].returned; });
  // It ends at one of [first, last]; that which ends at `last` is illegal.
  auto first = std::find(returned.begin(), returned.end(), found.culprit);
  auto last = returned.end() - 1;
  uint64_t steps_left = steps_max;
  for (auto middle = first; first < last; middle = first + (last - first) / 2) {
    LinearizabilityResult part =
        SearchPrefix(history, history[*middle].returned, model, steps_left);
    if (part.verdict == LinearizabilityResult::Verdict::kUnknown) break;
    if (part.verdict == LinearizabilityResult::Verdict::kIllegal) {
      last = middle;
    } else {
      first = middle + 1;
    }
  }
  LinearizabilityResult before =
      SearchPrefix(history, history[*last].returned - 1, model, steps_left);
  found.culprit = *last;
  if (before.verdict == LinearizabilityResult::Verdict::kLinearizable) {
    found.order = std::move(before.order);
    found.state = std::move(before.state);
  }
  found.steps += steps_max - steps_left;
  return found;
}

}  // namespace

LinearizabilityResult CheckLinearizability(const std::vector<Operation>& history,
                                           SequentialModel& model, uint64_t steps_max) {
  LinearizabilityResult result = Search(history, model, steps_max).Run();
  if (result.verdict != LinearizabilityResult::Verdict::kIllegal) return result;
  return ShortestIllegalPrefix(history, model, steps_max, std::move(result));
}

}  // namespace skysim
