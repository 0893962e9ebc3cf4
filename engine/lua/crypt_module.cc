#include "engine/lua/crypt_module.h"

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/core/handle.h"
#include "engine/core/service_context.h"
#include "engine/lua/crypt_functions.h"
#include "engine/lua/vm.h"

namespace skysim {

namespace {

absl::string_view CheckText(lua_State* L, int index) {
  size_t size = 0;
  const char* const data = luaL_checklstring(L, index, &size);
  return absl::string_view(data, size);
}

uint64_t CheckKey(lua_State* L, int index) {
  const absl::string_view bytes = CheckText(L, index);
  if (bytes.size() != 8) {
    luaL_error(L, "Invalid key size %d, need 8 bytes", static_cast<int>(bytes.size()));
  }
  uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

uint64_t CheckFactor(lua_State* L, int index) {
  const uint64_t value = CheckKey(L, index);
  if (value == 0) luaL_error(L, "Can't be 0");
  return value;
}

DesPadding CheckPadding(lua_State* L, int index) {
  const lua_Integer mode = luaL_optinteger(L, index, 0);
  if (mode != 0 && mode != 1) luaL_error(L, "Invalid padding mode %d", static_cast<int>(mode));
  return static_cast<DesPadding>(mode);
}

int PushText(lua_State* L, absl::string_view text) {
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

int PushKey(lua_State* L, uint64_t value) {
  char bytes[8];
  for (char& byte : bytes) {
    byte = static_cast<char>(value);
    value >>= 8;
  }
  return PushText(L, absl::string_view(bytes, sizeof(bytes)));
}

int PushOrRaise(lua_State* L, const absl::StatusOr<std::string>& text) {
  if (!text.ok()) return luaL_error(L, "%s", std::string(text.status().message()).c_str());
  return PushText(L, *text);
}

int HashKeyOf(lua_State* L) { return PushKey(L, HashKey(CheckText(L, 1))); }

// Its bytes, xored, are not 0: so skynet promises.
bool IsGoodKey(uint64_t key) {
  key ^= key >> 32;
  key ^= key >> 16;
  key ^= key >> 8;
  return (key & 0xff) != 0;
}

int RandomKey(lua_State* L) {
  const VmContext& vm = VmOf(L);
  const std::string stream =
      absl::StrCat(vm.service != nullptr ? FormatHandle(vm.service->handle()) : "", "/randomkey");
  uint64_t key;
  do {
    key = vm.platform->entropy.Draw(stream);
  } while (!IsGoodKey(key));
  return PushKey(L, key);
}

int DesEncodeText(lua_State* L) {
  const uint64_t key = CheckKey(L, 1);
  return PushText(L, DesEncode(key, CheckText(L, 2), CheckPadding(L, 3)));
}

int DesDecodeText(lua_State* L) {
  const uint64_t key = CheckKey(L, 1);
  return PushOrRaise(L, DesDecode(key, CheckText(L, 2), CheckPadding(L, 3)));
}

int HexEncodeText(lua_State* L) { return PushText(L, absl::BytesToHexString(CheckText(L, 1))); }

int HexDecodeText(lua_State* L) { return PushOrRaise(L, HexDecode(CheckText(L, 1))); }

int Hmac64Of(lua_State* L) { return PushKey(L, Hmac64(CheckKey(L, 1), CheckKey(L, 2))); }

int Hmac64Md5Of(lua_State* L) { return PushKey(L, Hmac64Md5(CheckKey(L, 1), CheckKey(L, 2))); }

int HmacHash(lua_State* L) {
  const uint64_t key = CheckKey(L, 1);
  return PushKey(L, Hmac64(HashKey(CheckText(L, 2)), key));
}

int DhExchange(lua_State* L) { return PushKey(L, DhPower(5, CheckFactor(L, 1))); }

int DhSecret(lua_State* L) {
  const uint64_t base = CheckFactor(L, 1);
  return PushKey(L, DhPower(base, CheckFactor(L, 2)));
}

int Base64EncodeText(lua_State* L) { return PushText(L, absl::Base64Escape(CheckText(L, 1))); }

int Base64DecodeText(lua_State* L) { return PushOrRaise(L, Base64Decode(CheckText(L, 1))); }

int Sha1Of(lua_State* L) { return PushText(L, Sha1(CheckText(L, 1))); }

int HmacSha1Of(lua_State* L) {
  return PushText(L, HmacSha1(CheckText(L, 1), CheckText(L, 2)));
}

int XorText(lua_State* L) {
  const absl::string_view text = CheckText(L, 1), key = CheckText(L, 2);
  luaL_argcheck(L, !key.empty(), 2, "the key is empty");
  return PushText(L, XorCyclic(text, key));
}

// -- md5 ------------------------------------------------------------------------------------------

int Md5Sum(lua_State* L) { return PushText(L, Md5(CheckText(L, 1))); }

int Md5SumHex(lua_State* L) {
  return PushText(L, absl::BytesToHexString(Md5(CheckText(L, 1))));
}

int Md5HmacHex(lua_State* L) {
  const absl::string_view text = CheckText(L, 1);
  return PushText(L, absl::BytesToHexString(HmacMd5(CheckText(L, 2), text)));
}

int ExclusiveOr(lua_State* L) {
  const absl::string_view a = CheckText(L, 1), b = CheckText(L, 2);
  luaL_argcheck(L, a.size() == b.size(), 2, "lengths must be equal");
  return PushText(L, a.empty() ? "" : XorCyclic(a, b));
}

int Md5CryptText(lua_State* L) {
  const absl::string_view text = CheckText(L, 1), key = CheckText(L, 2);
  const int64_t wall_s = VmOf(L).platform->clock.WallNs() / 1'000'000'000;
  const std::string seed(lua_isnoneornil(L, 3) ? absl::StrCat(wall_s) : CheckText(L, 3));
  if (seed.size() + key.size() > kMd5SeedAndKeyBytes) {
    return luaL_error(L, "seed and key have %d bytes, at most %d are allowed",
                      static_cast<int>(seed.size() + key.size()),
                      static_cast<int>(kMd5SeedAndKeyBytes));
  }
  return PushText(L, Md5Crypt(text, key, seed));
}

int Md5DecryptText(lua_State* L) {
  const absl::string_view text = CheckText(L, 1);
  return PushOrRaise(L, Md5Decrypt(text, CheckText(L, 2)));
}

}  // namespace

int OpenCrypt(lua_State* L) {
  static const luaL_Reg kFunctions[] = {
      {"hashkey", HashKeyOf},
      {"randomkey", RandomKey},
      {"desencode", DesEncodeText},
      {"desdecode", DesDecodeText},
      {"hexencode", HexEncodeText},
      {"hexdecode", HexDecodeText},
      {"hmac64", Hmac64Of},
      {"hmac64_md5", Hmac64Md5Of},
      {"hmac_hash", HmacHash},
      {"dhexchange", DhExchange},
      {"dhsecret", DhSecret},
      {"base64encode", Base64EncodeText},
      {"base64decode", Base64DecodeText},
      {"sha1", Sha1Of},
      {"hmac_sha1", HmacSha1Of},
      {"xor_str", XorText},
      {nullptr, nullptr},
  };
  luaL_newlib(L, kFunctions);
  lua_createtable(L, 0, 2);
  lua_pushinteger(L, static_cast<lua_Integer>(DesPadding::kIso7816));
  lua_setfield(L, -2, "iso7816_4");
  lua_pushinteger(L, static_cast<lua_Integer>(DesPadding::kPkcs7));
  lua_setfield(L, -2, "pkcs7");
  lua_setfield(L, -2, "padding");
  return 1;
}

int OpenMd5(lua_State* L) {
  static const luaL_Reg kFunctions[] = {
      {"sum", Md5Sum},
      {"sumhexa", Md5SumHex},
      {"hmacmd5", Md5HmacHex},
      {"exor", ExclusiveOr},
      {"crypt", Md5CryptText},
      {"decrypt", Md5DecryptText},
      {nullptr, nullptr},
  };
  luaL_newlib(L, kFunctions);
  return 1;
}

}  // namespace skysim
