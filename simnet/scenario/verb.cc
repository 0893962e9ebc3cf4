#include "simnet/scenario/verb.h"

#include "absl/strings/str_cat.h"
#include "simnet/scenario/director.h"
#include "simnet/scenario/service_module.h"
#include "simnet/scenario/story_tasks.h"

namespace skysim {

std::string TextArgument(lua_State* L, int index, absl::string_view what) {
  if (lua_type(L, index) != LUA_TSTRING) {
    Raise(L, absl::StrCat(what, " is a string, not a ", luaL_typename(L, index)));
  }
  size_t size = 0;
  const char* text = lua_tolstring(L, index, &size);
  return std::string(text, size);
}

// The network's own message would speak of hosts.
std::string KnownNode(lua_State* L, int index) {
  std::string name = TextArgument(L, index, "the name of a node");
  Director& director = DirectorOf(L);
  if (!director.stage().IsRunning(name).ok()) Raise(L, director.NoNode(name));
  return name;
}

void CheckVerb(lua_State* L, const absl::Status& status) {
  if (!status.ok()) Raise(L, status.message());
}

void NoteFault(lua_State* L, absl::string_view text) {
  DirectorOf(L).Note(EventKind::kFault, text);
}

}  // namespace skysim
