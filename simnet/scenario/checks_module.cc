#include "simnet/scenario/checks_module.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/node.h"
#include "engine/core/service_context.h"
#include "engine/lua/seri_lua.h"
#include "engine/lua/vm.h"
#include "simnet/check/linearizability.h"
#include "simnet/check/order.h"
#include "simnet/scenario/director.h"
#include "simnet/scenario/service_module.h"
#include "simnet/scenario/story_tasks.h"

namespace skysim {
namespace {

std::string CheckText(lua_State* L, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(L, index, &size);
  return std::string(text, size);
}

// -- Order ---------------------------------------------------------------------------------------

MessageClass::Kind KindOf(absl::string_view name) {
  if (name == "send") return MessageClass::Kind::kSend;
  if (name == "call") return MessageClass::Kind::kCall;
  return MessageClass::Kind::kReply;
}

OrderMark MarkOf(lua_State* L) {
  VmContext& vm = VmOf(L);
  OrderMark mark;
  mark.flow = CheckText(L, 1);
  mark.id = CheckText(L, 2);
  mark.node = vm.node->name();
  mark.service = vm.service->handle();
  return mark;
}

// A mark is an event of the trace, as a probe is.
void RecordMark(lua_State* L, absl::string_view text) {
  VmContext& vm = VmOf(L);
  Event event{EventKind::kProbe};
  event.service = vm.service->handle();
  event.cause = vm.service->cause();
  event.text = text;
  vm.platform->observer.Record(event);
}

// sent(flow, id, kind, bytes)
int Sent(lua_State* L) {
  OrderMark mark = MarkOf(L);
  mark.message = MessageClass::OfSize(KindOf(CheckText(L, 3)),
                                      static_cast<uint64_t>(luaL_checkinteger(L, 4)));
  RecordMark(L, absl::StrCat("sent ", mark.flow, " ", mark.id, ", ", mark.message.ToString()));
  DirectorOf(L).PostSent(std::move(mark), PlaceOf(L));
  return 0;
}

// handled(flow, id)
int Handled(lua_State* L) {
  OrderMark mark = MarkOf(L);
  RecordMark(L, absl::StrCat("handled ", mark.flow, " ", mark.id));
  DirectorOf(L).PostHandled(VmOf(L).platform->observer, std::move(mark), PlaceOf(L));
  return 0;
}

// declare_order(flow, { { name =, claim =, earlier =, later = }, ... })
int DeclareOrder(lua_State* L) {
  Director& director = DirectorOf(L);
  std::vector<OrderRule> rules;
  for (lua_Integer i = 1; lua_geti(L, 2, i) == LUA_TTABLE; ++i, lua_settop(L, 2)) {
    OrderRule rule;
    lua_getfield(L, 3, "name");
    rule.name = CheckText(L, -1);
    lua_getfield(L, 3, "claim");
    rule.claim = CheckText(L, -1) == "usual" ? ClaimKind::kUsual : ClaimKind::kGuarantee;
    lua_getfield(L, 3, "earlier");
    rule.earlier = static_cast<uint32_t>(luaL_checkinteger(L, -1));
    lua_getfield(L, 3, "later");
    rule.later = static_cast<uint32_t>(luaL_checkinteger(L, -1));
    absl::Status status = director.Declare(PropertyKind::kAlways, rule.claim, rule.name);
    if (!status.ok()) Raise(L, status.message());
    rules.push_back(std::move(rule));
  }
  director.order().Declare(CheckText(L, 1), std::move(rules));
  return 0;
}

// -- Histories -----------------------------------------------------------------------------------

// record(name, ...): a probe of the story.
int Record(lua_State* L) {
  Director& director = DirectorOf(L);
  Probe probe;
  probe.name = CheckText(L, 1);
  probe.node = "story";
  SeriBuffer packed(director.memory());
  PackValues(L, 2, packed);
  probe.packed = std::string(packed.view());
  director.Note(EventKind::kProbe, probe.name);
  director.PostProbe(std::move(probe));
  return 0;
}

// starts(node) -> how often it was started so far
int Starts(lua_State* L) {
  lua_pushinteger(L, static_cast<lua_Integer>(DirectorOf(L).StartsOf(CheckText(L, 1))));
  return 1;
}

// A model that a Lua function is: apply(state, call) -> state, result; or nothing. What it raises
// goes through the search to the story.
class LuaModel final : public SequentialModel {
 public:
  LuaModel(lua_State* L, std::string initial, int apply)
      : lua_(L), initial_(std::move(initial)), apply_(apply) {}

