#include "simnet/scenario/story_module.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/lua/seri_lua.h"
#include "simnet/network/network.h"
#include "simnet/scenario/checks_module.h"
#include "simnet/scenario/director.h"
#include "simnet/scenario/nemesis_module.h"
#include "simnet/scenario/node_module.h"
#include "simnet/scenario/network_module.h"
#include "simnet/scenario/service_module.h"
#include "simnet/scenario/story_tasks.h"
#include "simnet/scenario/verb.h"

// Nothing with a destructor may be alive where a function here waits: the work is done in a
// Start...() that returns before (tools/third_party/lua/lua_api.h).

namespace skysim {
namespace {

// In the registry: name -> list of probes; [1] = how many probes were put into lists.
constexpr char kProbeLists[] = "skysim.probes";

// -- Fields of tables ----------------------------------------------------------------------------

std::map<std::string, std::string> MapField(lua_State* L, int table, const char* key) {
  std::map<std::string, std::string> entries;
  lua_getfield(L, table, key);
  for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
    size_t size = 0;
    const char* value = lua_tolstring(L, -1, &size);
    entries[lua_tostring(L, -2)] = std::string(value, size);
  }
  lua_pop(L, 1);
  return entries;
}

std::vector<std::string> ListField(lua_State* L, int table, const char* key) {
  std::vector<std::string> list;
  lua_getfield(L, table, key);
  for (lua_Integer i = 1; lua_geti(L, -1, i) == LUA_TSTRING; ++i, lua_pop(L, 1)) {
    list.push_back(lua_tostring(L, -1));
  }
  lua_pop(L, 2);
  return list;
}

NodeDeclaration ReadNode(lua_State* L, int table) {
  NodeDeclaration node;
  NodeSpec& spec = node.spec;
  spec.name = TextField(L, table, "name");
  spec.ip = TextField(L, table, "ip");
  IntegerField(L, table, "dispatch_ns", &spec.dispatch_ns);
  spec.config = MapField(L, table, "config");
  spec.files = MapField(L, table, "files");
  node.config_file = TextField(L, table, "config_file");
  node.env = MapField(L, table, "env");
  node.defaults = MapField(L, table, "defaults");
  node.path = TextField(L, table, "path");
  ClockSpec clock;
  if (IntegerField(L, table, "clock_offset_ns", &clock.offset_ns)) {
    IntegerField(L, table, "clock_drift_ppb", &clock.drift_ppb);
    spec.clock = clock;
  }
  return node;
}

// -- Time and tasks ------------------------------------------------------------------------------

int Now(lua_State* L) {
  lua_pushinteger(L, DirectorOf(L).events().NowNs());
  return 1;
}

int Sleep(lua_State* L) { return DirectorOf(L).tasks().Sleep(L, luaL_checkinteger(L, 1)); }

int Spawn(lua_State* L) {
  uint64_t id = DirectorOf(L).tasks().Spawn(L, lua_gettop(L) - 1);
  lua_pushinteger(L, static_cast<lua_Integer>(id));
  return 1;
}

int Join(lua_State* L) {
  return DirectorOf(L).tasks().Join(L, static_cast<uint64_t>(luaL_checkinteger(L, 1)));
}

int ReturnTop(lua_State*) { return 1; }

void StartWait(lua_State* L, StoryTasks& tasks) {
  tasks.CheckMayWait(L, "world:wait_until");
  tasks.ExpectCondition(L, 1, luaL_optinteger(L, 2, -1),
                        absl::StrCat("a condition, at ", PlaceOf(L)));
}

// wait(condition, ns or nil)
int Wait(lua_State* L) {
  StoryTasks& tasks = DirectorOf(L).tasks();
  StartWait(L, tasks);
  return tasks.WaitForCondition(L, &ReturnTop);
}

// Continues liveness(name, condition, ns, within) with the answer on top.
int JudgeLiveness(lua_State* L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "skysim.director");
  Director& director = *static_cast<Director*>(lua_touserdata(L, -1));
  lua_pop(L, 1);
  director.CloseLiveness();
  bool is_true = lua_toboolean(L, -1) != 0;
  std::string detail = absl::StrCat("not true within ", lua_tostring(L, 4));
  CheckVerb(L, director.Judge({PropertyKind::kEventually, ClaimKind::kLiveness, lua_tostring(L, 1),
                           is_true, detail}));
  return 1;
}

