#ifndef SIMNET_SCENARIO_VERB_H_
#define SIMNET_SCENARIO_VERB_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

class Network;

// What the C functions of the scenario language share: their arguments, and the one sentence that
// ends the run if one is wrong. Those that raise do so at the line of the story, with the text as
// it stands here; nothing with a destructor of the caller is lost by it (Raise in story_tasks.h).

// The string at `index`. Raises "WHAT is a string, not a table".
std::string TextArgument(lua_State* L, int index, const char* what);

std::string NodeName(lua_State* L, int index);

// Raises the message of an error.
void CheckVerb(lua_State* L, const absl::Status& status);

// The name at `index`, which some node has. Raises "no node is called c; there are: a, b".
std::string KnownNode(lua_State* L, int index);

// The network that `verb` acts on. Raises if it is a real one.
Network& NetworkFor(lua_State* L, absl::string_view verb);

struct Ends {
  std::string from, to;
};

// Two different nodes at indexes 1 and 2. Raises "there is no link from a to itself".
Ends KnownEnds(lua_State* L);

// "a>b".
std::string Arrow(const Ends& ends);

// Records a fault.
void NoteFault(lua_State* L, absl::string_view text);

// -- Fields of the table at `table`, which Lua code has checked -----------------------------------

// Empty: the field is not there.
std::string TextField(lua_State* L, int table, const char* key);

// False: the field is not there, and `value` is as before.
template <typename Integer>
bool IntegerField(lua_State* L, int table, const char* key, Integer* value) {
  bool is_there = lua_getfield(L, table, key) != LUA_TNIL;
  if (is_there) *value = static_cast<Integer>(lua_tointeger(L, -1));
  lua_pop(L, 1);
  return is_there;
}

// -- The table on top of the stack ----------------------------------------------------------------

void SetText(lua_State* L, const char* key, absl::string_view text);
void SetInteger(lua_State* L, const char* key, int64_t value);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_VERB_H_
