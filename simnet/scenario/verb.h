#ifndef SIMNET_SCENARIO_VERB_H_
#define SIMNET_SCENARIO_VERB_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// What the C functions behind the verbs of a story have in common. Each raises, at the line of the
// story, what is wrong with the verb's use.

// A string argument; `what` names it in the error: "the name of a node".
std::string TextArgument(lua_State* L, int index, absl::string_view what);

// A name that some node has.
std::string KnownNode(lua_State* L, int index);

// Raises the message of an error.
void CheckVerb(lua_State* L, const absl::Status& status);

// An event of the trace: the fault in words.
void NoteFault(lua_State* L, absl::string_view text);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_VERB_H_
