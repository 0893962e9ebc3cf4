#include "simnet/scenario/node_module.h"

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "simnet/scenario/director.h"
#include "simnet/scenario/service_module.h"
#include "simnet/scenario/story_tasks.h"
#include "simnet/scenario/verb.h"
#include "simnet/world/machines.h"

namespace skysim {
namespace {

// The machines that `verb` acts on.
Machines& MachinesFor(lua_State* L, absl::string_view verb) {
  Machines* machines = DirectorOf(L).stage().simulated_machines();
  if (machines == nullptr) {
    Raise(L, absl::StrCat(verb, " needs a simulated machine; --transport tcp has a real one"));
  }
  return *machines;
}

// A node that runs: only such a one can be disturbed.
std::string RunningNode(lua_State* L, int index) {
  std::string name = KnownNode(L, index);
  CheckVerb(L, DirectorOf(L).CheckRuns(name));
  return name;
}

// -- Clocks --------------------------------------------------------------------------------------

int CheckClock(lua_State* L) {
  MachinesFor(L, "world:clock");
  KnownNode(L, 1);
  return 0;
}

// step_clock(node, ns, description)
int StepClock(lua_State* L) {
  Machines& machines = MachinesFor(L, "clock:step");
  std::string node = RunningNode(L, 1);
  NoteFault(L, absl::StrCat("clock ", node, " step ", lua_tostring(L, 3)));
  CheckVerb(L, machines.StepClock(node, luaL_checkinteger(L, 2)));
  return 0;
}

// drift_clock(node, ppb, description)
int DriftClock(lua_State* L) {
  Machines& machines = MachinesFor(L, "clock:drift");
  std::string node = RunningNode(L, 1);
  NoteFault(L, absl::StrCat("clock ", node, " drift ", lua_tostring(L, 3)));
  CheckVerb(L, machines.SetClockDrift(node, luaL_checkinteger(L, 2)));
  return 0;
}

// -- Processes -----------------------------------------------------------------------------------

int Pause(lua_State* L) {
  Machines& machines = MachinesFor(L, "world:pause");
  std::string node = RunningNode(L, 1);
  NoteFault(L, absl::StrCat("pause ", node));
  CheckVerb(L, machines.PauseNode(node));
  return 0;
}

int Resume(lua_State* L) {
  Machines& machines = MachinesFor(L, "world:resume");
  std::string node = RunningNode(L, 1);
  NoteFault(L, absl::StrCat("resume ", node));
  CheckVerb(L, machines.ResumeNode(node));
  return 0;
}

// slow(node, factor)
int Slow(lua_State* L) {
  Machines& machines = MachinesFor(L, "world:slow");
  std::string node = RunningNode(L, 1);
  int64_t factor = luaL_checkinteger(L, 2);
  NoteFault(L, absl::StrCat("slow ", node, " ", factor, " times"));
  CheckVerb(L, machines.SlowNode(node, factor));
  return 0;
}

// -- Services and files --------------------------------------------------------------------------

// The service at `index` of the running node before it.
uint32_t LivingService(lua_State* L, int index, const std::string& node) {
  std::string address = TextArgument(L, index, "the address of a service");
  absl::StatusOr<uint32_t> handle = DirectorOf(L).stage().FindService(node, address);
  if (!handle.ok()) Raise(L, handle.status().message());
  return *handle;
}

// fault_service(node, address, verb, description) -> its handle
int FaultService(lua_State* L) {
  std::string node = RunningNode(L, 1);
  uint32_t handle = LivingService(L, 2, node);
  NoteFault(L, absl::StrCat(lua_tostring(L, 3), " ", node, " ", lua_tostring(L, 2),
                            luaL_optstring(L, 4, "")));
  lua_pushinteger(L, handle);
  return 1;
}

// is_alive(node, address)
int IsAlive(lua_State* L) {
  Director& director = DirectorOf(L);
  lua_pushboolean(L, director.stage().FindService(lua_tostring(L, 1), lua_tostring(L, 2)).ok());
  return 1;
}

// put_files(node, files, description)
int PutFiles(lua_State* L) {
  std::string node = KnownNode(L, 1);
  std::map<std::string, std::string> files;
  for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1)) {
    files[lua_tostring(L, -2)] = TextArgument(L, -1, "a file");
  }
  NoteFault(L, absl::StrCat("put files ", node, " ", lua_tostring(L, 3)));
  CheckVerb(L, DirectorOf(L).stage().PutFiles(node, files));
  return 0;
}

constexpr luaL_Reg kFunctions[] = {
    {"check_clock", &CheckClock}, {"step_clock", &StepClock}, {"drift_clock", &DriftClock},
    {"pause", &Pause}, {"resume", &Resume}, {"slow", &Slow},
    {"fault_service", &FaultService}, {"is_alive", &IsAlive}, {"put_files", &PutFiles},
    {nullptr, nullptr},
};

}  // namespace

const luaL_Reg* NodeFunctions() { return kFunctions; }

}  // namespace skysim
