#include "engine/lua/any_order.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/lua/raw_access.h"
#include "engine/lua/seri_lua.h"
#include "engine/lua/vm.h"
#include "simnet/memory/arena.h"
#include "tests/engine/lua/module_fixture.h"

namespace skysim {
namespace {

// Answers every draw with one number, and keeps the names of the streams.
class OneDraw final : public Entropy {
 public:
  explicit OneDraw(uint64_t draw) : draw_(draw) {}
  uint64_t Draw(absl::string_view stream) override {
    streams.emplace_back(stream);
    return draw_;
  }

  std::vector<std::string> streams;

 private:
  const uint64_t draw_;
};

// A VM at the same addresses each time.
class OrderFixture {
 public:
  OrderFixture() {
    auto arena = Arena::Create();
    REQUIRE(arena.ok());
    arena_ = *std::move(arena);
  }

  // What `script` returns, with tables ordered by `draw`.
  std::string Run(uint64_t draw, const std::string& script) {
    arena_->Reset();
    LuaVm vm(*arena_, 1, VmContext{});
    lua_State* L = vm.state();
    luaL_openlibs(L);
    ReplaceRawAccess(L);
    OneDraw entropy(draw);
    DrawTableOrder(L, entropy, "vm");
    INFO(script);
    if (luaL_dostring(L, script.c_str()) != LUA_OK) FAIL(lua_tostring(L, -1));
    return luaL_tolstring(L, -1, nullptr);
  }

  // How many different answers `script` gives under 100 draws.
  size_t Answers(const std::string& script) {
    std::set<std::string> answers;
    for (uint64_t draw = 1; draw <= 100; ++draw) answers.insert(Run(draw, script));
    return answers.size();
  }

