#include "tools/third_party/lua/state_image.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"

namespace skysim {
namespace {

using Catch::Matchers::ContainsSubstring;

// Runs `script` and returns the text of its first result, or its error.
std::string RunIn(lua_State* L, const char* script) {
  if (luaL_loadstring(L, script) == LUA_OK) lua_pcall(L, 0, 1, 0);
  std::string result = luaL_tolstring(L, -1, nullptr);
  lua_settop(L, 0);
  return result;
}

// A copied state with its memory. Counts the blocks that the state took besides and has not freed.
class Copy {
 public:
  // `shift`, of 8 or 0: from where an allocator would put the blocks.
  explicit Copy(const StateImage& image, size_t shift = 0) {
    std::vector<char*> blocks;
    for (size_t i = 0; i < image.pieces(); ++i) {
      pieces_.emplace_back(shift + image.piece_bytes(i));
      blocks.push_back(pieces_.back().data() + shift);
    }
    state_ = image.CopyTo(blocks.data(), &Copy::Allocate, this);
  }
  ~Copy() { Close(); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  std::string Run(const char* script) { return RunIn(state_, script); }
  void Close() {
    if (state_ != nullptr) lua_close(state_);
    state_ = nullptr;
  }
  int live() const { return live_; }
  bool Holds(const void* address) const {
    for (const std::vector<char>& piece : pieces_) {
      auto offset = static_cast<size_t>(static_cast<const char*>(address) - piece.data());
      if (offset < piece.size()) return true;
    }
    return false;
  }
  lua_State* state() { return state_; }

 private:
  static void* Allocate(void* self, void* block, size_t old_size, size_t new_size) {
    Copy& copy = *static_cast<Copy*>(self);
    bool is_part = block != nullptr && copy.Holds(block);
    if (new_size == 0) {
      if (block == nullptr || is_part) return nullptr;
      --copy.live_;
      std::free(block);
      return nullptr;
    }
    if (block == nullptr) ++copy.live_;
    if (!is_part) return std::realloc(block, new_size);
    if (new_size <= old_size) return block;
    ++copy.live_;
    return std::memcpy(std::malloc(new_size), block, old_size);
  }

  std::vector<std::vector<char>> pieces_;
  lua_State* state_ = nullptr;
  int live_ = 0;
};

void RunOrFail(lua_State* L, const char* script) {
  if (luaL_dostring(L, script) != LUA_OK) FAIL(lua_tostring(L, -1));
}

// Lua takes the seed of math.random from the clock and an address.
void OpenLibraries(lua_State* L) {
  luaL_openlibs(L);
  RunOrFail(L, "math.randomseed(1)");
}

// What a child process writes to standard error while `act` ends it; empty when it survives.
std::string DeathText(const std::function<void()>& act) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(ends[1], STDERR_FILENO);
    act();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[1024];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? text : std::string();
}

// The libraries, and of each kind of object one: tables, closures with shared variables, a table
// with a finaliser, a coroutine that waits, a long string, garbage.
void Fill(lua_State* L) {
  OpenLibraries(L);
  RunOrFail(L, R"(
    local count = 0
    function bump() count = count + 1 return count end
    function look() return count end
    bump()
    waiting = coroutine.wrap(function(a) while true do a = coroutine.yield(a .. "!") end end)
    waiting("one")
    text = string.rep("long", 100)
    local missing = { __index = function(_, key) return "no " .. key end }
    list = setmetatable({ 10, 20, 30, n = 3 }, missing)
    for i = 1, 1000 do local garbage = { i } end
    watched = setmetatable({}, { __gc = function() closed = true end })
    dropped = setmetatable({}, { __gc = function() count = count + 100 end })
    dropped = nil
    list.n = nil
  )");
}

TEST_CASE("a copy of a state continues where the state was left") {
  auto image = StateImage::Make(7, Fill);
  Copy copy(*image);

  CHECK(copy.Run("return look()") == "101");  // one bump, and the finaliser of what was dropped
  CHECK(copy.Run("return bump()") == "102");
  CHECK(copy.Run("return look()") == "102");
  CHECK(copy.Run("return waiting('two')") == "two!");
  CHECK(copy.Run("return #text") == "400");
  CHECK(copy.Run("return list[3] .. list.other") == "30no other");
  CHECK(copy.Run("return string.format('%s', ('x'):rep(3))") == "xxx");
  CHECK(copy.Run("nofunction()") == "[string \"nofunction()\"]:1: attempt to call a nil value "
                                    "(global 'nofunction')");
}

TEST_CASE("copies of a state share nothing") {
  auto image = StateImage::Make(7, Fill);
  Copy one(*image), other(*image);

  one.Run("bump() string.len = nil list[1] = 'changed'");

  CHECK(one.Run("return look()") == "102");
  CHECK(other.Run("return look()") == "101");
  CHECK(other.Run("return string.len('four')") == "4");
  CHECK(other.Run("return list[1]") == "10");
}

TEST_CASE("each copy has the order of pairs that its seed gives") {
  constexpr char kOrder[] = R"(
    local set, order = {}, {}
    for byte = 97, 122 do set[string.char(byte)] = true end
    for key in pairs(set) do order[#order + 1] = key end
    return table.concat(order))";
  std::set<std::string> orders;
  for (unsigned seed : {1, 2, 3}) {
    auto image = StateImage::Make(seed, OpenLibraries);
    Copy one(*image), other(*image);
    CHECK(one.Run(kOrder) == other.Run(kOrder));
    orders.insert(one.Run(kOrder));
  }
  CHECK(orders.size() == 3);  // 26 keys: equal by chance hardly ever
}

TEST_CASE("a copy collects its garbage, grows, and gives everything back when closed") {
  auto image = StateImage::Make(7, Fill);
  Copy copy(*image);

  std::string grown = copy.Run(R"(
    for i = 1, 5000 do _G["name" .. i] = { i } end      -- the tables of globals and strings grow
    local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
    local depth = deep(5000)                             -- the stack grows
    for i = 1, 5000 do _G["name" .. i] = nil end
    for mode = 1, 3 do
      collectgarbage(mode == 2 and "incremental" or "generational")
      collectgarbage()
    end
    return depth)");
  std::string kept = copy.Run("return look() .. waiting('x') .. list[2]");
  std::string freed = copy.Run("watched = nil collectgarbage() return closed");
  copy.Close();

  CHECK(grown == "5000");
  CHECK(kept == "101x!20");
  CHECK(freed == "true");
  CHECK(copy.live() == 0);
}

TEST_CASE("under load a copy does what the original does, in each mode of the collector") {
  // Objects of every kind come and go between the copied ones, which are changed, dropped and
  // looked at; a digest of all values is the result.
  constexpr char kLoad[] = R"(
    collectgarbage(mode)
    collectgarbage("setpause", 100)
    local digest, closed, cache = 0, 0, setmetatable({}, { __mode = "v" })
    local function note(value)
      for i = 1, #value do digest = (digest * 31 + value:byte(i)) & 0xffffffff end
    end
    local holder = { __gc = function() closed = closed + 1 end }
    for round = 1, 300 do
      local key = "key" .. round % 97
      list[key] = setmetatable({ round, key, bump() }, holder)  -- an old table gets young values
      cache[key] = list[key]
      list["key" .. (round * 7) % 97] = nil
      math[key], string[key] = round % 3 == 0 and list or nil, round % 5 == 0 and { key } or nil
      local task = coroutine.wrap(function(a)
        local all <close> = setmetatable({}, { __close = function() bump() end })
        for i = 1, 3 do a = coroutine.yield(a .. waiting(key)) end
      end)
      note(task("a")) note(task("b"))
      if round % 2 == 0 then task("c") task("d") end
      note(tostring(list.other) .. ("%s %d"):format(list[key] and list[key][2] or "none", look()))
      note(table.concat({ key:rep(round % 50), text:sub(1, round % 400), #cache }))
      if round % 75 == 0 then collectgarbage() end
      if round % 10 == 0 then collectgarbage("step") end
      local ok, reason = pcall(error, { key })
      note(reason[1])
    end
    for name in pairs(list) do if type(name) == "string" then list[name] = nil end end
    for i = 0, 96 do math["key" .. i], string["key" .. i] = nil, nil end
    collectgarbage() collectgarbage()
    return digest .. " " .. closed .. " " .. tostring(next(cache)))";
  auto image = StateImage::Make(7, Fill);
  for (const char* mode : {"mode = 'generational'", "mode = 'incremental'"}) {
    INFO(mode);
    std::unique_ptr<lua_State, void (*)(lua_State*)> original(luaL_newstate(), lua_close);
    Fill(original.get());
    lua_gc(original.get(), LUA_GCCOLLECT);  // as in the image, what was dropped is finalised
    Copy one(*image), other(*image, 8);
    RunIn(original.get(), mode);
    one.Run(mode);
    other.Run(mode);

    std::string expected = RunIn(original.get(), kLoad);
    CHECK(one.Run(kLoad) == expected);
    CHECK(other.Run(kLoad) == expected);
    one.Close();
    other.Close();

    CHECK_THAT(expected, ContainsSubstring(" 300 nil"));  // each object of the load is finalised
    CHECK(one.live() == 0);
    CHECK(other.live() == 0);
  }
}

TEST_CASE("an empty state has a copy") {
  auto image = StateImage::Make(7, [](lua_State*) {});
  Copy copy(*image);

  CHECK(copy.Run("return 1 + 1") == "2");
}

TEST_CASE("a state bigger than a piece is copied in several") {
  auto image = StateImage::Make(7, [](lua_State* L) {
    OpenLibraries(L);
    RunOrFail(L, "lists = {} for i = 1, 200 do lists[i] = { i, i + 1, i + 2, i + 3 } end");
  });
  Copy copy(*image);

  REQUIRE(image->pieces() > 1);
  size_t bytes = 0;
  for (size_t i = 0; i < image->pieces(); ++i) {
    CHECK(image->piece_bytes(i) <= StateImage::kPieceBytes);
    bytes += image->piece_bytes(i);
  }
  CHECK(bytes > StateImage::kPieceBytes);
  CHECK(copy.Run("local sum = 0 for _, list in ipairs(lists) do sum = sum + list[1] + list[4] end "
                 "return sum") == "40800");  // 2 * (1 + ... + 200) + 200 * 3
}

// A table points right behind its nodes: with each number of tables something else is the last
// object of a piece.
TEST_CASE("any object may be the last of a piece") {
  for (int tables = 100; tables < 330; ++tables) {
    INFO(tables << " tables");

    auto image = StateImage::Make(1, [tables](lua_State* L) {
      for (int i = 1; i <= tables; ++i) {
        lua_createtable(L, 0, 1);
        lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_LAST + i);
      }
    });

    REQUIRE(image != nullptr);
    CHECK(Copy(*image).Run("return 'runs'") == "runs");
  }
}

TEST_CASE("a copy has nothing outside of its blocks before it runs") {
  auto image = StateImage::Make(7, Fill);
  Copy copy(*image);

  lua_getglobal(copy.state(), "list");
  lua_getglobal(copy.state(), "text");

  CHECK(copy.live() == 0);
  CHECK(copy.Holds(copy.state()));
  CHECK(copy.Holds(lua_topointer(copy.state(), 1)));
  CHECK(copy.Holds(lua_topointer(copy.state(), 2)));
}

TEST_CASE("a state that keeps an address of something outside ends the process") {
  std::string text = DeathText([] {
    std::vector<std::unique_ptr<int>> owned;
    StateImage::Make(7, [&](lua_State* L) {
      owned.push_back(std::make_unique<int>(1));
      lua_pushlightuserdata(L, owned.back().get());
      lua_setglobal(L, "outside");
    });
  });

  CHECK_THAT(text, ContainsSubstring("must do the same each time, whatever the addresses: byte "));
}

TEST_CASE("a state with other allocations each time ends the process") {
  std::string text = DeathText([] {
    int size = 0;
    StateImage::Make(7, [&](lua_State* L) {
      lua_createtable(L, ++size, 0);
      lua_setglobal(L, "list");
    });
  });

  CHECK_THAT(text, ContainsSubstring("must do the same each time, whatever the addresses: "
                                     "allocation "));
}

TEST_CASE("a state whose table has an object as key ends the process") {
  std::string text = DeathText([] {
    StateImage::Make(7, [](lua_State* L) {
      lua_newtable(L);
      lua_newtable(L);
      lua_pushboolean(L, true);
      lua_rawset(L, -3);
      lua_setglobal(L, "set");
    });
  });

  CHECK_THAT(text, ContainsSubstring("a table in the image of a Lua state has a key that is no "
                                     "string: type "));
}

TEST_CASE("a state that is too big, or has too long an object, has no image") {
  auto image_of = [](const char* script) {
    return StateImage::Make(7, [&](lua_State* L) { RunOrFail(L, script); });
  };

  CHECK(image_of("list = {} for i = 1, 1000 do list[i] = i end") != nullptr);  // 1024 * 16 bytes
  CHECK(image_of("list = {} for i = 1, 2000 do list[i] = i end") == nullptr);  // 2048 * 16 bytes
  CHECK(image_of("a = {} for i = 1, 100 do local b = {} for j = 1, 100 do b[j] = {} end "
                 "a[i] = b end") == nullptr);  // 10000 * 56 bytes
}

}  // namespace
}  // namespace skysim
