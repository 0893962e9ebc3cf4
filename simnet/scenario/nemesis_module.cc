#include "simnet/scenario/nemesis_module.h"

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "simnet/network/link_config.h"
#include "simnet/network/network.h"
#include "simnet/scenario/configuration.h"
#include "simnet/scenario/director.h"
#include "simnet/scenario/service_module.h"
#include "simnet/scenario/story_tasks.h"
#include "simnet/scenario/waiting.h"
#include "simnet/world/machines.h"

// The names of nodes and the values that come here were checked in Lua.

namespace skysim {
namespace {

Network& NetworkOf(lua_State* L) {
  Network* network = DirectorOf(L).stage().simulated_network();
  CHECK(network != nullptr);
  return *network;
}

void Done(const absl::Status& status) { CHECK(status.ok()) << status; }

// needs_simulation(verb): raises where the network is a real one.
int NeedsSimulation(lua_State* L) {
  if (DirectorOf(L).stage().simulated_network() != nullptr) return 0;
  Raise(L, absl::StrCat(luaL_checkstring(L, 1),
                        " needs a simulated network; --transport tcp has a real one"));
}

// -- The configuration ---------------------------------------------------------------------------

// given() -> the path of the configuration that the command was given, or nil.
int Given(lua_State* L) {
  const RunOptions& options = DirectorOf(L).options();
  if (options.configuration.empty()) return 0;
  lua_pushlstring(L, options.configuration_path.data(), options.configuration_path.size());
  return 1;
}

// configure(declared, is_swarm) -> the configuration of this run, and whether that is all that is
// wanted.
int Configure(lua_State* L) {
  Director& director = DirectorOf(L);
  nlohmann::json configuration = JsonOf(L, 1);
  absl::Status status = director.Configure(configuration, lua_toboolean(L, 2) != 0);
  if (!status.ok()) Raise(L, status.message());
  PushJson(L, configuration);
  lua_pushboolean(L, director.options().only_configures ? 1 : 0);
  return 2;
}

// -- Choices -------------------------------------------------------------------------------------

// chance(stream, numerator, denominator) -> boolean; choice 0 is false.
int Chance(lua_State* L) {
  ChoiceSource& choices = DirectorOf(L).choices();
  bool is_true = choices.ChooseOneIn(choices.Stream(luaL_checkstring(L, 1)),
                                     static_cast<uint64_t>(luaL_checkinteger(L, 2)),
                                     static_cast<uint64_t>(luaL_checkinteger(L, 3)));
  lua_pushboolean(L, is_true ? 1 : 0);
  return 1;
}

// -- Links ---------------------------------------------------------------------------------------

// note_fault(text)
int NoteFault(lua_State* L) {
  DirectorOf(L).Note(EventKind::kFault, luaL_checkstring(L, 1));
  return 0;
}

// set_quietly(what, from, to): an event that says so was noted for many of them.
int SetQuietly(lua_State* L) {
  Director& director = DirectorOf(L);
  Network& network = NetworkOf(L);
  const std::string what = luaL_checkstring(L, 1);
  const std::string from = luaL_checkstring(L, 2), to = luaL_checkstring(L, 3);
  if (what == "partition") {
    Done(director.Partition(from, to));
  } else if (what == "heal") {
    Done(director.Heal(from, to));
  } else if (what == "hold") {
    Done(network.Hold(from, to));
  } else if (what == "release") {
    Done(network.Release(from, to, Pieces()));
  } else if (what == "refuse") {
    Done(network.SetConnectRule(from, to, Network::ConnectRule::kRefuse));
  } else if (what == "black_hole") {
    Done(network.SetConnectRule(from, to, Network::ConnectRule::kBlackHole));
  } else {
    CHECK_EQ(what, "allow");
    Done(network.SetConnectRule(from, to, Network::ConnectRule::kAllow));
  }
  return 0;
}

// get_link(from, to) -> how it is set: a value for put_link().
int GetLink(lua_State* L) {
  static_assert(std::is_trivially_copyable<LinkConfig>::value, "Lua collects it as bytes");
  absl::StatusOr<LinkConfig> link =
      NetworkOf(L).GetLink(luaL_checkstring(L, 1), luaL_checkstring(L, 2));
  Done(link.status());
  *static_cast<LinkConfig*>(lua_newuserdatauv(L, sizeof(LinkConfig), 0)) = *link;
  return 1;
}

// put_link(from, to, value): sets it so again.
int PutLink(lua_State* L) {
  const auto* link = static_cast<const LinkConfig*>(lua_touserdata(L, 3));
  const std::string from = luaL_checkstring(L, 1), to = luaL_checkstring(L, 2);
  DirectorOf(L).Note(EventKind::kFault, absl::StrCat("link ", from, ">", to, " as before"));
  Done(NetworkOf(L).SetLink(from, to, *link));
  return 0;
}

// -- Processes -----------------------------------------------------------------------------------

Machines& MachinesOf(lua_State* L) {
  Machines* machines = DirectorOf(L).stage().simulated_machines();
  CHECK(machines != nullptr);
  return *machines;
}

// set_paused(node, is_paused) -> whether that has changed anything: it runs, and was not so.
int SetPaused(lua_State* L) {
  const std::string name = luaL_checkstring(L, 1);
  bool is_paused = lua_toboolean(L, 2) != 0;
  absl::Status status =
      is_paused ? MachinesOf(L).PauseNode(name) : MachinesOf(L).ResumeNode(name);
  lua_pushboolean(L, status.ok() ? 1 : 0);
  return 1;
}

// -- Calm ----------------------------------------------------------------------------------------

// calm_world(): the network, and the nodes that run. How fast their clocks are stays.
int CalmWorld(lua_State* L) {
  Director& director = DirectorOf(L);
  director.Note(EventKind::kFault, "heal everything");
  director.HealAll();
  NetworkOf(L).CalmDown();
  for (const std::string& name : director.NodeNames()) {
    if (!*director.stage().IsRunning(name)) continue;
    MachinesOf(L).ResumeNode(name).IgnoreError();  // it was not paused
    Done(MachinesOf(L).SlowNode(name, 1));
  }
  return 0;
}

// reset_half_dead() -> how many
int ResetHalfDead(lua_State* L) {
  DirectorOf(L).Note(EventKind::kFault, "reset half-open connections");
  lua_pushinteger(L, NetworkOf(L).ResetHalfDead());
  return 1;
}

// Names of services -> true, of a table at `index`.
bool HasName(lua_State* L, int index, const std::string& script) {
  const std::string name = script.substr(0, script.find(' '));
  bool has_it = lua_getfield(L, index, name.c_str()) != LUA_TNIL;
  lua_pop(L, 1);
  return has_it;
}

std::string KeyOf(const WaitingTask& task) {
  return absl::StrCat(task.node, " ", task.service, " ", task.session, " ", task.since_ns);
}

// Calls, and what waits in services that are named in the table at `also`; but not in those of the
// table at `excused`.
bool IsAskedAbout(lua_State* L, int excused, int also, const WaitingTask& task) {
  if (HasName(L, excused, task.script)) return false;
  return task.is_call ? !WaitsByDesign(task) : HasName(L, also, task.script);
}

// open_calls(excused, also) -> list of keys
int OpenCalls(lua_State* L) {
  std::vector<std::string> keys;
  for (const WaitingTask& task : DirectorOf(L).BriefTasks()) {
    if (IsAskedAbout(L, 1, 2, task)) keys.push_back(KeyOf(task));
  }
  lua_createtable(L, static_cast<int>(keys.size()), 0);
  for (size_t i = 0; i < keys.size(); ++i) {
    lua_pushlstring(L, keys[i].data(), keys[i].size());
    lua_seti(L, -2, static_cast<lua_Integer>(i) + 1);
  }
  return 1;
}

// describe_calls(keys): who they are -> text. `keys`: key -> true.
int DescribeCalls(lua_State* L) {
  std::string text;
  for (const WaitingTask& task : DirectorOf(L).WaitingTasks()) {
    if (lua_getfield(L, 1, KeyOf(task).c_str()) != LUA_TNIL) {
      absl::StrAppend(&text, "\n", DescribeWaiting(task));
    }
    lua_pop(L, 1);
  }
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

}  // namespace

const luaL_Reg* NemesisFunctions() {
  static constexpr luaL_Reg kFunctions[] = {
      {"needs_simulation", &NeedsSimulation},
      {"given", &Given},
      {"configure", &Configure},
      {"chance", &Chance},
      {"note_fault", &NoteFault},
      {"set_quietly", &SetQuietly},
      {"get_link", &GetLink},
      {"put_link", &PutLink},
      {"set_paused", &SetPaused},
      {"calm_world", &CalmWorld},
      {"reset_half_dead", &ResetHalfDead},
      {"open_calls", &OpenCalls},
      {"describe_calls", &DescribeCalls},
      {nullptr, nullptr},
  };
  return kFunctions;
}

}  // namespace skysim