 private:
  std::unique_ptr<Arena> arena_;
};

constexpr char kWalk[] = R"(
  local function walk(t)
    local keys = {}
    for key, value in pairs(t) do keys[#keys + 1] = tostring(value) end
    return table.concat(keys, " ")
  end
)";

// The values of a table of two entries, in the order of pairs().
std::string WalkTwo(const char* first, const char* second) {
  return absl::StrCat(kWalk, "local t = {} t[", first, "] = 1 t[", second, "] = 2 return walk(t)");
}

TEST_CASE_METHOD(OrderFixture, "two keys of any type come in both orders") {
  CHECK(Answers(WalkTwo("'a'", "'b'")) == 2);
  CHECK(Answers(WalkTwo("{}", "{}")) == 2);
  CHECK(Answers(WalkTwo("function() end", "function() return 1 end")) == 2);
  CHECK(Answers(WalkTwo("print", "next")) == 2);
  CHECK(Answers(WalkTwo("coroutine.create(print)", "coroutine.create(print)")) == 2);
  CHECK(Answers(WalkTwo("io.stdout", "io.stderr")) == 2);
  CHECK(Answers(WalkTwo("1000", "2000")) == 2);
  CHECK(Answers(WalkTwo("0.5", "1.5")) == 2);
  CHECK(Answers(WalkTwo("true", "false")) == 2);
}

TEST_CASE_METHOD(OrderFixture, "three keys come in every order") {
  CHECK(Answers(absl::StrCat(kWalk, "return walk {a = 1, b = 2, c = 3}")) == 6);
}

TEST_CASE_METHOD(OrderFixture, "a draw of 0 walks by node, as Lua does") {
  const std::string script = absl::StrCat(kWalk, R"(
    local t = {}
    for i = 1, 50 do t["k" .. i] = i end
    return walk(t))");
  const std::string by_node = Run(0, script);

  CHECK(Run(0, script) == by_node);
  CHECK(Run(1, script) != by_node);
}

TEST_CASE_METHOD(OrderFixture, "array parts stay in front and in order") {
  const std::string script = absl::StrCat(kWalk, R"(
    local t = {1, 2, 3, 4, nil, 6, x = "x", y = "y"}
    return walk(t):sub(1, 9) .. "; " .. #t .. "; " .. select("#", table.unpack({7, 8})))");

  CHECK(Answers(script) == 1);
  CHECK(Run(1, script) == "1 2 3 4 6; 6; 2");
}

TEST_CASE_METHOD(OrderFixture, "a walk may change and clear fields, and comes by each key once") {
  const std::string script = R"(
    local t, left = { "array" }, 0
    for i = 1, 100 do t["k" .. i] = i t[i * 1000] = i t[{}] = i end
    for _ in pairs(t) do left = left + 1 end
    local seen = {}
    for key, value in next, t do
      assert(not seen[key])
      seen[key] = true
      left = left - 1
      if left % 3 == 0 then t[key] = nil elseif left % 3 == 1 then t[key] = "changed" end
      if left % 10 == 0 then collectgarbage() end
    end
    assert(not pcall(next, t, "no such key"))
    return left)";

  for (uint64_t draw = 0; draw <= 300; ++draw) CHECK(Run(draw, script) == "0");
}

TEST_CASE_METHOD(OrderFixture, "a table keeps its order until it is resized") {
  const std::string script = absl::StrCat(kWalk, R"(
    local t = { a = 1, b = 2, c = 3, d = 4 }
    local before = walk(t)
    t.b = nil
    t.b = 2
    for _ = 1, 10 do assert(walk(t) == before) end
    return before)");

  CHECK(Answers(script) > 12);
}

TEST_CASE_METHOD(ModuleFixture, "packing walks as pairs does") {
  lua_register(L(), "pack", SeriPackString);
  std::set<std::string> orders;
  for (uint64_t draw = 0; draw <= 100; ++draw) {
    OneDraw entropy(draw);
    DrawTableOrder(L(), entropy, "vm");
    orders.insert(Run(R"(
      local t, walked = {}, {}
      for letter in ("abcdefgh"):gmatch "." do t[letter] = true end
      for letter in pairs(t) do walked[#walked + 1] = letter end
      local order = table.concat(walked)
      assert(pack(t):gsub("[^a-h]", "") == order)  -- no other byte is one of these letters
      return order)"));
  }

  CHECK(orders.size() > 90);
}

// Makes objects with finalisers, one after another. Which was the last when the second cycle
// finalised some, and whether those of each cycle went in reverse order of marking.
constexpr char kFinalise[] = R"(
  local cycles, is_reverse, last, made = {}, true, nil, 0
  local function finalise(object)
    if last and last.cycle == made then
      is_reverse = is_reverse and object.number < last.number
    else
      cycles[#cycles + 1] = made
    end
    last = { cycle = made, number = object.number }
  end
  repeat
    made = made + 1
    setmetatable({ number = made }, { __gc = finalise })
  until cycles[2]
  return cycles[2] .. (is_reverse and " in reverse" or " out of order"))";

std::string Finalise(uint64_t draw) {
  auto arena = Arena::Create();
  REQUIRE(arena.ok());
  LuaVm vm(**arena, 1, VmContext{});
  lua_State* L = vm.state();
  luaL_openlibs(L);
  lua_gc(L, LUA_GCGEN, 0, 0);
  OneDraw entropy(draw);
  DrawCollectorPace(L, entropy, "vm");
  if (luaL_dostring(L, kFinalise) != LUA_OK) FAIL(lua_tostring(L, -1));
  return lua_tostring(L, -1);
}

TEST_CASE("the collector comes earlier or later; what goes in one cycle goes as Lua promises") {
  std::set<std::string> outcomes;
  for (uint64_t draw = 0; draw < 8; ++draw) {
    const std::string outcome = Finalise(draw);
    INFO(outcome);
    CHECK(outcome.find(" in reverse") != std::string::npos);
    outcomes.insert(outcome);
  }

  CHECK(outcomes.size() >= 7);  // seven paces and Lua's own
  CHECK(Finalise(3) == Finalise(3));
}

TEST_CASE("orders and paces are drawn from streams of their own") {
  auto arena = Arena::Create();
  REQUIRE(arena.ok());
  LuaVm vm(**arena, 1, VmContext{});
  OneDraw entropy(1);

  DrawTableOrder(vm.state(), entropy, ":00000008");
  DrawCollectorPace(vm.state(), entropy, ":00000008");

  CHECK(entropy.streams == std::vector<std::string>{":00000008/tables", ":00000008/collector"});
}

}  // namespace
}  // namespace skysim
