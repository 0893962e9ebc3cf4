#include "simnet/check/linearizability.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

using Verdict = LinearizabilityResult::Verdict;

constexpr uint64_t kPlenty = 1'000'000;

// "write X" -> "ok", "read" -> the state.
class RegisterModel final : public SequentialModel {
 public:
  std::string InitialState() override { return "0"; }
  std::optional<Outcome> Apply(const std::string& state, const std::string& call) override {
    ++asked;
    if (call == "read") return Outcome{state, state};
    return Outcome{std::string(absl::StripPrefix(call, "write ")), "ok"};
  }
  int asked = 0;
};

// "put X" -> "ok", "take" -> the oldest; it waits for one. Items are single letters.
class QueueModel final : public SequentialModel {
 public:
  std::string InitialState() override { return ""; }
  std::optional<Outcome> Apply(const std::string& state, const std::string& call) override {
    if (absl::StartsWith(call, "put ")) return Outcome{absl::StrCat(state, call.substr(4)), "ok"};
    if (state.empty()) return std::nullopt;
    return Outcome{state.substr(1), state.substr(0, 1)};
  }
};

Operation Done(const std::string& call, const std::string& result, uint64_t invoked,
               uint64_t returned) {
  return Operation{call, result, invoked, returned};
}

Operation Open(const std::string& call, uint64_t invoked) {
  return Operation{call, std::nullopt, invoked, 0};
}

LinearizabilityResult CheckRegister(const std::vector<Operation>& history,
                                    uint64_t steps_max = kPlenty) {
  RegisterModel model;
  return CheckLinearizability(history, model, steps_max);
}

TEST_CASE("an empty history is linearizable") {
  CHECK(CheckRegister({}).verdict == Verdict::kLinearizable);
}

TEST_CASE("operations one after another must give what the model gives") {
  LinearizabilityResult good =
      CheckRegister({Done("write 1", "ok", 1, 2), Done("read", "1", 3, 4)});
  CHECK(good.verdict == Verdict::kLinearizable);
  CHECK(good.order == std::vector<size_t>{0, 1});
  CHECK(good.state == "1");

  LinearizabilityResult bad = CheckRegister({Done("write 1", "ok", 1, 2), Done("read", "0", 3, 4)});
  CHECK(bad.verdict == Verdict::kIllegal);
  CHECK(bad.culprit == 1);
  CHECK(bad.order == std::vector<size_t>{0});
  CHECK(bad.state == "1");
}

TEST_CASE("operations at the same time may happen in any order") {
  CHECK(CheckRegister({Done("write 1", "ok", 1, 4), Done("read", "0", 2, 3)}).verdict ==
        Verdict::kLinearizable);
  CHECK(CheckRegister({Done("write 1", "ok", 1, 4), Done("read", "1", 2, 3)}).verdict ==
        Verdict::kLinearizable);
}

TEST_CASE("two reads during a write may not see the new value and then the old one") {
  LinearizabilityResult result = CheckRegister({Done("write 1", "ok", 1, 6),
                                                Done("read", "1", 2, 3),
                                                Done("read", "0", 4, 5)});
  CHECK(result.verdict == Verdict::kIllegal);
  CHECK(result.culprit == 2);
}

TEST_CASE("an operation that never returned may have happened, at any later time, or not") {
  std::vector<Operation> history = {Open("write 1", 1), Done("read", "0", 2, 3),
                                    Done("read", "0", 4, 5), Done("read", "1", 6, 7)};
  CHECK(CheckRegister(history).verdict == Verdict::kLinearizable);
  history.push_back(Done("read", "0", 8, 9));
  LinearizabilityResult result = CheckRegister(history);
  CHECK(result.verdict == Verdict::kIllegal);
  CHECK(result.culprit == 4);
}

TEST_CASE("a call that cannot happen in a state waits for another state") {
  QueueModel model;
  CHECK(CheckLinearizability({Done("take", "a", 1, 4), Done("put a", "ok", 2, 3)}, model, kPlenty)
            .verdict == Verdict::kLinearizable);
  CHECK(CheckLinearizability({Done("take", "a", 1, 2), Done("put a", "ok", 3, 4)}, model, kPlenty)
            .verdict == Verdict::kIllegal);
}

TEST_CASE("what an operation returns later does not make a prefix illegal") {
  // The read of 2 is right as long as the write may still give anything but "ok".
  std::vector<Operation> history = {Done("write 2", "refused", 1, 6), Done("read", "2", 2, 3),
                                    Done("read", "2", 4, 5)};
  LinearizabilityResult result = CheckRegister(history);
  CHECK(result.verdict == Verdict::kIllegal);
  CHECK(result.culprit == 0);
  CHECK(result.order == std::vector<size_t>{0, 1, 2});
}

