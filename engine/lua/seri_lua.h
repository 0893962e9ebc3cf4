// Lua values to and from the seri format of engine/wire/seri.h. This is the path of every local
// call.
//
// Lua errors raised here are C++ exceptions: destructors of the frames in between run. No function
// here yields; a __pairs metamethod that tries to yield gets Lua's own error. Called on the thread
// that runs the VM.
#ifndef ENGINE_LUA_SERI_LUA_H_
#define ENGINE_LUA_SERI_LUA_H_

#include <cstddef>

#include "engine/wire/seri_buffer.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// A value inside more than this many tables is refused, which is also what ends a cycle.
constexpr int kSeriPackDepthMax = 32;
// Unpacking refuses deeper nesting than this: packers stop at 32, so only a hostile stream gets
// here, and each level costs a C++ frame.
constexpr int kSeriUnpackDepthMax = 200;

// Appends the values [first, top] of the stack of `L` to `out`, and leaves the stack as it was.
//
// Tables with a __pairs metamethod go through it; what it raises comes out unchanged. Raises
// `serialize can't pack too depth table`, `Unsupport type %s to serialize` (function, full
// userdata, thread), and `serialize can't pack more than 2G` if the result does not fit an int.
void PackValues(lua_State* L, int first, SeriBuffer& out);

// Pushes the values in `data[0, size)` and returns how many there are. Safe on bytes that nobody
// vouches for, with one exception: light userdata comes out as whatever address the bytes say.
// Bytes are read until the call returns.
//
// Raises `Invalid serialize stream %d (line:%d)` (bytes left, our source line), `deserialize null
// pointer`, and Lua's stack overflow error for more values than a Lua stack holds.
int UnpackValues(lua_State* L, const char* data, size_t size);

// pack(...) -> light userdata, size. The block comes from MemoryOf(L) and is the caller's. Nothing
// gives NULL, 0.
int SeriPack(lua_State* L);
// packstring(...) -> string.
int SeriPackString(lua_State* L);
// unpack(string) or unpack(ptr, size) -> ... Never frees its input. nil or size 0 gives nothing.
int SeriUnpack(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_SERI_LUA_H_
