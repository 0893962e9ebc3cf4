#include "engine/lua/chunk_cache.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "engine/lua/vm.h"

namespace skysim {
namespace {

// The C heap, noting every size that was asked for.
class LoggedMemory final : public Memory {
 public:
  void* Allocate(size_t size) override { return Reallocate(nullptr, size); }
  void* Reallocate(void* block, size_t size) override {
    sizes_.push_back(size);
    if (block == nullptr) ++live_;
    return std::realloc(block, size);
  }
  void Free(void* block) override {
    sizes_.push_back(0);
    --live_;
    std::free(block);
  }

  int live() const { return live_; }
  const std::vector<size_t>& sizes() const { return sizes_; }

 private:
  int live_ = 0;
  std::vector<size_t> sizes_;
};

// A VM that loads through a cache, or, without one, as Lua does.
class Loader final {
 public:
  explicit Loader(ChunkCache* cache) : cache_(cache), vm_(memory_, 1, VmContext()) {
    if (cache != nullptr) vm_.ShareCode(cache->code());
    luaL_openlibs(vm_.state());
  }

  lua_State* L() { return vm_.state(); }
  LuaVm& vm() { return vm_; }
  LoggedMemory& memory() { return memory_; }

  int Load(const std::string& text, const char* mode = nullptr) {
    if (cache_ != nullptr) {
      return cache_->Load(L(), std::make_shared<const std::string>(text), "@a.lua", mode);
    }
    return luaL_loadbufferx(L(), text.data(), text.size(), "@a.lua", mode);
  }

  // What the chunk returns, or its error, as text.
  std::string Run(const std::string& text) {
    if (Load(text) == LUA_OK) lua_pcall(L(), 0, 1, 0);
    std::string result = luaL_tolstring(L(), -1, nullptr);
    lua_settop(L(), 0);
    return result;
  }

