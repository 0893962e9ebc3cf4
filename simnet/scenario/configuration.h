#ifndef SIMNET_SCENARIO_CONFIGURATION_H_
#define SIMNET_SCENARIO_CONFIGURATION_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json_fwd.hpp"
#include "simnet/choice/choice_source.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// The configuration of a run: what a seed may vary although the story stays the same. A JSON
// object:
//
//   {
//     "cpu": "as declared",                    or "50us": of one dispatch, on every node
//     "nemesis": {                             empty: there is none
//       "crash": {"lasts": "2s", "rate": "1/10s"},      families of faults
//       "time": "30s"
//     },
//     "network": {"delay": {"uniform": ["1ms", "50ms"]}},
//     "workers": "as declared"                 or 4: of every node
//   }
//
// lualib/sim/configuration.lua makes it from the declaration and says what each value means. Here
// is what has to be the same whether a configuration was drawn or is given back: it is made outside
// of the story's VM, so both lead to the same allocations, and so to the same run.

// What one swarm run in two is like: for each family of faults, whether it is off altogether;
// delays, workers and the cost of a dispatch. Streams "swarm/..."; choices of 0 leave everything as
// declared.
void DrawSwarm(ChoiceSource& choices, nlohmann::json& configuration);

// Puts the entries of `given` in place of those of `configuration`. InvalidArgument, one sentence:
// it is not JSON, no object, or has a key that `configuration` has not.
absl::Status GiveConfiguration(absl::string_view given, nlohmann::json& configuration);

// One entry a line, also within "nemesis"; the closing brace stands alone on the last line.
std::string FormatConfiguration(const nlohmann::json& configuration);

// The text that a trace keeps: the formatted configuration, and behind it what the nodes are.
std::string JoinConfiguration(absl::string_view formatted, absl::string_view nodes);
// The configuration in there; empty if the text has none.
std::string ConfigurationIn(absl::string_view traced);

// Tables to objects or (with [1]) arrays; text, integers, booleans. Anything else is our mistake.
nlohmann::json JsonOf(lua_State* L, int index);
// Pushes the value. Nulls are missing; numbers with a fraction, which no quantity is, are text.
void PushJson(lua_State* L, const nlohmann::json& value);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_CONFIGURATION_H_
