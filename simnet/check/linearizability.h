#ifndef SIMNET_CHECK_LINEARIZABILITY_H_
#define SIMNET_CHECK_LINEARIZABILITY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skysim {

// One operation of a history: what a client asked, and what it was told. Texts are compared and
// nothing else.
struct Operation {
  std::string call;                   // what was asked: "add 5"
  std::optional<std::string> result;  // none: it never returned, and may or may not have happened
  uint64_t invoked = 0;               // positions in the history: no two are the same
  uint64_t returned = 0;              // > invoked; of an operation without result: not looked at
};

// What a correct service does if it is asked one thing after another.
class SequentialModel {
 public:
  struct Outcome {
    std::string state;
    std::string result;
  };

  virtual ~SequentialModel() = default;
  virtual std::string InitialState() = 0;
  // What `call` does in `state`; nothing: it cannot happen there, and waits. A pure function: it is
  // asked once for each pair.
  virtual std::optional<Outcome> Apply(const std::string& state, const std::string& call) = 0;
};

struct LinearizabilityResult {
  enum class Verdict {
    kLinearizable,
    kIllegal,
    kUnknown,  // given up at the limit
  };
  Verdict verdict = Verdict::kLinearizable;
  uint64_t steps = 0;  // operations that were tried in some state
  // kIllegal: the operation whose return ends the shortest illegal prefix: what was returned before
  // it can be explained, and this not. An index of the history. If `steps_max` more steps did not
  // find the shortest, the shortest that they found, and `order` explains what it can.
  size_t culprit = 0;
  // An order that explains all results (kIllegal: all that were returned before the culprit's), as
  // far as it was needed, and the state that it leads to. kUnknown: empty.
  std::vector<size_t> order;
  std::string state;
};

// Looks for an order of the operations in which each happens between its invocation and its return
// and the model gives every result that was seen.
//
// The search goes along the history, depth first, and lets an operation happen as late as it can:
// when one returns that has not happened yet, it happens, perhaps after some that are under way.
// The same position, state and set of operations that have happened and not returned is looked at
// once. `steps_max` limits the work and not the time, so that a verdict repeats.
LinearizabilityResult CheckLinearizability(const std::vector<Operation>& history,
                                           SequentialModel& model, uint64_t steps_max);

}  // namespace skysim

#endif  // SIMNET_CHECK_LINEARIZABILITY_H_
