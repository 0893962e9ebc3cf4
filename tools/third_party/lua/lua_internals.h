// Lua's own structures, for the few files that act on them directly: frozen chunks, and packing,
// which would spend half its time in the API. Part of our build of Lua 5.4.7: a new version of Lua
// means reading these files again.
#ifndef TOOLS_THIRD_PARTY_LUA_LUA_INTERNALS_H_
#define TOOLS_THIRD_PARTY_LUA_LUA_INTERNALS_H_

#include "tools/third_party/lua/lua_hooks.h"

// luaconf.h gives them only to files that come before every other include.
#ifndef l_likely
#define l_likely(x) luai_likely(x)
#define l_unlikely(x) luai_unlikely(x)
#endif

#include "lobject.h"
// The others need lobject.h.
#include "ldo.h"
#include "lfunc.h"
#include "lgc.h"
#include "lmem.h"
#include "lstate.h"
#include "lstring.h"
#include "ltable.h"

#endif  // TOOLS_THIRD_PARTY_LUA_LUA_INTERNALS_H_