TEST_CASE("the shortest illegal prefix ends with the culprit, whatever comes later") {
  std::vector<Operation> history = {Done("write 1", "ok", 1, 2), Done("read", "2", 3, 4)};
  for (uint64_t i = 0; i < 50; ++i) {
    history.push_back(Done("read", "1", 5 + 2 * i, 6 + 2 * i));
  }

  LinearizabilityResult result = CheckRegister(history);
  CHECK(result.verdict == Verdict::kIllegal);
  CHECK(result.culprit == 1);
}

// n writes of different values at once and a read of a value that nobody wrote: every order of the
// writes has to be looked at.
std::vector<Operation> HardHistory(uint64_t n) {
  std::vector<Operation> history;
  for (uint64_t i = 0; i < n; ++i) {
    history.push_back(Done(absl::StrCat("write ", i + 1), "ok", i, 1000 + i));
  }
  history.push_back(Done("read", "none", 500, 600));
  return history;
}

TEST_CASE("a search that is too long ends at its limit, the same each time") {
  LinearizabilityResult result = CheckRegister(HardHistory(20), 5000);
  CHECK(result.verdict == Verdict::kUnknown);
  CHECK(result.steps == 5000);
  CHECK(result.order.empty());
}

TEST_CASE("the same state after the same operations is looked at once") {
  LinearizabilityResult result = CheckRegister(HardHistory(10));
  CHECK(result.verdict == Verdict::kIllegal);
  // Sets of writes that have happened, the last of them, and the operation that is tried, in three
  // searches: 3 * 2^10 * 10 * 11 at most; the orders of ten writes would be 3.6 million.
  CHECK(result.steps < 3 * 1024 * 10 * 11);
}

TEST_CASE("the model is asked once for each state and call of a search") {
  RegisterModel model;
  CheckLinearizability(HardHistory(10), model, kPlenty);
  CHECK(model.asked <= 3 * 11 * 11);
}

TEST_CASE("a history of twenty thousand operations needs no deep stack") {
  std::vector<Operation> history;
  for (uint64_t i = 0; i < 20'000; ++i) {
    history.push_back(Done(absl::StrCat("write ", i % 3), "ok", 2 * i, 2 * i + 1));
  }
  CHECK(CheckRegister(history).verdict == Verdict::kLinearizable);
}

// -- Against every permutation --------------------------------------------------------------------

// Whether `order`, a permutation of the operations, explains their results. Those that never
// returned may stand where they are or be left out: tried both ways.
bool Explains(const std::vector<Operation>& history, const std::vector<size_t>& order,
              SequentialModel& model) {
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t k = i + 1; k < order.size(); ++k) {
      const Operation& later = history[order[k]];
      if (later.result.has_value() && later.returned < history[order[i]].invoked) return false;
    }
  }
  std::vector<std::string> states = {model.InitialState()};
  for (size_t operation : order) {
    std::vector<std::string> next;
    for (const std::string& state : states) {
      if (!history[operation].result.has_value()) next.push_back(state);
      auto outcome = model.Apply(state, history[operation].call);
      if (!outcome.has_value()) continue;
      if (history[operation].result.value_or(outcome->result) == outcome->result) {
        next.push_back(outcome->state);
      }
    }
    states = std::move(next);
  }
  return !states.empty();
}

bool IsLinearizableByForce(const std::vector<Operation>& history, SequentialModel& model) {
  std::vector<size_t> order(history.size());
  std::iota(order.begin(), order.end(), size_t{0});
  do {
    if (Explains(history, order, model)) return true;
  } while (std::next_permutation(order.begin(), order.end()));
  return false;
}

// The part of `history` up to position `end`: what returned later is under way.
std::vector<Operation> Prefix(const std::vector<Operation>& history, uint64_t end) {
  std::vector<Operation> prefix;
  for (Operation operation : history) {
    if (operation.invoked > end) continue;
    if (operation.result.has_value() && operation.returned > end) operation.result.reset();
    prefix.push_back(std::move(operation));
  }
  return prefix;
}

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  // 0 .. bound - 1; the same on every machine, unlike uniform_int_distribution.
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(engine_()) % bound; }

 private:
  std::mt19937 engine_;
};

std::vector<Operation> RandomHistory(Random& random, bool is_queue) {
  std::vector<uint64_t> positions(2 * (2 + random.Below(5)));
  std::iota(positions.begin(), positions.end(), uint64_t{1});
  for (size_t i = positions.size(); i > 1; --i) {
    std::swap(positions[i - 1], positions[random.Below(static_cast<uint32_t>(i))]);
  }
  std::vector<Operation> history;
  for (size_t i = 0; i < positions.size(); i += 2) {
    auto [first, last] = std::minmax(positions[i], positions[i + 1]);
    std::string value(1, static_cast<char>('0' + random.Below(3)));
    bool is_change = random.Below(2) == 0;
    Operation operation = is_queue
        ? (is_change ? Done("put " + value, "ok", first, last) : Done("take", value, first, last))
        : (is_change ? Done("write " + value, "ok", first, last)
                     : Done("read", value, first, last));
    if (random.Below(6) == 0) operation.result.reset();
    history.push_back(std::move(operation));
  }
  return history;
}

