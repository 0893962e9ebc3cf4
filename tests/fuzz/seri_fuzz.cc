// Any bytes: the checker and the printer agree, the unpacker raises or returns, and values of a
// stream that the checker accepts pack again, to as many values.
#include <cstddef>
#include <cstdint>

#include "absl/log/check.h"
#include "absl/strings/string_view.h"
#include "engine/lua/seri_lua.h"
#include "engine/wire/seri.h"
#include "tests/engine/lua/module_fixture.h"

namespace skysim {
namespace {

// string -> nothing. Raises if the string does not unpack or its values do not pack.
int RoundTrip(lua_State* L) {
  size_t size = 0;
  const char* const data = lua_tolstring(L, 1, &size);
  const int count = UnpackValues(L, data, size);
  SeriBuffer packed(MemoryOf(L));
  PackValues(L, 2, packed);
  lua_settop(L, 1);
  CHECK_EQ(UnpackValues(L, packed.view().data(), packed.view().size()), count);
  return 0;
}

void Check(ModuleFixture& fixture, absl::string_view bytes) {
  SeriLimits limits;
  limits.are_pointers_allowed = true;
  const bool is_valid = ValidateSeri(bytes, limits).ok();
  CHECK_EQ(is_valid, SeriToText(bytes, SIZE_MAX / 2, limits).ok());
  lua_State* const L = fixture.L();
  lua_settop(L, 0);
  lua_pushcfunction(L, RoundTrip);
  lua_pushlstring(L, bytes.data(), bytes.size());
  const bool is_unpacked = lua_pcall(L, 1, 0, 0) == LUA_OK;
  // Not the other way round: what a later pair of the same key replaces is never packed again.
  CHECK(is_unpacked || !is_valid) << lua_tostring(L, -1);
  CHECK_EQ(fixture.memory().live(), 0);
}

}  // namespace
}  // namespace skysim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  skysim::ModuleFixture fixture;
  skysim::Check(fixture, absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
