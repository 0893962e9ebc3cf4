// math.random and math.randomseed of the sandbox: the generator and the mapping of values of Lua
// 5.4 (xoshiro256**), with seeds from the platform. So the numbers after math.randomseed(n) are
// those of any Lua 5.4, and without it they follow from the run's seed.

#include "absl/strings/str_cat.h"
#include "engine/lua/sandbox_state.h"

namespace skysim {

namespace {

uint64_t RotateLeft(uint64_t value, int bits) { return (value << bits) | (value >> (64 - bits)); }

uint64_t NextRandom(uint64_t (&state)[4]) {
  uint64_t result = RotateLeft(state[1] * 5, 7) * 9;
  uint64_t shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = RotateLeft(state[3], 45);
  return result;
}

void Seed(SandboxState& sandbox, uint64_t first, uint64_t second) {
  constexpr int kDiscarded = 16;  // until few seed bits have spread
  sandbox.random[0] = first;
  sandbox.random[1] = 0xff;  // the state must not be all zero
  sandbox.random[2] = second;
  sandbox.random[3] = 0;
  for (int i = 0; i < kDiscarded; ++i) NextRandom(sandbox.random);
  sandbox.random_is_seeded = true;
}

struct SeedPair {
  uint64_t first;
  uint64_t second;
};

SeedPair SeedFromEntropy(SandboxState& sandbox) {
  std::string stream = absl::StrCat(sandbox.options.entropy_prefix, "/math.random");
  SeedPair seeds;
  seeds.first = sandbox.options.entropy.Draw(stream);
  seeds.second = sandbox.options.entropy.Draw(stream);
  Seed(sandbox, seeds.first, seeds.second);
  return seeds;
}

// Maps `random` to 0..`max` without bias, drawing again while it lies outside.
uint64_t Project(uint64_t random, uint64_t max, uint64_t (&state)[4]) {
  if ((max & (max + 1)) == 0) return random & max;
  uint64_t mask = ~uint64_t{0} >> __builtin_clzll(max);
  while ((random &= mask) > max) random = NextRandom(state);
  return random;
}

int Random(lua_State* L) {
  SandboxState& sandbox = SandboxOf(L);
  if (!sandbox.random_is_seeded) SeedFromEntropy(sandbox);
  uint64_t random = NextRandom(sandbox.random);
  lua_Integer low = 1;
  lua_Integer high;
  switch (lua_gettop(L)) {
    case 0:
      lua_pushnumber(L, static_cast<lua_Number>(random >> 11) * 0x1p-53);
      return 1;
    case 1:
      high = luaL_checkinteger(L, 1);
      if (high == 0) {
        lua_pushinteger(L, static_cast<lua_Integer>(random));
        return 1;
      }
      break;
    case 2:
      low = luaL_checkinteger(L, 1);
      high = luaL_checkinteger(L, 2);
      break;
    default:
      return luaL_error(L, "wrong number of arguments");
  }
  luaL_argcheck(L, low <= high, 1, "interval is empty");
  uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  uint64_t value = Project(random, range, sandbox.random) + static_cast<uint64_t>(low);
  lua_pushinteger(L, static_cast<lua_Integer>(value));
  return 1;
}

int RandomSeed(lua_State* L) {
  SandboxState& sandbox = SandboxOf(L);
  SeedPair seeds;
  if (lua_isnone(L, 1)) {
    seeds = SeedFromEntropy(sandbox);
  } else {
    seeds.first = static_cast<uint64_t>(luaL_checkinteger(L, 1));
    seeds.second = static_cast<uint64_t>(luaL_optinteger(L, 2, 0));
    Seed(sandbox, seeds.first, seeds.second);
  }
  lua_pushinteger(L, static_cast<lua_Integer>(seeds.first));
  lua_pushinteger(L, static_cast<lua_Integer>(seeds.second));
  return 2;
}

}  // namespace

void PrepareSandboxMath(lua_State* L) {
  constexpr luaL_Reg kFunctions[] = {
      {"random", Random}, {"randomseed", RandomSeed}, {nullptr, nullptr}};
  SetSandboxFunctions(L, LUA_MATHLIBNAME, kFunctions);
}

}  // namespace skysim
