#include "tools/third_party/lua/call_info.h"

#include "tools/third_party/lua/lua_internals.h"

namespace skysim {

int ResultsWanted(lua_State* L) { return L->ci->nresults; }

}  // namespace skysim