void StartLiveness(lua_State* L, Director& director) {
  director.tasks().CheckMayWait(L, "sim.liveness");
  director.OpenLiveness(lua_tostring(L, 1));
  director.tasks().ExpectCondition(L, 2, luaL_checkinteger(L, 3),
                                   absl::StrCat("liveness \"", lua_tostring(L, 1), "\""));
}

int Liveness(lua_State* L) {
  Director& director = DirectorOf(L);
  StartLiveness(L, director);
  return director.tasks().WaitForCondition(L, &JudgeLiveness);
}

// choose(stream, bound) -> 0 .. bound-1
int Choose(lua_State* L) {
  ChoiceSource& choices = DirectorOf(L).choices();
  uint64_t value = choices.Choose(choices.Stream(luaL_checkstring(L, 1)),
                                  static_cast<uint64_t>(luaL_checkinteger(L, 2)));
  lua_pushinteger(L, static_cast<lua_Integer>(value));
  return 1;
}

// permutation(stream, n) -> list of 1 .. n. Choice 0 leaves an element where it is.
int Permutation(lua_State* L) {
  ChoiceSource& choices = DirectorOf(L).choices();
  StreamId stream = choices.Stream(luaL_checkstring(L, 1));
  std::vector<lua_Integer> order(static_cast<size_t>(luaL_checkinteger(L, 2)));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<lua_Integer>(i) + 1;
  for (size_t i = 0; i + 1 < order.size(); ++i) {
    std::swap(order[i], order[i + choices.Choose(stream, order.size() - i)]);
  }
  lua_createtable(L, static_cast<int>(order.size()), 0);
  for (size_t i = 0; i < order.size(); ++i) {
    lua_pushinteger(L, order[i]);
    lua_seti(L, -2, static_cast<lua_Integer>(i) + 1);
  }
  return 1;
}

// -- Messages ------------------------------------------------------------------------------------

// Packs what stands on the stack behind the buffer's pointer.
int PackProtected(lua_State* L) {
  PackValues(L, 2, *static_cast<SeriBuffer*>(lua_touserdata(L, 1)));
  return 0;
}

// Packs the values from `first` on. What cannot be packed is a mistake in the story's line.
void PackArguments(lua_State* L, int first, SeriBuffer& packed) {
  const int count = lua_gettop(L) - first + 1;
  luaL_checkstack(L, count + 3, "too many arguments");
  lua_pushcfunction(L, &DescribeError);
  lua_pushcfunction(L, &PackProtected);
  lua_pushlightuserdata(L, &packed);
  for (int i = 0; i < count; ++i) lua_pushvalue(L, first + i);
  if (lua_pcall(L, count + 1, 0, first + count) != LUA_OK) Raise(L, lua_tostring(L, -1));
  lua_pop(L, 1);
}

void StartCall(lua_State* L, Director& director, StoryTasks& tasks) {
  tasks.CheckMayWait(L, "world:call");
  std::string node = KnownNode(L, 1);
  std::string address = TextArgument(L, 2, "the address of a service");
  CheckVerb(L, director.CheckRuns(node));
  SeriBuffer packed(director.memory());
  PackArguments(L, 3, packed);
  std::string what = absl::StrCat("call ", node, " ", address);
  director.Note(EventKind::kStory, what);
  std::string failure = absl::StrCat(PlaceOf(L), ": ", what, ": ");
  uint64_t task = tasks.current();
  tasks.ExpectReply(absl::StrCat("reply of ", node, " ", address));
  absl::Status status = director.stage().Call(
      node, address, packed.view(),
      [&director, task, failure](absl::StatusOr<std::string> reply) {
        if (reply.ok()) return director.tasks().Answer(task, *std::move(reply));
        std::string text = absl::StrCat(failure, reply.status().message());
        director.AddCallFailure(text);
        director.tasks().FailReply(task, text);
      });
  if (!status.ok()) Raise(L, status.message());
}

