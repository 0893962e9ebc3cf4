#include "simnet/check/order.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace skysim {
namespace {

constexpr uint64_t kPartBytes = 0x8000;  // of a message that is cut
constexpr size_t kShown = 8;             // messages in the detail of a failure

bool Contains(uint32_t classes, size_t index) { return (classes >> index & 1) != 0; }

}  // namespace

// -- MessageClass --------------------------------------------------------------------------------

MessageClass MessageClass::OfSize(Kind kind, uint64_t bytes) {
  return MessageClass{kind, kind == Kind::kReply ? bytes > kPartBytes : bytes >= kPartBytes};
}

std::string MessageClass::ToString() const {
  absl::string_view name = kind == Kind::kSend ? "send" : kind == Kind::kCall ? "call" : "reply";
  return absl::StrCat(is_large ? "large " : "small ", name);
}

// -- OrderContracts ------------------------------------------------------------------------------

void OrderContracts::Declare(const std::string& flow_name, std::vector<OrderRule> rules) {
  CHECK(!Has(flow_name)) << flow_name;
  Flow& flow = flows_[flow_name];
  for (size_t earlier = 0; earlier < MessageClass::kCount; ++earlier) {
    for (size_t later = 0; later < MessageClass::kCount; ++later) {
      auto rule = std::find_if(rules.begin(), rules.end(), [&](const OrderRule& candidate) {
        return Contains(candidate.earlier, earlier) && Contains(candidate.later, later);
      });
      flow.rule_of[earlier][later] =
          rule == rules.end() ? kNoRule : static_cast<int>(rule - rules.begin());
    }
  }
  flow.rules = std::move(rules);
}

absl::Status OrderContracts::Sent(const OrderMark& mark) {
  Flow& flow = flows_.at(mark.flow);
  Place from(mark.node, mark.start, mark.service);
  auto [entry, is_new] = flow.messages.try_emplace(mark.id);
  if (!is_new) {
    return absl::InvalidArgumentError(absl::StrCat(
        "flow \"", mark.flow, "\" has a message ", mark.id, " already; each has an id of its own"));
  }
  entry->second = {from, Message{mark.id, flow.sent[from]++, mark.message, false}};
  return absl::OkStatus();
}

absl::StatusOr<std::vector<OrderContracts::Judgement>> OrderContracts::Handled(
    const OrderMark& mark) {
  Flow& flow = flows_.at(mark.flow);
  auto entry = flow.messages.find(mark.id);
  if (entry == flow.messages.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("flow \"", mark.flow, "\": nobody has sent a message ", mark.id));
  }
  auto& [from, message] = entry->second;
  std::vector<Judgement> judgements;
  if (std::exchange(message.is_handled, true)) return judgements;
  Place to(mark.node, mark.start, mark.service);
  std::vector<Message>& handled = flow.handled[{from, to}];

  std::vector<bool> is_judged(flow.rules.size());
  auto judge = [&](int rule, bool is_kept, std::string detail) {
    is_judged[static_cast<size_t>(rule)] = true;
    judgements.push_back({&flow.rules[static_cast<size_t>(rule)], is_kept, std::move(detail)});
  };
  auto is_open = [&](int rule) {
    return rule != kNoRule && !is_judged[static_cast<size_t>(rule)];
  };
  const size_t index = message.message.index();
  for (size_t i = 0; i < handled.size(); ++i) {
    if (handled[i].number < message.number) continue;
    int rule = flow.rule_of[index][handled[i].message.index()];
    if (is_open(rule)) judge(rule, false, Describe(handled, i, message, from, to));
  }
  for (const Message& before : handled) {
    int rule = flow.rule_of[before.message.index()][index];
    if (before.number < message.number && is_open(rule)) judge(rule, true, "");
  }
  handled.push_back(message);
  return judgements;
}

// `late` is handled now, and was sent before handled[overtaker].
std::string OrderContracts::Describe(const std::vector<Message>& handled, size_t overtaker,
                                     const Message& late, const Place& from, const Place& to) {
  std::vector<Message> seen(handled.begin() + static_cast<ptrdiff_t>(overtaker),
                            handled.begin() + static_cast<ptrdiff_t>(std::min(
                                                  handled.size(), overtaker + kShown)));
  const bool is_cut = overtaker + kShown < handled.size();
  seen.push_back(late);
  std::vector<Message> expected = seen;
  std::sort(expected.begin(), expected.end(),
            [](const Message& a, const Message& b) { return a.number < b.number; });
  auto ids = [](const std::vector<Message>& messages) {
    return absl::StrJoin(messages, " ", [](std::string* out, const Message& message) {
      absl::StrAppend(out, message.id);
    });
  };
  auto name = [](const Place& place) {
    return absl::StrFormat("%s :%08x", std::get<0>(place), std::get<2>(place));
  };
  const Message& first = handled[overtaker];
  return absl::StrCat(first.id, " (", first.message.ToString(), ") was handled before ", late.id,
                      " (", late.message.ToString(), "), which ", name(from),
                      " had sent earlier to ", name(to), "; expected ", ids(expected), ", seen ",
                      ids(seen), is_cut ? " (some left out)" : "");
}

}  // namespace skysim
