#ifndef SIMNET_SCENARIO_LEGACY_H_
#define SIMNET_SCENARIO_LEGACY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/legacy.h"

namespace skysim {

// A name of --legacy. The table of all is in legacy.cc.
struct LegacySwitch {
  enum class Place {
    kEngine,    // `field` of Legacy
    kLibrary,   // lualib/sim/legacy/<name>.lua, with _ for -, changes modules as they are loaded
    kScenario,  // what users did: the scenario asks sim.legacy(name) and does so
  };
  const char* name;
  Place place;
  bool Legacy::* field;  // null unless kEngine
  const char* issue;     // of skynet, or where else it is told
  const char* until;     // when it was mended, or "by design"
  const char* what;      // what happens with it; no full stop
};

const std::vector<LegacySwitch>& AllLegacySwitches();

// What the nodes of a world are given for these names. Names of kScenario change nothing here.
Legacy MakeLegacy(const std::vector<std::string>& names);

// InvalidArgument for a name that is none; it names those that are, and begins with `what`.
absl::Status CheckLegacy(absl::string_view what, const std::vector<std::string>& names);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_LEGACY_H_
