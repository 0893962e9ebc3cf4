#include "simnet/check/order.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

using Kind = MessageClass::Kind;

constexpr MessageClass kSmallSend{Kind::kSend, false};
constexpr MessageClass kLargeSend{Kind::kSend, true};
constexpr MessageClass kSmallReply{Kind::kReply, false};

uint32_t Set(MessageClass message) { return 1u << message.index(); }

// Of the flow "notices", from service 1 of node a to service 2 of node b.
class OrderFixture {
 public:
  OrderFixture() {
    contracts_.Declare("notices", {{"promised", ClaimKind::kGuarantee, Set(kSmallSend),
                                    Set(kSmallSend) | Set(kLargeSend)},
                                   {"usual", ClaimKind::kUsual, Set(kLargeSend), Set(kSmallSend)}});
  }

  absl::Status Send(const std::string& id, MessageClass message, uint32_t service = 1,
                    uint64_t start = 1) {
    return contracts_.Sent({"notices", id, "a", service, start, message});
  }

  absl::StatusOr<std::vector<OrderContracts::Judgement>> TryHandle(const std::string& id,
                                                                   uint32_t service = 2) {
    return contracts_.Handled({"notices", id, "b", service, 1, {}});
  }

  // "promised kept, usual broken"
  std::string Handle(const std::string& id, uint32_t service = 2) {
    auto judgements = TryHandle(id, service);
    REQUIRE(judgements.ok());
    std::string text;
    for (const OrderContracts::Judgement& judgement : *judgements) {
      if (!text.empty()) text += ", ";
      text += judgement.rule->name + (judgement.is_kept ? " kept" : " broken");
      if (!judgement.is_kept) detail_ = judgement.detail;
    }
    return text;
  }

  const std::string& detail() const { return detail_; }

 private:
  OrderContracts contracts_;
  std::string detail_;
};

TEST_CASE("a request is large from 32768 packed bytes on, a reply above") {
  CHECK_FALSE(MessageClass::OfSize(Kind::kSend, 32767).is_large);
  CHECK(MessageClass::OfSize(Kind::kSend, 32768).is_large);
  CHECK(MessageClass::OfSize(Kind::kCall, 32768).is_large);
  CHECK_FALSE(MessageClass::OfSize(Kind::kReply, 32768).is_large);
  CHECK(MessageClass::OfSize(Kind::kReply, 32769).is_large);
}

TEST_CASE("every class has an index of its own, below their count") {
  std::set<size_t> indexes;
  for (Kind kind : {Kind::kSend, Kind::kCall, Kind::kReply}) {
    for (bool is_large : {false, true}) indexes.insert(MessageClass{kind, is_large}.index());
  }

  CHECK(indexes.size() == MessageClass::kCount);
  CHECK(*indexes.rbegin() == MessageClass::kCount - 1);
}

TEST_CASE_METHOD(OrderFixture, "messages handled as they were sent keep their rule") {
  for (const char* id : {"1", "2", "3"}) CHECK(Send(id, kSmallSend).ok());

  CHECK(Handle("1").empty());  // nothing was before it
  CHECK(Handle("2") == "promised kept");
  CHECK(Handle("3") == "promised kept");
}

TEST_CASE_METHOD(OrderFixture, "an overtaken message breaks the rule and names both") {
  for (const char* id : {"1", "2", "3"}) CHECK(Send(id, kSmallSend).ok());

  CHECK(Handle("2").empty());
  CHECK(Handle("3") == "promised kept");
  CHECK(Handle("1") == "promised broken");
  CHECK(detail() ==
        "2 (small send) was handled before 1 (small send), which a :00000001 had sent earlier to "
        "b :00000002; expected 1 2 3, seen 2 3 1");
}

TEST_CASE_METHOD(OrderFixture, "the first rule with both classes decides, and its claim") {
  CHECK(Send("big", kLargeSend).ok());
  CHECK(Send("small", kSmallSend).ok());

  CHECK(Handle("small").empty());
  CHECK(Handle("big") == "usual broken");
}

TEST_CASE_METHOD(OrderFixture, "one message may keep one rule and break another") {
  CHECK(Send("1", kSmallSend).ok());
  CHECK(Send("big", kLargeSend).ok());
  CHECK(Send("2", kSmallSend).ok());

  CHECK(Handle("1").empty());
  CHECK(Handle("2") == "promised kept");
  CHECK(Handle("big") == "usual broken, promised kept");
}

TEST_CASE_METHOD(OrderFixture, "classes without a rule are not judged") {
  CHECK(Send("reply", kSmallReply).ok());
  CHECK(Send("push", kSmallSend).ok());

  CHECK(Handle("push").empty());
  CHECK(Handle("reply").empty());
}

TEST_CASE_METHOD(OrderFixture, "a message that never comes breaks no order") {
  CHECK(Send("lost", kSmallSend).ok());
  CHECK(Send("2", kSmallSend).ok());
  CHECK(Send("3", kSmallSend).ok());

  CHECK(Handle("2").empty());
  CHECK(Handle("3") == "promised kept");
}

TEST_CASE_METHOD(OrderFixture, "each pair of services has an order of its own") {
  CHECK(Send("1", kSmallSend, /*service=*/1).ok());
  CHECK(Send("2", kSmallSend, /*service=*/7).ok());
  CHECK(Send("3", kSmallSend, /*service=*/1).ok());

  CHECK(Handle("2").empty());
  CHECK(Handle("3", /*service=*/9).empty());  // to another than 1
  CHECK(Handle("1").empty());
}

TEST_CASE_METHOD(OrderFixture, "a node that has started again has other services") {
  CHECK(Send("1", kSmallSend, 1, /*start=*/1).ok());
  CHECK(Send("2", kSmallSend, 1, /*start=*/2).ok());

  CHECK(Handle("2").empty());
  CHECK(Handle("1").empty());
}

TEST_CASE_METHOD(OrderFixture, "a message is judged the first time it is handled") {
  CHECK(Send("1", kSmallSend).ok());
  CHECK(Send("2", kSmallSend).ok());

  CHECK(Handle("1").empty());
  CHECK(Handle("2") == "promised kept");
  CHECK(Handle("1").empty());
}

TEST_CASE_METHOD(OrderFixture, "ids are used once, and are sent before they are handled") {
  CHECK(Send("1", kSmallSend).ok());

  CHECK(Send("1", kSmallSend).message() ==
        "flow \"notices\" has a message 1 already; each has an id of its own");
  CHECK(TryHandle("2").status().message() ==
        "flow \"notices\": nobody has sent a message 2");
}

TEST_CASE_METHOD(OrderFixture, "the detail of a long detour leaves some out") {
  for (int i = 0; i < 12; ++i) CHECK(Send(std::to_string(i), kSmallSend).ok());
  for (int i = 1; i < 12; ++i) Handle(std::to_string(i));

  CHECK(Handle("0") == "promised broken");
  CHECK(detail().find("expected 0 1 2 3 4 5 6 7 8, seen 1 2 3 4 5 6 7 8 0 (some left out)") !=
        std::string::npos);
}

}  // namespace
}  // namespace skysim