// call(node, address, ...)
int Call(lua_State* L) {
  Director& director = DirectorOf(L);
  StartCall(L, director, director.tasks());
  return director.tasks().WaitForReply(L);
}

int Send(lua_State* L) {
  Director& director = DirectorOf(L);
  std::string node = KnownNode(L, 1);
  std::string address = TextArgument(L, 2, "the address of a service");
  CheckVerb(L, director.CheckRuns(node));
  SeriBuffer packed(director.memory());
  PackArguments(L, 3, packed);
  director.Note(EventKind::kStory, absl::StrCat("send ", node, " ", address));
  CheckVerb(L, director.stage().Send(node, address, packed.view()));
  return 0;
}

// Pushes the list of the probes called `name`, making it if it is new.
void PushProbeList(lua_State* L, int lists, const std::string& name) {
  if (lua_getfield(L, lists, name.c_str()) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, lists, name.c_str());
}

void PushProbe(lua_State* L, const Probe& probe) {
  lua_newtable(L);
  int table = lua_gettop(L);
  lua_pushlstring(L, probe.node.data(), probe.node.size());
  lua_setfield(L, table, "node");
  lua_pushinteger(L, probe.service);
  lua_setfield(L, table, "service");
  lua_pushinteger(L, static_cast<lua_Integer>(probe.start));
  lua_setfield(L, table, "start");
  lua_pushinteger(L, probe.time_ns);
  lua_setfield(L, table, "time");
  int count = UnpackValues(L, probe.packed.data(), probe.packed.size());
  lua_pushinteger(L, count);
  lua_setfield(L, table, "n");
  for (int i = count; i >= 1; --i) lua_seti(L, table, i);
}

// probes(name). What has come since the last question is put into the lists of its names first.
int Probes(lua_State* L) {
  const std::vector<Probe>& probes = DirectorOf(L).probes();
  std::string name = TextArgument(L, 1, "the name of a probe");
  luaL_getsubtable(L, LUA_REGISTRYINDEX, kProbeLists);
  int lists = lua_gettop(L);
  lua_geti(L, lists, 1);
  size_t next = static_cast<size_t>(lua_tointeger(L, -1));
  lua_pop(L, 1);
  for (; next < probes.size(); ++next) {
    PushProbeList(L, lists, probes[next].name);
    PushProbe(L, probes[next]);
    lua_seti(L, -2, luaL_len(L, -2) + 1);
    lua_pop(L, 1);
  }
  lua_pushinteger(L, static_cast<lua_Integer>(next));
  lua_seti(L, lists, 1);
  PushProbeList(L, lists, name);
  return 1;
}

int OnProbe(lua_State* L) {
  std::string name = TextArgument(L, 1, "the name of a probe");
  lua_settop(L, 2);
  DirectorOf(L).AddProbeHandler(std::move(name), luaL_ref(L, LUA_REGISTRYINDEX));
  return 0;
}

// note("story", text)
int Note(lua_State* L) {
  DirectorOf(L).Note(EventKind::kStory, TextArgument(L, 2, "a note"));
  return 0;
}

// -- Nodes ---------------------------------------------------------------------------------------

// describe(claim, kind, source, legacy)
int Describe(lua_State* L) {
  DirectorOf(L).SetFacts(ScenarioFacts{luaL_checkstring(L, 1), luaL_checkstring(L, 2),
                                       luaL_checkstring(L, 3), luaL_checkstring(L, 4)});
  return 0;
}

// open_world(declaration)
int OpenWorld(lua_State* L) {
  Director::Declaration declaration;
  declaration.claim = TextField(L, 1, "claim");
  declaration.project = TextField(L, 1, "project");
  for (const std::string& name : ListField(L, 1, "services")) declaration.services.insert(name);
  declaration.reachable = ListField(L, 1, "reachable");
  lua_getfield(L, 1, "any_order");
  declaration.any_order = lua_toboolean(L, -1) != 0;
  CheckVerb(L, DirectorOf(L).OpenWorld(std::move(declaration)));
  return 0;
}

