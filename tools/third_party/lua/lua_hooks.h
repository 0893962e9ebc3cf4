// Settings of Lua itself: the compiler includes this before each of Lua's source files (lua.BUILD).
//
// Determinism: nothing in the Lua core asks the clock or looks at addresses to choose a seed, and
// with addresses.patch no address of the program's code or data decides what a script sees. With
// orders.patch a state can be told to walk its tables in any order (table_order.h).
// One thing is left to whoever opens the libraries: luaopen_math seeds math.random from the clock
// and the state's address, so call math.randomseed afterwards.
#ifndef TOOLS_THIRD_PARTY_LUA_LUA_HOOKS_H_
#define TOOLS_THIRD_PARTY_LUA_LUA_HOOKS_H_

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/third_party/lua/hash_walk.h"

// luaconf.h gives Lua's own files l_likely only where one of these stands; each file defines the
// one it belongs to, but only after this header.
#define LUA_CORE
#define LUA_LIB

// Declared here with C linkage first, the API's functions keep it where Lua defines them.
extern "C" {
#include "lua.h"
// The others need lua.h.
#include "lauxlib.h"
#include "lualib.h"
}

// How lua_newstate asks its allocator for the state's hash seed: a call with ptr = NULL,
// osize = kSkysimLuaSeedRequest and nsize = 0. The answer is the seed, cast to a pointer; only its
// low 32 bits count. Lua itself never makes this call: with ptr = NULL, osize is a type tag below
// 16, and nsize is not 0. An allocator that knows nothing of it returns NULL, as it must for
// nsize = 0, and the state gets kSkysimLuaDefaultSeed. So does one that answers 0.
// The answer is never freed.
constexpr size_t kSkysimLuaSeedRequest = 0x5eed;
constexpr unsigned int kSkysimLuaDefaultSeed = 0x5eed5eedu;

inline unsigned int SkysimLuaSeed(lua_Alloc allocate, void* user_data) {
  void* answer = allocate(user_data, nullptr, kSkysimLuaSeedRequest, 0);
  const auto seed = static_cast<unsigned int>(reinterpret_cast<uintptr_t>(answer));
  return seed != 0 ? seed : kSkysimLuaDefaultSeed;
}

// lstate.c, when a state is made; its allocator is already in place.
#define luai_makeseed(L) SkysimLuaSeed(G(L)->frealloc, G(L)->ud)

// addresses.patch, lapi.c: what lua_topointer answers for a C function. The allocator is asked as
// for the seed, with the function's address as osize: that is beyond the first 64 KiB, where
// nothing is ever mapped, so neither a tag nor the seed's request. One that answers NULL leaves the
// address.
inline const void* SkysimFunctionNumber(lua_Alloc allocate, void* user_data,
                                        lua_CFunction function) {
  const auto address = reinterpret_cast<uintptr_t>(function);
  const void* number = allocate(user_data, nullptr, address, 0);
  return number != nullptr ? number : reinterpret_cast<const void*>(address);
}

// ltablib.c: where table.sort starts in a big array that it split badly. Lua asks the clock.
#define l_randomizePivot() (0x5eedu)

// ldo.c: how to leave a protected call, and how to make one. See lua_api.h for the rules that
// follow. A foreign exception becomes status -1, as in Lua's own C++ build.
// longjmp, not _longjmp: here they are the same, but ThreadSanitizer knows only the former, and
// takes a function that was left by the latter for one that runs.
#define luai_jmpbuf jmp_buf
#define LUAI_THROW(L, c)                 \
  do {                                   \
    if ((c)->status == LUA_YIELD) {      \
      longjmp((c)->b, 1);                \
    }                                    \
    throw(c);                            \
  } while (0)
#define LUAI_TRY(L, c, a)                \
  if (_setjmp((c)->b) == 0) {            \
    try {                                \
      a                                  \
    } catch (...) {                      \
      if ((c)->status == LUA_OK) {       \
        (c)->status = -1;                \
      }                                  \
    }                                    \
  }

#endif  // TOOLS_THIRD_PARTY_LUA_LUA_HOOKS_H_
