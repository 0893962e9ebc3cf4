#ifndef ENGINE_LUA_ANY_ORDER_H_
#define ENGINE_LUA_ANY_ORDER_H_

#include "absl/strings/string_view.h"
#include "engine/platform/entropy.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Lets `entropy` decide what Lua leaves open, and what a program may have come to count on because
// its tables are small or its addresses repeat: the order in which pairs() and packing walk hash
// parts. Stream "<prefix>/tables"; a draw of 0 is the order that Lua has anyway.
//
// Not while a table of the state is being walked.
void DrawTableOrder(lua_State* L, Entropy& entropy, absl::string_view prefix);

// The same for when the collector of a state in generational mode comes by, and so for when objects
// are finalised and weak entries go: after how much growth, from nearly none to twice what there
// is. Stream "<prefix>/collector"; a draw of 0 is Lua's own pace. The order of the objects that go
// in one cycle is Lua's promise and stays.
void DrawCollectorPace(lua_State* L, Entropy& entropy, absl::string_view prefix);

}  // namespace skysim

#endif  // ENGINE_LUA_ANY_ORDER_H_
