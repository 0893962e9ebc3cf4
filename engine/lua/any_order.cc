#include "engine/lua/any_order.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "tools/third_party/lua/table_order.h"

namespace skysim {

void DrawTableOrder(lua_State* L, Entropy& entropy, absl::string_view prefix) {
  const uint64_t draw = entropy.Draw(absl::StrCat(prefix, "/tables"));
  SetTableOrder(L, draw == 0 ? 0 : static_cast<uint8_t>(1 + draw % UINT8_MAX));
}

void DrawCollectorPace(lua_State* L, Entropy& entropy, absl::string_view prefix) {
  // Percent of growth before a minor collection; Lua's own is 20, and more than 100 it cannot keep.
  constexpr int kPaces[] = {1, 2, 5, 10, 40, 70, 100};
  constexpr uint64_t kPacesCount = sizeof(kPaces) / sizeof(kPaces[0]);
  const uint64_t draw = entropy.Draw(absl::StrCat(prefix, "/collector"));
  if (draw == 0) return;
  const int pace = kPaces[draw % kPacesCount];
  lua_gc(L, LUA_GCGEN, pace, 0);
  // For when a collection freed little, as after a boot: then Lua waits as in incremental mode.
  lua_gc(L, LUA_GCSETPAUSE, 105 + 2 * pace);
}

}  // namespace skysim