int AddNode(lua_State* L) {
  CheckVerb(L, DirectorOf(L).PutNode(ReadNode(L, 1), /*is_known=*/false));
  return 0;
}

int ChangeNode(lua_State* L) {
  CheckVerb(L, DirectorOf(L).PutNode(ReadNode(L, 1), /*is_known=*/true));
  return 0;
}

int NoNode(lua_State* L) {
  std::string text = DirectorOf(L).NoNode(luaL_tolstring(L, 1, nullptr));
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

// boot_failure(node) -> why its start service failed, or nil.
int BootFailure(lua_State* L) {
  std::string text = DirectorOf(L).BootFailure(lua_tostring(L, 1));
  if (text.empty()) return 0;
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

int IsBooted(lua_State* L) {
  lua_pushboolean(L, DirectorOf(L).IsBooted(lua_tostring(L, 1)) ? 1 : 0);
  return 1;
}

int IsRunning(lua_State* L) {
  lua_pushboolean(L, *DirectorOf(L).stage().IsRunning(KnownNode(L, 1)) ? 1 : 0);
  return 1;
}

int Start(lua_State* L) {
  std::string name = KnownNode(L, 1);
  NoteFault(L, absl::StrCat("start ", name));
  CheckVerb(L, DirectorOf(L).StartNode(name));
  return 0;
}

// crash(name, is_power_off, loses_files)
int Crash(lua_State* L) {
  std::string name = KnownNode(L, 1);
  bool is_power_off = lua_toboolean(L, 2) != 0;
  bool loses_files = lua_toboolean(L, 3) != 0;
  if (is_power_off) NetworkFor(L, "world:crash with power_off");
  NoteFault(L, absl::StrCat("crash ", name, is_power_off ? ", power off" : "",
                            loses_files ? ", files lost" : ""));
  CheckVerb(L, DirectorOf(L).stage().CrashNode(name, is_power_off, loses_files));
  return 0;
}

// -- Links ---------------------------------------------------------------------------------------

int CheckLink(lua_State* L) {
  NetworkFor(L, "world:link");
  KnownEnds(L);
  return 0;
}

int Partition(lua_State* L) {
  NetworkFor(L, "world:partition");
  Ends ends = KnownEnds(L);
  NoteFault(L, absl::StrCat("partition ", Arrow(ends)));
  CheckVerb(L, DirectorOf(L).Partition(ends.from, ends.to));
  return 0;
}

int Heal(lua_State* L) {
  NetworkFor(L, "world:heal");
  Ends ends = KnownEnds(L);
  NoteFault(L, absl::StrCat("heal ", Arrow(ends)));
  CheckVerb(L, DirectorOf(L).Heal(ends.from, ends.to));
  return 0;
}

int HealAll(lua_State* L) {
  NetworkFor(L, "world:heal");
  NoteFault(L, "heal all");
  DirectorOf(L).HealAll();
  return 0;
}

// -- Connections ---------------------------------------------------------------------------------

int Reset(lua_State* L) {
  Network& network = NetworkFor(L, "world:reset");
  Ends ends = KnownEnds(L);
  NoteFault(L, absl::StrCat("reset connections ", Arrow(ends)));
  absl::StatusOr<int> count = network.ResetConnections(ends.from, ends.to);
  CheckVerb(L, count.status());
  lua_pushinteger(L, *count);
  return 1;
}

int ConnectRule(lua_State* L) {
  std::string name = luaL_checkstring(L, 3);
  Network& network =
      NetworkFor(L, absl::StrCat("world:", name == "black hole" ? "black_hole" : name));
  Ends ends = KnownEnds(L);
  Network::ConnectRule rule = name == "refuse"       ? Network::ConnectRule::kRefuse
                              : name == "black hole" ? Network::ConnectRule::kBlackHole
                                                     : Network::ConnectRule::kAllow;
  NoteFault(L, absl::StrCat(name, " connects ", Arrow(ends)));
  CheckVerb(L, network.SetConnectRule(ends.from, ends.to, rule));
  return 0;
}

// delay_connects(from, to, ns, count)
int DelayConnects(lua_State* L) {
  Network& network = NetworkFor(L, "world:delay_connects");
  Ends ends = KnownEnds(L);
  int64_t delay_ns = luaL_checkinteger(L, 3);
  int count = static_cast<int>(luaL_checkinteger(L, 4));
  NoteFault(L, absl::StrCat("delay ", count, " connects ", Arrow(ends), " by ", delay_ns, " ns"));
  CheckVerb(L, network.DelayConnects(ends.from, ends.to, delay_ns, count));
  return 0;
}

int Accepted(lua_State* L) {
  Network& network = NetworkFor(L, "world:accepted");
  Ends ends = KnownEnds(L);
  absl::StatusOr<int> count =
      network.AcceptedConnections(ends.from, ends.to);
  CheckVerb(L, count.status());
  lua_pushinteger(L, *count);
  return 1;
}

int Connections(lua_State* L) {
  Network& network = NetworkFor(L, "world:connections");
  lua_newtable(L);
  lua_Integer index = 0;
  for (const Network::ConnectionInfo& info : network.Connections()) {
    lua_newtable(L);
    SetText(L, "from", info.from);
    SetText(L, "to", info.to);
    SetText(L, "from_address", info.from_address.ToString());
    SetText(L, "to_address", info.to_address.ToString());
    SetText(L, "state", info.state);
    SetInteger(L, "id", static_cast<int64_t>(info.serial));
    lua_seti(L, -2, ++index);
  }
  return 1;
}

// set_place([place]): the place of mistakes that no line of the story makes; here, if none is
// given. Returns what it was before.
int SetPlace(lua_State* L) {
  std::string place = lua_isnoneornil(L, 1) ? PlaceOf(L) : luaL_checkstring(L, 1);
  std::string before = SetFallbackPlace(L, place);
  lua_pushlstring(L, before.data(), before.size());
  return 1;
}

constexpr luaL_Reg kFunctions[] = {
    {"now", &Now}, {"sleep", &Sleep}, {"spawn", &Spawn}, {"join", &Join}, {"wait", &Wait},
    {"liveness", &Liveness}, {"choose", &Choose}, {"permutation", &Permutation},
    {"call", &Call}, {"send", &Send}, {"probes", &Probes}, {"on_probe", &OnProbe}, {"note", &Note},
    {"describe", &Describe}, {"open_world", &OpenWorld}, {"add_node", &AddNode}, {"change_node", &ChangeNode},
    {"no_node", &NoNode}, {"is_booted", &IsBooted}, {"boot_failure", &BootFailure},
    {"is_running", &IsRunning}, {"start", &Start}, {"crash", &Crash},
    {"check_link", &CheckLink}, {"partition", &Partition}, {"heal", &Heal}, {"heal_all", &HealAll},
    {"reset", &Reset}, {"connect_rule", &ConnectRule}, {"delay_connects", &DelayConnects},
    {"accepted", &Accepted}, {"connections", &Connections},
    {"judge", &JudgeFunction}, {"declare", &DeclareFunction}, {"setting", &SettingFunction},
    {"legacy", &LegacyFunction},
    {"complain", &ComplainFunction}, {"set_place", &SetPlace},
    {nullptr, nullptr},
};

}  // namespace

int PushProbeProtected(lua_State* L) {
  PushProbe(L, *static_cast<Probe*>(lua_touserdata(L, 1)));
  return 1;
}

void PreloadStoryModule(lua_State* L, Director& director) {
  lua_pushlightuserdata(L, &director);
  lua_setfield(L, LUA_REGISTRYINDEX, "skysim.director");
  lua_newtable(L);
  SetFunctions(L, kFunctions, director);
  AddStoryChecks(L, director);
  SetFunctions(L, NodeFunctions(), director);
  SetNetworkFunctions(L, director);
  SetFunctions(L, NemesisFunctions(), director);
  lua_pushliteral(L, "story");
  lua_setfield(L, -2, "role");
  PreloadCore(L);
}

}  // namespace skysim