  std::string InitialState() override { return initial_; }

  std::optional<Outcome> Apply(const std::string& state, const std::string& call) override {
    lua_pushvalue(lua_, apply_);
    lua_pushlstring(lua_, state.data(), state.size());
    lua_pushlstring(lua_, call.data(), call.size());
    lua_call(lua_, 2, 2);
    std::optional<Outcome> outcome;
    if (!lua_isnil(lua_, -2)) outcome = Outcome{CheckText(lua_, -2), CheckText(lua_, -1)};
    lua_pop(lua_, 2);
    return outcome;
  }

 private:
  lua_State* lua_;
  std::string initial_;
  int apply_;  // index on its stack
};

// { { call =, result = or nil, invoked =, returned = or nil }, ... }
std::vector<Operation> ReadOperations(lua_State* L, int table) {
  std::vector<Operation> operations;
  for (lua_Integer i = 1; lua_geti(L, table, i) == LUA_TTABLE; ++i, lua_pop(L, 1)) {
    const int entry = lua_gettop(L);
    Operation operation;
    lua_getfield(L, entry, "call");
    operation.call = CheckText(L, -1);
    lua_getfield(L, entry, "invoked");
    operation.invoked = static_cast<uint64_t>(luaL_checkinteger(L, -1));
    if (lua_getfield(L, entry, "result") != LUA_TNIL) {
      operation.result = CheckText(L, -1);
      lua_getfield(L, entry, "returned");
      operation.returned = static_cast<uint64_t>(luaL_checkinteger(L, -1));
    }
    lua_settop(L, entry);
    operations.push_back(std::move(operation));
  }
  lua_pop(L, 1);
  return operations;
}

const char* NameOf(LinearizabilityResult::Verdict verdict) {
  switch (verdict) {
    case LinearizabilityResult::Verdict::kLinearizable: return "linearizable";
    case LinearizabilityResult::Verdict::kIllegal: return "illegal";
    case LinearizabilityResult::Verdict::kUnknown: return "unknown";
  }
  return "unknown";
}

// linearize(operations, initial state, apply, most steps)
//   -> { verdict =, steps =, culprit = index, order = list of indexes, state = }
int Linearize(lua_State* L) {
  lua_settop(L, 4);
  LuaModel model(L, CheckText(L, 2), 3);
  LinearizabilityResult result = CheckLinearizability(
      ReadOperations(L, 1), model, static_cast<uint64_t>(luaL_checkinteger(L, 4)));
  lua_newtable(L);
  lua_pushstring(L, NameOf(result.verdict));
  lua_setfield(L, -2, "verdict");
  lua_pushinteger(L, static_cast<lua_Integer>(result.steps));
  lua_setfield(L, -2, "steps");
  lua_pushinteger(L, static_cast<lua_Integer>(result.culprit) + 1);
  lua_setfield(L, -2, "culprit");
  lua_pushlstring(L, result.state.data(), result.state.size());
  lua_setfield(L, -2, "state");
  lua_newtable(L);
  for (size_t i = 0; i < result.order.size(); ++i) {
    lua_pushinteger(L, static_cast<lua_Integer>(result.order[i]) + 1);
    lua_seti(L, -2, static_cast<lua_Integer>(i) + 1);
  }
  lua_setfield(L, -2, "order");
  return 1;
}

}  // namespace

void AddServiceChecks(lua_State* L, Director& director) {
  static constexpr luaL_Reg kFunctions[] = {
      {"sent", &Sent}, {"handled", &Handled}, {nullptr, nullptr}};
  SetFunctions(L, kFunctions, director);
}

void AddStoryChecks(lua_State* L, Director& director) {
  static constexpr luaL_Reg kFunctions[] = {
      {"declare_order", &DeclareOrder}, {"record", &Record}, {"starts", &Starts},
      {"linearize", &Linearize}, {nullptr, nullptr}};
  SetFunctions(L, kFunctions, director);
}

}  // namespace skysim
