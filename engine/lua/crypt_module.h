// skynet.crypt and md5 for Lua (runtime_api.md 5.17, 5.20), over crypt_functions.h.
//
// skynet.crypt (also client.crypt); keys and numbers are strings of 8 bytes, little-endian:
//   hashkey(text), randomkey(), desencode/desdecode(key, text [, padding]), padding.iso7816_4,
//   padding.pkcs7, hexencode/hexdecode(text), hmac64/hmac64_md5(x, y), hmac_hash(key, text),
//   dhexchange(x), dhsecret(a, b), base64encode/base64decode(text), sha1(text),
//   hmac_sha1(key, text), xor_str(text, key)
//
// md5:
//   sum(text) -> 16 bytes, sumhexa(text) -> 32 hex digits, hmacmd5(text, key) -> 32 hex digits,
//   exor(a, b): both of one length, xored
//   crypt(text, key [, seed]), decrypt(text, key): MD5 in CFB mode; the seed, by default the time in
//   seconds, stands in front of the cipher
//
// Wrong arguments raise; the texts are skynet's. randomkey draws from the platform's Entropy, so in
// a simulation it repeats. Called on the thread that runs the VM.
#ifndef ENGINE_LUA_CRYPT_MODULE_H_
#define ENGINE_LUA_CRYPT_MODULE_H_

#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// Each pushes its table; lua_CFunctions for PreloadModule.
int OpenCrypt(lua_State* L);
int OpenMd5(lua_State* L);

}  // namespace skysim

#endif  // ENGINE_LUA_CRYPT_MODULE_H_
