#include "tools/third_party/lua/table_order.h"

#include "tools/third_party/lua/lua_internals.h"

namespace skysim {

void SetTableOrder(lua_State* L, uint8_t order) { G(L)->tableorder = order; }

}  // namespace skysim
