#include "simnet/scenario/network_module.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "simnet/network/network.h"
#include "simnet/scenario/director.h"
#include "simnet/scenario/service_module.h"
#include "simnet/scenario/verb.h"

namespace skysim {
namespace {

// Headers of IPv4 and TCP, without options.
constexpr uint32_t kIpAndTcpBytes = 40;

// -- How links behave -----------------------------------------------------------------------------

void RatioField(lua_State* L, int table, const std::string& key, Ratio* ratio) {
  IntegerField(L, table, key.c_str(), &ratio->numerator);
  IntegerField(L, table, absl::StrCat(key, "_of").c_str(), &ratio->denominator);
}

// Changes those fields of a link that the table of sim.units has.
void ReadLink(lua_State* L, int table, LinkConfig* link) {
  std::string shape = TextField(L, table, "shape");
  if (!shape.empty()) {
    link->delay.shape = shape == "uniform"       ? Delay::Shape::kUniform
                        : shape == "exponential" ? Delay::Shape::kExponential
                                                 : Delay::Shape::kConstant;
  }
  IntegerField(L, table, "min_ns", &link->delay.min_ns);
  IntegerField(L, table, "max_ns", &link->delay.max_ns);
  IntegerField(L, table, "mean_ns", &link->delay.mean_ns);
  IntegerField(L, table, "bandwidth", &link->bandwidth_bytes_per_s);
  IntegerField(L, table, "jitter_ns", &link->jitter_ns);
  IntegerField(L, table, "queue", &link->queue_bytes);
  IntegerField(L, table, "mss", &link->mss_bytes);
  IntegerField(L, table, "mtu", &link->mtu_bytes);
  link->mtu_bytes = std::max(link->mtu_bytes, link->mss_bytes + kIpAndTcpBytes);
  IntegerField(L, table, "window", &link->receive_window_bytes);
  IntegerField(L, table, "send_buffer", &link->send_buffer_bytes);
  RatioField(L, table, "loss", &link->loss);
  RatioField(L, table, "enter", &link->bursts.enter);
  RatioField(L, table, "leave", &link->bursts.leave);
  RatioField(L, table, "burst_loss", &link->bursts.loss);
  RatioField(L, table, "calm_loss", &link->bursts.calm_loss);
  RatioField(L, table, "split", &link->split);
  RatioField(L, table, "duplicate", &link->duplicate);
  RatioField(L, table, "reorder", &link->reorder);
}

// set_link(from, to, fields, description)
int SetLink(lua_State* L) {
  Network& network = NetworkFor(L, "a link");
  Ends ends = KnownEnds(L);
  absl::StatusOr<LinkConfig> link = network.GetLink(ends.from, ends.to);
  CheckVerb(L, link.status());
  ReadLink(L, 3, &*link);
  NoteFault(L, absl::StrCat("link ", Arrow(ends), " ", lua_tostring(L, 4)));
  CheckVerb(L, network.SetLink(ends.from, ends.to, *link));
  return 0;
}

// Real sockets are as fast as they are.
int SetDefaultLink(lua_State* L) {
  Network* network = DirectorOf(L).stage().simulated_network();
  if (network != nullptr) ReadLink(L, 1, &network->DefaultLink());
  return 0;
}

// -- What links keep ------------------------------------------------------------------------------

int Hold(lua_State* L) {
  Network& network = NetworkFor(L, "link:hold");
  Ends ends = KnownEnds(L);
  NoteFault(L, absl::StrCat("hold ", Arrow(ends)));
  CheckVerb(L, network.Hold(ends.from, ends.to));
  return 0;
}

// The list of numbers at `index`.
std::vector<uint64_t> Numbers(lua_State* L, int index) {
  std::vector<uint64_t> numbers;
  for (lua_Integer i = 1; lua_geti(L, index, i) != LUA_TNIL; ++i, lua_pop(L, 1)) {
    numbers.push_back(static_cast<uint64_t>(lua_tointeger(L, -1)));
  }
  lua_pop(L, 1);
  return numbers;
}

// release(from, to, { is_one_chunk =, bytes =, at = }, description)
int Release(lua_State* L) {
  Network& network = NetworkFor(L, "link:release");
  Ends ends = KnownEnds(L);
  Pieces pieces;
  lua_getfield(L, 3, "is_one_chunk");
  pieces.is_one_chunk = lua_toboolean(L, -1) != 0;
  IntegerField(L, 3, "bytes", &pieces.bytes);
  if (lua_getfield(L, 3, "at") == LUA_TTABLE) pieces.at = Numbers(L, lua_gettop(L));
  NoteFault(L, absl::StrCat("release ", Arrow(ends), lua_tostring(L, 4)));
  CheckVerb(L, network.Release(ends.from, ends.to, pieces));
  return 0;
}

// cut(from, to, lengths, description)
int Cut(lua_State* L) {
  Network& network = NetworkFor(L, "link:cut");
  Ends ends = KnownEnds(L);
  NoteFault(L, absl::StrCat("cut ", Arrow(ends), " ", lua_tostring(L, 4)));
  CheckVerb(L, network.Cut(ends.from, ends.to, Numbers(L, 3)));
  return 0;
}

int Held(lua_State* L) {
  Network& network = NetworkFor(L, "link:held");
  Ends ends = KnownEnds(L);
  absl::StatusOr<uint64_t> bytes = network.HeldBytes(ends.from, ends.to);
  CheckVerb(L, bytes.status());
  lua_pushinteger(L, static_cast<lua_Integer>(*bytes));
  return 1;
}

// -- Processes and middle boxes -------------------------------------------------------------------

// A node at index 1 that runs.
std::string RunningNode(lua_State* L) {
  std::string name = KnownNode(L, 1);
  CheckVerb(L, DirectorOf(L).CheckRuns(name));
  return name;
}

// limit_fds(node, count)
int LimitDescriptors(lua_State* L) {
  Network& network = NetworkFor(L, "world:limit_fds");
  std::string name = RunningNode(L);
  const lua_Integer count = lua_tointeger(L, 2);
  NoteFault(L, count == 0 ? absl::StrCat("no limit of descriptors for ", name)
                          : absl::StrCat("limit ", name, " to ", count, " descriptors"));
  CheckVerb(L, network.LimitDescriptors(name, static_cast<size_t>(count)));
  return 0;
}

// declare_fds(node, count), of a node that need not run. Real sockets have the limit that there is.
int DeclareDescriptors(lua_State* L) {
  Network* network = DirectorOf(L).stage().simulated_network();
  if (network == nullptr) return 0;
  CheckVerb(L, network->LimitDescriptors(KnownNode(L, 1), static_cast<size_t>(lua_tointeger(L, 2))));
  return 0;
}

// slow_accept(node, ns)
int SlowAccept(lua_State* L) {
  Network& network = NetworkFor(L, "world:slow_accept");
  std::string name = RunningNode(L);
  const int64_t delay_ns = lua_tointeger(L, 2);
  NoteFault(L, absl::StrCat(name, " accepts after ", delay_ns, " ns"));
  CheckVerb(L, network.SetAcceptDelay(name, delay_ns));
  return 0;
}

// stall_sockets(node, on)
int StallSockets(lua_State* L) {
  const bool on = lua_toboolean(L, 2) != 0;
  Network& network = NetworkFor(L, on ? "world:stall_sockets" : "world:resume_sockets");
  std::string name = RunningNode(L);
  NoteFault(L, absl::StrCat(on ? "stall" : "resume", " sockets of ", name));
  CheckVerb(L, network.StallSockets(name, on));
  return 0;
}

// forget_idle(from, to, ns, resets)
int ForgetIdle(lua_State* L) {
  Network& network = NetworkFor(L, "world:forget_idle");
  Ends ends = KnownEnds(L);
  const int64_t idle_ns = lua_tointeger(L, 3);
  const bool resets = lua_toboolean(L, 4) != 0;
  NoteFault(L, idle_ns == 0 ? absl::StrCat("remember connections ", Arrow(ends))
                            : absl::StrCat("forget connections ", Arrow(ends), " idle for ",
                                           idle_ns, " ns, and ", resets ? "reset" : "drop"));
  CheckVerb(L, network.ForgetIdle(ends.from, ends.to, idle_ns, resets));
  return 0;
}

// -- Messages in flight ---------------------------------------------------------------------------

void PushMessage(lua_State* L, const MessageInFlight& message) {
  lua_newtable(L);
  SetInteger(L, "id", static_cast<int64_t>(message.id));
  SetText(L, "from", message.from);
  SetText(L, "to", message.to);
  SetText(L, "kind", message.kind);
  SetInteger(L, "bytes", static_cast<int64_t>(message.bytes));
  SetInteger(L, "sent", message.sent_ns);
  if (!message.is_held) SetInteger(L, "arrives", message.arrival_ns);
  if (message.connection != 0) {
    SetInteger(L, "connection", static_cast<int64_t>(message.connection));
  }
  lua_pushboolean(L, message.has_fin ? 1 : 0);
  lua_setfield(L, -2, "fin");
  lua_pushboolean(L, message.is_held ? 1 : 0);
  lua_setfield(L, -2, "held");
}

// in_flight([from, to])
int ListInFlight(lua_State* L) {
  Network& network = NetworkFor(L, "world:in_flight");
  std::string from, to;
  if (!lua_isnoneornil(L, 1)) from = KnownNode(L, 1);
  if (!lua_isnoneornil(L, 2)) to = KnownNode(L, 2);
  lua_newtable(L);
  lua_Integer index = 0;
  for (const MessageInFlight& message : network.ListInFlight()) {
    if (!from.empty() && message.from != from) continue;
    if (!to.empty() && message.to != to) continue;
    PushMessage(L, message);
    lua_seti(L, -2, ++index);
  }
  return 1;
}

// act_on_message(verb, id)
int ActOnMessage(lua_State* L) {
  std::string verb = lua_tostring(L, 1);
  Network& network = NetworkFor(L, absl::StrCat("world:", verb));
  const auto id = static_cast<uint64_t>(lua_tointeger(L, 2));
  const absl::Status status = verb == "deliver" ? network.Deliver(id)
                              : verb == "drop"  ? network.Drop(id)
                              : verb == "hold"  ? network.HoldMessage(id)
                                                : network.ReleaseMessage(id);
  CheckVerb(L, status);
  NoteFault(L, absl::StrCat(verb, " message ", id));
  return 0;
}

constexpr luaL_Reg kFunctions[] = {
    {"set_link", &SetLink}, {"set_default_link", &SetDefaultLink},
    {"hold", &Hold}, {"release", &Release}, {"held", &Held}, {"cut", &Cut},
    {"limit_fds", &LimitDescriptors}, {"declare_fds", &DeclareDescriptors},
    {"slow_accept", &SlowAccept}, {"stall_sockets", &StallSockets}, {"forget_idle", &ForgetIdle},
    {"in_flight", &ListInFlight}, {"act_on_message", &ActOnMessage},
    {nullptr, nullptr},
};

}  // namespace

void SetNetworkFunctions(lua_State* L, Director& director) {
  SetFunctions(L, kFunctions, director);
}

}  // namespace skysim
