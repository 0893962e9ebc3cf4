#include "simnet/scenario/verb.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "simnet/scenario/director.h"
#include "simnet/scenario/service_module.h"
#include "simnet/scenario/story_tasks.h"

namespace skysim {

std::string TextArgument(lua_State* L, int index, const char* what) {
  if (lua_type(L, index) != LUA_TSTRING) {
    Raise(L, absl::StrCat(what, " is a string, not a ", luaL_typename(L, index)));
  }
  size_t size = 0;
  const char* text = lua_tolstring(L, index, &size);
  return std::string(text, size);
}

std::string NodeName(lua_State* L, int index) {
  return TextArgument(L, index, "the name of a node");
}

void CheckVerb(lua_State* L, const absl::Status& status) {
  if (!status.ok()) Raise(L, status.message());
}

// The network's own message would speak of hosts.
std::string KnownNode(lua_State* L, int index) {
  std::string name = NodeName(L, index);
  Director& director = DirectorOf(L);
  if (!director.stage().IsRunning(name).ok()) Raise(L, director.NoNode(name));
  return name;
}

Network& NetworkFor(lua_State* L, absl::string_view verb) {
  Network* network = DirectorOf(L).stage().simulated_network();
  if (network == nullptr) {
    Raise(L, absl::StrCat(verb, " needs a simulated network; --transport tcp has a real one"));
  }
  return *network;
}

Ends KnownEnds(lua_State* L) {
  Ends ends{KnownNode(L, 1), KnownNode(L, 2)};
  if (ends.from == ends.to) {
    Raise(L, absl::StrCat("there is no link from ", ends.from, " to itself"));
  }
  return ends;
}

std::string Arrow(const Ends& ends) { return absl::StrCat(ends.from, ">", ends.to); }

void NoteFault(lua_State* L, absl::string_view text) {
  DirectorOf(L).Note(EventKind::kFault, text);
}

std::string TextField(lua_State* L, int table, const char* key) {
  lua_getfield(L, table, key);
  size_t size = 0;
  const char* text = lua_tolstring(L, -1, &size);
  std::string value = text == nullptr ? "" : std::string(text, size);
  lua_pop(L, 1);
  return value;
}

void SetText(lua_State* L, const char* key, absl::string_view text) {
  lua_pushlstring(L, text.data(), text.size());
  lua_setfield(L, -2, key);
}

void SetInteger(lua_State* L, const char* key, int64_t value) {
  lua_pushinteger(L, static_cast<lua_Integer>(value));
  lua_setfield(L, -2, key);
}

}  // namespace skysim