 private:
  ChunkCache* const cache_;
  LoggedMemory memory_;
  LuaVm vm_;
};

// The same text in a VM of its own, without and with a cache that is cold, then warm, and where the
// chunk was kept in advance, twice.
void CheckSame(const std::string& text) {
  INFO(text);
  ChunkCache cache;
  Loader plain(nullptr), cold(&cache), warm(&cache), kept(&cache);
  std::string expected = plain.Run(text);
  cache.Keep(kept.L(), std::make_shared<const std::string>("return 'another'"), "@a.lua");
  cache.Keep(kept.L(), std::make_shared<const std::string>(text), "@a.lua");

  CHECK(cold.Run(text) == expected);
  CHECK(warm.Run(text) == expected);
  CHECK(kept.Run(text) == expected);
  Loader again(&cache);
  cache.Keep(again.L(), std::make_shared<const std::string>(text), "@a.lua");
  again.Run("return 'another'");
  CHECK(again.Run(text) == expected);
}

TEST_CASE("a chunk from the cache runs as one compiled in place") {
  CheckSame("return 1");
  CheckSame("return ...");
  CheckSame(R"(
    local function adder(n) local sum = 0 return function(x) sum = sum + x * n return sum end end
    local add = adder(2)
    add(1.5)
    return add(20)
  )");
  CheckSame(R"(
    local out = {}
    for i = 1, 3 do for k, v in pairs { a = i } do out[#out + 1] = k .. v .. math.pi end end
    goto done
    out = nil
    ::done::
    return table.concat(out, ",") .. ("x"):rep(3) .. #"a string constant of more than forty bytes, so long"
  )");
  CheckSame("x = 5; return _ENV == _G and _G.x + -0x7fffffffffffffff + 1e300 // 1");
  CheckSame("local a <const> = 7; local t <close> = nil; return select('#', nil, a, true)");
}

TEST_CASE("errors of a chunk from the cache have the names and lines of its text") {
  CheckSame("local there = nil\n\n\nreturn there.field");
  CheckSame("local up = nil\nlocal function inner()\n  return up.field\nend\nreturn inner()");
  CheckSame("return\nnothing.field");
  CheckSame("local t = {}\nt.method()");
  CheckSame("error 'on purpose'");
  CheckSame("return debug.traceback('here')");
  CheckSame(R"(
    local function f(first, ...) local second = 2 return debug.getlocal(1, 2) end
    local info = debug.getinfo(f, "SLnu")
    return f() .. info.source .. info.linedefined .. info.lastlinedefined .. info.nparams ..
      debug.getlocal(f, 1) .. tostring(info.isvararg)
  )");
}

TEST_CASE("a text that does not compile gives Lua's own message") {
  CheckSame("return )");
  CheckSame("local x <const> = 1\nx = 2");
  CheckSame("goto nowhere");
}

TEST_CASE("what was kept in advance survives the loads of its chunk") {
  const std::string text = "local n = ... return function() n = (n or 0) + 1 return 'n' .. n end";
  ChunkCache cache;
  Loader loader(&cache);
  cache.Keep(loader.L(), std::make_shared<const std::string>(text), "@a.lua");

  for (int i = 0; i < 3; ++i) {
    REQUIRE(loader.Load(text) == LUA_OK);
    lua_call(loader.L(), 0, 1);
    lua_gc(loader.L(), LUA_GCCOLLECT);  // the main function goes, the one inside stays
    lua_call(loader.L(), 0, 1);
    CHECK(std::string(lua_tostring(loader.L(), -1)) == "n1");
    lua_settop(loader.L(), 0);
    lua_gc(loader.L(), LUA_GCCOLLECT);
  }
}

TEST_CASE("the mode decides whether a text may be loaded") {
  ChunkCache cache;
  Loader loader(&cache);

  CHECK(loader.Load("return 1", "b") == LUA_ERRSYNTAX);
  CHECK(std::string(lua_tostring(loader.L(), -1)) == "attempt to load a text chunk (mode is 'b')");
  CHECK(loader.Load("return 1", "t") == LUA_OK);
  CHECK(loader.Load("return 1", "bt") == LUA_OK);
}

TEST_CASE("a binary chunk is loaded as it is, and a shared function can be dumped") {
  ChunkCache cache;
  Loader loader(&cache);
  lua_State* L = loader.L();
  REQUIRE(loader.Load("local n = ... return function() return n * 2 end") == LUA_OK);
  lua_setglobal(L, "f");
  REQUIRE(luaL_dostring(L, "return string.dump(f)") == LUA_OK);
  size_t size = 0;
  const char* bytes = lua_tolstring(L, -1, &size);
  std::string binary(bytes, size);

  CHECK(loader.Load(binary, "t") == LUA_ERRSYNTAX);
  REQUIRE(loader.Load(binary, "b") == LUA_OK);
  lua_pushinteger(L, 21);
  REQUIRE(lua_pcall(L, 1, 1, 0) == LUA_OK);
  REQUIRE(lua_pcall(L, 0, 1, 0) == LUA_OK);
  CHECK(lua_tointeger(L, -1) == 42);
}

TEST_CASE("what a VM allocates does not depend on what others have loaded") {
  constexpr char kText[] = "local t = { name = 'x' } return function(a) return a .. t.name end";
  constexpr char kBroken[] = "local t = {";
  ChunkCache cache;
  Loader cold(&cache), warm(&cache);

  cold.Run(kText);
  cold.Run(kBroken);
  warm.Run(kText);
  warm.Run(kBroken);

  CHECK(cold.memory().sizes() == warm.memory().sizes());
}

TEST_CASE("the start of a file that Lua skips is skipped") {
  ChunkCache cache;
  Loader loader(&cache);

  CHECK(loader.Run("#!/usr/bin/lua\nreturn debug.getinfo(1, 'l').currentline") == "2");
  CHECK(loader.Run("#!/usr/bin/lua") == "nil");
  CHECK(loader.Run("\xEF\xBB\xBFreturn 3") == "3");
}

TEST_CASE("a text that changed is another chunk") {
  ChunkCache cache;
  Loader loader(&cache);

  CHECK(loader.Run("return 1") == "1");
  CHECK(loader.Run("return 2") == "2");
  CHECK(loader.Run("return 1") == "1");
}

TEST_CASE("collecting a shared function frees what is the VM's and leaves the code to others") {
  constexpr char kText[] = R"(
    local function twice(x) return x * 2 end
    return function(first) local second = twice(first) return second, "a constant" end
  )";
  ChunkCache cache;
  for (int mode : {LUA_GCINC, LUA_GCGEN}) {
    Loader loader(&cache), other(&cache);
    lua_State* L = loader.L();
    lua_gc(L, mode, 0, 0, 0);
    REQUIRE(other.Load(kText) == LUA_OK);
    lua_gc(L, LUA_GCCOLLECT);
    size_t before = loader.vm().bytes_used();
    int counted_before = lua_gc(L, LUA_GCCOUNT);
    for (int round = 0; round < 1000; ++round) {
      REQUIRE(loader.Load(kText) == LUA_OK);
      lua_call(L, 0, 1);
      lua_pushinteger(L, round);
      lua_call(L, 1, 1);
      REQUIRE(lua_tointeger(L, -1) == 2 * round);
      lua_settop(L, 0);
      if (round % 100 == 0) lua_gc(L, LUA_GCSTEP, 0);
    }
    lua_gc(L, LUA_GCCOLLECT);

    CHECK(loader.vm().bytes_used() == before);
    CHECK(lua_gc(L, LUA_GCCOUNT) == counted_before);
    lua_call(other.L(), 0, 1);
    lua_pushinteger(other.L(), 4);
    lua_call(other.L(), 1, 2);
    CHECK(lua_tointeger(other.L(), -2) == 8);
  }
}

TEST_CASE("a VM at its memory limit gets an error, not a chunk, and stays whole") {
  std::string text = "local t = {}\n";
  for (int i = 0; i < 200; ++i) {
    text += "t.f" + std::to_string(i) + " = function(a) return a.k" + std::to_string(i) + " end\n";
  }
  text += "return t";
  ChunkCache cache;
  Loader loader(&cache);
  lua_State* L = loader.L();
  lua_gc(L, LUA_GCCOLLECT);
  size_t idle = loader.vm().bytes_used();
  // Fails at each of the allocations in turn, until there is room for all.
  size_t room = 0;
  int status = LUA_ERRMEM;
  for (; status != LUA_OK; room += 97) {
    REQUIRE(room < 1'000'000);
    loader.vm().SetMemoryLimit(idle + 1000 + room);
    status = loader.Load(text);
    if (status != LUA_OK) {
      REQUIRE(std::string(lua_tostring(L, -1)) == "not enough memory");
      lua_settop(L, 0);
    }
  }
  loader.vm().SetMemoryLimit(0);

  CHECK(room > 10'000);  // 200 functions of more than 100 bytes each
  REQUIRE(lua_pcall(L, 0, 1, 0) == LUA_OK);
  lua_getfield(L, -1, "f199");
  CHECK(lua_isfunction(L, -1));
}

}  // namespace
}  // namespace skysim
