#ifndef SIMNET_SCENARIO_LEGACY_H_
#define SIMNET_SCENARIO_LEGACY_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace skysim {

// The one switch that lives in the engine (TaskScheduler::Options). The others are patches of
// library modules, lualib/sim/legacy/*.lua, and reach a node as its env `sim_legacy`.
inline constexpr char kWakeupUnordered[] = "wakeup-unordered";

// Those of `names` that are library patches.
std::vector<std::string> LegacyPatches(const std::vector<std::string>& names);

// InvalidArgument for a name that is none; it names those that are.
absl::Status CheckLegacy(const std::vector<std::string>& names);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_LEGACY_H_
