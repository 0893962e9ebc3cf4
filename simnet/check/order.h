#ifndef SIMNET_CHECK_ORDER_H_
#define SIMNET_CHECK_ORDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "simnet/scenario/run.h"

namespace skysim {

// What decides how a message travels between two nodes: a reply takes the connection of its caller,
// a call or a send that of its sender; from 32 KiB on a message is cut into parts, which wait.
struct MessageClass {
  enum class Kind : uint8_t { kSend, kCall, kReply };
  static constexpr size_t kCount = 6;
  Kind kind = Kind::kSend;
  bool is_large = false;

  size_t index() const { return static_cast<size_t>(kind) * 2 + (is_large ? 1 : 0); }
  // Of `bytes` packed bytes. What skynet does: a request is cut from 32768 on, a reply above.
  static MessageClass OfSize(Kind kind, uint64_t bytes);
  // "large send".
  std::string ToString() const;
};

// Messages of some classes that one service sends to another are handled before those of other
// classes that it sends later. A set of classes has bit MessageClass::index().
struct OrderRule {
  std::string name;                          // of the property
  ClaimKind claim = ClaimKind::kGuarantee;   // or kUsual
  uint32_t earlier = 0, later = 0;           // sets of classes
};

// A message at one of its ends, where a service says what it does with it.
struct OrderMark {
  std::string flow;          // its conversation
  std::string id;            // within the flow
  std::string node;
  uint32_t service = 0;
  uint64_t start = 0;        // which start of the node: a later one has other services
  MessageClass message;      // of the sender's mark
};

// OrderContracts judges in which order messages are handled. A contract is for a *flow*, which
// services name: each pair of services in it has an order of its own. A message that never comes
// breaks no order. Two messages are judged by the first rule of their flow that has their classes.
// One thread.
class OrderContracts final {
 public:
  // What a message that was handled says of one rule.
  struct Judgement {
    const OrderRule* rule;  // valid as long as the contracts
    bool is_kept = false;
    std::string detail;     // if it is not: the two messages, the order expected and the one seen
  };

  OrderContracts() = default;
  OrderContracts(const OrderContracts&) = delete;
  OrderContracts& operator=(const OrderContracts&) = delete;

  // Adds a contract; its flow has none so far.
  void Declare(const std::string& flow, std::vector<OrderRule> rules);
  bool Has(const std::string& flow) const { return flows_.count(flow) > 0; }

  // A service is about to send a message of a flow that Has(). InvalidArgument: the flow has a
  // message of that id.
  absl::Status Sent(const OrderMark& mark);
  // A service handles a message. At most one judgement for each rule; none for a message that is
  // handled once more. InvalidArgument: nobody has sent it.
  absl::StatusOr<std::vector<Judgement>> Handled(const OrderMark& mark);

 private:
  static constexpr int kNoRule = -1;
  // Who: node, its start, service.
  using Place = std::tuple<std::string, uint64_t, uint32_t>;
  struct Message {
    std::string id;
    uint64_t number = 0;  // in the order in which its sender sent them
    MessageClass message;
    bool is_handled = false;
  };
  struct Flow {
    std::vector<OrderRule> rules;
    // earlier class, later class -> index of the rule, or kNoRule.
    std::array<std::array<int, MessageClass::kCount>, MessageClass::kCount> rule_of;
    std::map<std::string, std::pair<Place, Message>> messages;  // by id
    std::map<Place, uint64_t> sent;                             // how many
    // sender, receiver -> what was handled, in that order
    std::map<std::pair<Place, Place>, std::vector<Message>> handled;
  };

  static std::string Describe(const std::vector<Message>& handled, size_t overtaker,
                              const Message& late, const Place& from, const Place& to);

  std::map<std::string, Flow> flows_;
};

}  // namespace skysim

#endif  // SIMNET_CHECK_ORDER_H_
