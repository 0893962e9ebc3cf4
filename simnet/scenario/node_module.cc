#include "simnet/scenario/node_module.h"

#include <string>

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

constexpr luaL_Reg kFunctions[] = {
    {"check_clock", &CheckClock}, {"step_clock", &StepClock}, {"drift_clock", &DriftClock},
    {"pause", &Pause}, {"resume", &Resume}, {"slow", &Slow},
    {nullptr, nullptr},
};

}  // namespace

const luaL_Reg* NodeFunctions() { return kFunctions; }

}  // namespace skysim