// What is true of every result, whatever the history.
void ExpectSound(const std::vector<Operation>& history, const LinearizabilityResult& result,
                 SequentialModel& model) {
  bool is_linearizable = IsLinearizableByForce(history, model);
  REQUIRE((result.verdict == Verdict::kLinearizable) == is_linearizable);
  const uint64_t end = is_linearizable ? UINT64_MAX : history[result.culprit].returned;
  std::string state = model.InitialState();
  size_t explained = 0;
  for (size_t index : result.order) {
    const Operation& operation = history[index];
    auto outcome = model.Apply(state, operation.call);
    REQUIRE(outcome.has_value());
    state = outcome->state;
    if (!operation.result.has_value() || operation.returned >= end) continue;
    REQUIRE(*operation.result == outcome->result);
    ++explained;
  }
  CHECK(state == result.state);
  CHECK(explained == static_cast<size_t>(std::count_if(
                         history.begin(), history.end(), [&](const Operation& operation) {
                           return operation.result.has_value() && operation.returned < end;
                         })));
  if (is_linearizable) return;
  CHECK_FALSE(IsLinearizableByForce(Prefix(history, end), model));
  CHECK(IsLinearizableByForce(Prefix(history, end - 1), model));
}

TEST_CASE("verdicts on small histories are those of trying every permutation") {
  Random random(20240607);
  int illegal = 0;
  constexpr int kHistories = 1000;
  for (int i = 0; i < kHistories; ++i) {
    const bool is_queue = i % 2 != 0;
    std::vector<Operation> history = RandomHistory(random, is_queue);
    RegisterModel cell;
    QueueModel queue;
    SequentialModel& model = is_queue ? static_cast<SequentialModel&>(queue) : cell;
    LinearizabilityResult result = CheckLinearizability(history, model, kPlenty);
    INFO("history " << i);
    ExpectSound(history, result, model);
    illegal += result.verdict == Verdict::kIllegal ? 1 : 0;
  }
  CHECK(illegal > kHistories / 10);
  CHECK(illegal < kHistories * 9 / 10);
}

// Clients that use a real register, each operation taking effect somewhere between its ends, so
// that the history is linearizable by construction; then one result is changed to a value that was
// never written.
std::vector<Operation> PlayedHistory(Random& random, int clients, int operations) {
  struct Client {
    Operation operation;
    int phase = 0;  // 0: idle, 1: asked, 2: has happened
  };
  std::vector<Client> all(static_cast<size_t>(clients));
  std::vector<Operation> history;
  RegisterModel model;
  std::string state = model.InitialState();
  uint64_t position = 0;
  while (static_cast<int>(history.size()) < operations) {
    Client& client = all[random.Below(static_cast<uint32_t>(clients))];
    if (client.phase == 0) {
      std::string call = random.Below(2) == 0 ? "read" : absl::StrCat("write ", random.Below(5));
      client.operation = Operation{call, std::nullopt, ++position, 0};
    } else if (client.phase == 1) {
      auto outcome = model.Apply(state, client.operation.call);
      state = outcome->state;
      client.operation.result = outcome->result;
    } else {
      client.operation.returned = ++position;
      history.push_back(client.operation);
    }
    client.phase = (client.phase + 1) % 3;
  }
  for (Client& client : all) {
    if (client.phase == 0) continue;
    client.operation.result.reset();  // it may have happened: nobody was told
    history.push_back(client.operation);
  }
  return history;
}

TEST_CASE("what was played on a real register is linearizable; a value from nowhere is not") {
  for (uint32_t seed = 1; seed <= 15; ++seed) {
    Random random(seed);
    std::vector<Operation> history = PlayedHistory(random, 6, 200);
    INFO("seed " << seed);
    CHECK(CheckRegister(history).verdict == Verdict::kLinearizable);

    auto read = std::find_if(history.begin() + 100, history.end(), [](const Operation& operation) {
      return operation.call == "read" && operation.result.has_value();
    });
    REQUIRE(read != history.end());
    read->result = "nowhere";
    LinearizabilityResult result = CheckRegister(history);
    CHECK(result.verdict == Verdict::kIllegal);
    CHECK(result.culprit == static_cast<size_t>(read - history.begin()));
  }
}

}  // namespace
}  // namespace skysim
