/* A Lua module: texts made shorter by zlib, and back. Nothing is kept between two calls, and the
 * same text always gives the same bytes, so a simulation with it repeats.
 *
 *   compress(text) -> bytes: the length of the text (4 bytes, little-endian), then a zlib stream
 *   decompress(bytes, size_max) -> text; nil and a reason if the bytes are not from compress() or
 *                                  the text would be longer than size_max
 *
 * No call of Lua stands between two calls of zlib that belong together: an error of Lua would leave
 * zlib's memory behind. */
#include <stdint.h>

#include "lua.h"
/* The others need lua.h. */
#include "lauxlib.h"
#include "zlib.h"

#define HEAD_BYTES 4
/* What fits the head. */
#define TEXT_BYTES_MAX UINT32_MAX

static int Compress(lua_State* lua) {
  size_t size;
  const char* text = luaL_checklstring(lua, 1, &size);
  if (size > TEXT_BYTES_MAX) return luaL_error(lua, "deflate: a text of 4 GiB or more");
  uLongf packed_size = compressBound((uLong)size);
  luaL_Buffer buffer;
  unsigned char* out =
      (unsigned char*)luaL_buffinitsize(lua, &buffer, HEAD_BYTES + (size_t)packed_size);
  for (int i = 0; i < HEAD_BYTES; ++i) out[i] = (unsigned char)(size >> (8 * i));
  int code = compress(out + HEAD_BYTES, &packed_size, (const Bytef*)text, (uLong)size);
  if (code != Z_OK) return luaL_error(lua, "deflate: zlib says %s", zError(code));
  luaL_pushresultsize(&buffer, HEAD_BYTES + (size_t)packed_size);
  return 1;
}

static int Fail(lua_State* lua, const char* reason) {
  luaL_pushfail(lua);
  lua_pushstring(lua, reason);
  return 2;
}

static int Decompress(lua_State* lua) {
  size_t size;
  const unsigned char* bytes = (const unsigned char*)luaL_checklstring(lua, 1, &size);
  lua_Integer size_max = luaL_checkinteger(lua, 2);
  if (size < HEAD_BYTES) return Fail(lua, "too short");
  uLongf text_size = 0;
  for (int i = 0; i < HEAD_BYTES; ++i) text_size |= (uLongf)bytes[i] << (8 * i);
  if (size_max < 0 || text_size > (lua_Unsigned)size_max) return Fail(lua, "too long a text");
  uLongf expected = text_size;
  luaL_Buffer buffer;
  /* One byte at least: zlib takes no empty room. */
  Bytef* out = (Bytef*)luaL_buffinitsize(lua, &buffer, (size_t)text_size + 1);
  int code = uncompress(out, &text_size, bytes + HEAD_BYTES, (uLong)(size - HEAD_BYTES));
  if (code != Z_OK || text_size != expected) return Fail(lua, "damaged");
  luaL_pushresultsize(&buffer, (size_t)text_size);
  return 1;
}

static const luaL_Reg kFunctions[] = {
    {"compress", Compress}, {"decompress", Decompress}, {NULL, NULL}};

int luaopen_deflate(lua_State* lua) {
  luaL_newlib(lua, kFunctions);
  return 1;
}
