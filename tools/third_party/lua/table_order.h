// The order in which next() walks what is not in a table's array part.
#ifndef TOOLS_THIRD_PARTY_LUA_TABLE_ORDER_H_
#define TOOLS_THIRD_PARTY_LUA_TABLE_ORDER_H_

#include <stdint.h>

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// From now on next(), pairs(), lua_next() and packing walk the hash part of each table of L's state
// in an order that `order`, the state's hash seed and the table's address decide. It is the same
// until the table is resized, so a walk may change and clear fields as ever; every key comes once.
// 0: by node, as in any Lua, which is how a new state does it. Array parts, ipairs() and # are not
// touched.
//
// Not while a table is being walked.
void SetTableOrder(lua_State* L, uint8_t order);

}  // namespace skysim

#endif  // TOOLS_THIRD_PARTY_LUA_TABLE_ORDER_H_
