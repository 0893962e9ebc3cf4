#include "engine/lua/sandbox.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "catch2/matchers/catch_matchers_string.hpp"
#include "engine/os/os_storage.h"
#include "simnet/storage/tree_storage.h"

namespace skysim {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;

class FixedClock final : public Clock {
 public:
  int64_t NowNs() const override { return 0; }
  int64_t WallNs() const override { return wall_ns; }
  int64_t CpuNs() const override { return 1'250'000'000; }
  void SetAlarm(int64_t, AlarmSink*) override {}

  int64_t wall_ns = 1'700'000'000'999'999'999;
};

// The same numbers for the same seed, stream and ordinal.
class CountingEntropy final : public Entropy {
 public:
  explicit CountingEntropy(uint64_t seed) : seed_(seed) {}
  uint64_t Draw(absl::string_view stream) override {
    uint64_t hash = seed_ * 1'000'003 + ++draws[std::string(stream)];
    for (char c : stream) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
  }

  std::map<std::string, uint64_t> draws;

 private:
  uint64_t seed_;
};

// Files that the cases find in their working folder.
const std::map<std::string, std::string>& Files() {
  static const auto& files = *new std::map<std::string, std::string>{
      {"lines.txt", "one\ntwo\n\nfour"},
      {"numbers.txt", "12 -3.5e2\n0x1F .5 0x.8p1 1e5 99999999999999999999 -0x10 7z nan"},
      {"empty.txt", ""},
      {"long.txt", std::string(5'000, 'a') + "\n" + std::string(9'000, 'b') + "\nend"},
      {"chunk.lua", "local a, b = ...\nreturn 'chunk', a, b, X"},
      {"broken.lua", "return return"},
      {"raises.lua", "#!/usr/bin/lua\nerror('at line 2')"},
      {"mark.lua", "\xEF\xBB\xBF# comment\nreturn 'bom'"},
      {"comment.lua", "# only"},
      {"mod.lua", "return { name = ..., file = select(2, ...) }"},
      {"deep/inner.lua", "return 'inner of ' .. ..."},
  };
  return files;
}

// A Lua state with everything that a sandbox needs. `Run` gives what a chunk returns or raises.
class LuaBox {
 public:
  static LuaBox Stock() { return LuaBox(); }

  LuaBox(Storage& storage, uint64_t seed, bool fixed_utc = true,
         const std::string& prefix = "0100000a")
      : LuaBox() {
    entropy_ = std::make_unique<CountingEntropy>(seed);
    SandboxOptions options{storage, *clock_, *entropy_, prefix};
    options.write_out = [out = output_.get()](absl::string_view text) {
      out->append(text.data(), text.size());
    };
    options.getenv = [](const std::string& name) {
      static const auto& home = *new std::string("/home/node");
      return name == "HOME" ? &home : nullptr;
    };
    options.fixed_utc = fixed_utc;
    InstallSandbox(state_.get(), std::move(options));
    Start();
  }

  std::string Run(const std::string& code) {
    lua_State* L = state_.get();
    lua_settop(L, 0);
    int status = luaL_loadbufferx(L, code.data(), code.size(), "=case", nullptr);
    if (status == LUA_OK) status = lua_pcall(L, 0, LUA_MULTRET, 0);
    std::string text = status == LUA_OK ? "" : "raised ";
    for (int i = 1; i <= lua_gettop(L); ++i) {
      absl::StrAppend(&text, i > 1 ? ", " : "", luaL_tolstring(L, i, nullptr));
      lua_pop(L, 1);
    }
    return text;
  }

  lua_State* state() { return state_.get(); }
  std::string& output() { return *output_; }
  FixedClock& clock() { return *clock_; }
  CountingEntropy& entropy() { return *entropy_; }

 private:
  LuaBox() : state_(luaL_newstate(), lua_close) {
    luaL_openlibs(state_.get());
    Start();
  }
  void Start() { Run("package.path = './?.lua;./deep/?.lua'; package.cpath = './?.so'"); }

  std::unique_ptr<std::string> output_ = std::make_unique<std::string>();
  std::unique_ptr<FixedClock> clock_ = std::make_unique<FixedClock>();
  std::unique_ptr<CountingEntropy> entropy_;
  std::unique_ptr<lua_State, void (*)(lua_State*)> state_;  // closed first
};

// The working folder of the process, in UTC, with Files(); as before when the test ends.
class RealFolder {
 public:
  RealFolder() : before_(std::filesystem::current_path()) {
    setenv("TZ", "UTC", 1);
    tzset();
    std::string pattern = (std::filesystem::temp_directory_path() / "sandbox_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    std::filesystem::current_path(path_);
    std::filesystem::create_directory("deep");
    for (const auto& [name, bytes] : Files()) std::ofstream(name, std::ios::binary) << bytes;
  }
  ~RealFolder() {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(path_);
  }

 private:
  std::filesystem::path before_;
  std::string path_;
};

struct Tree {
  Tree() {
    for (const auto& [name, bytes] : Files()) storage.Put(name, bytes);
  }
  HostFiles host;
  TreeStorage storage{host, {"/work", {}}};
};

// Each is run by a stock Lua and by the sandbox, over the machine's files and over a tree.
const std::vector<const char*> kFileCases = {
    // open and its errors
    "return io.open('none.txt')",
    "return io.open('none/x', 'w')",
    "return io.open('lines.txt/x')",
    "return io.open('deep', 'w')",
    "return io.open('deep'):read('a')",
    "return io.open('')",
    "return io.open('lines.txt', 'x')",
    "return io.open('lines.txt', 'rw')",
    "return io.open('lines.txt', 'r+b'):read()",
    "return io.open()",
    "return pcall(io.lines, 'none.txt')",
    "return io.lines('none.txt')",
    "return io.lines(true)",
    // reading
    "return io.open('lines.txt'):read('a')",
    "return io.open('lines.txt'):read()",
    "return io.open('lines.txt'):read('l', 'L', 'l', 'L', 'l', 'a')",
    "return io.open('lines.txt'):read('*l', '*L', '*a', '*a', '*l')",
    "return io.open('lines.txt'):read(2, 0, 5, 100, 0, 1)",
    "return io.open('empty.txt'):read('a')",
    "return io.open('empty.txt'):read('l', 'a')",
    "return io.open('empty.txt'):read(0)",
    "return io.open('lines.txt'):read('x')",
    "return io.open('lines.txt'):read({})",
    "return io.open('lines.txt'):read('n', 'l')",
    "return io.open('numbers.txt'):read('n', 'n', 'n', 'n', 'n', 'n', 'n', 'n', 'n')",
    "local f = io.open('numbers.txt') f:seek('end', -5) return f:read('n', 'a')",
    "local f = io.open('numbers.txt') f:seek('end', -3) local n = f:read('n') "
    "return n, f:read('a')",
    "local f = io.open('w', 'w+') f:write('0x', ' +', ' 1e+', ' .', ' -.5') f:seek('set') "
    "local t = {} for i = 1, 5 do t[i] = tostring(f:read('n')) .. '/' .. f:seek() end "
    "return table.concat(t, ' ')",
    "local f = io.open('w', 'w+') f:write(('1'):rep(300)) f:seek('set') "
    "return f:read('n'), f:seek()",
    "local f = io.open('long.txt') return #f:read(), #f:read('L'), f:read(), f:read()",
    "local f = io.open('long.txt') return #f:read(6000), #f:read('a')",
    "return io.open('w', 'w'):read()",
    "return io.open('w', 'w'):read('a')",
    // lines
    "local t = {} for l in io.lines('lines.txt') do t[#t + 1] = l end return table.concat(t, '|')",
    "local t = {} for a, b in io.lines('lines.txt', 1, 'L') do t[#t + 1] = a .. '/' .. "
    "tostring(b) end return table.concat(t, '|')",
    "local f = io.open('lines.txt') for l in f:lines('n') do end return io.type(f), f:read('a')",
    "local f = io.open('lines.txt') local next = f:lines() f:close() return next()",
    "local next = io.lines('lines.txt', 'a') return next(), next(), next()",
    "local next, a, b, f = io.lines('empty.txt') return next(), io.type(f), next()",
    "return io.lines('deep')()",
    "local f <close> = io.open('lines.txt') return select('#', f:lines(1, 2, 3))",
    "local f = io.open('lines.txt') return f:lines(table.unpack({}, 1, 251))",
    "local f do local g <close> = io.open('lines.txt') f = g end return io.type(f)",
    // writing
    "local f = io.open('w', 'w') f:write('a', 1, 2.5, 1.0, -0.0, 1e100, 1 << 62):close() "
    "return io.open('w'):read('a')",
    "local f = io.open('w', 'w') local ok, e = pcall(f.write, f, 'a', {}) f:close() "
    "return ok, e, io.open('w'):read('a')",
    "return io.open('lines.txt'):write('x')",
    "local f = io.open('lines.txt', 'r') return f:seek('end'), f:write('x')",
    "local f = io.open('lines.txt', 'a') local p = f:seek() f:write('!') local q = f:seek() "
    "f:close() return p, q, io.open('lines.txt'):read('a')",
    "local f = io.open('lines.txt', 'a+') local p = f:seek() f:seek('set', 1) f:write('!') "
    "f:seek('set') return p, f:read('a')",
    "local f = io.open('lines.txt', 'r+') f:write('ONE') f:seek('cur', 0) local l = f:read() "
    "f:close() return l, io.open('lines.txt'):read('a')",
    "local f = io.open('lines.txt', 'w+') f:write('new') f:seek('set') return f:read('a')",
    "local f = io.open('w', 'w') f:seek('set', 4) f:write('x') f:close() "
    "return (io.open('w'):read('a'):gsub('\\0', '0'))",
    "local f = io.open('w', 'w') f:write('buffered') local before = io.open('w'):read('a') "
    "f:flush() return before, io.open('w'):read('a')",
    "local f = io.open('w', 'w') f:setvbuf('no') f:write('at once') return io.open('w'):read('a')",
    "local f = io.open('w', 'w') f:setvbuf('line') f:write('a') local b = io.open('w'):read('a') "
    "f:write('b\\n') return b, io.open('w'):read('a')",
    "local f = io.open('w', 'w') f:write(('x'):rep(100000)) f:close() "
    "return #io.open('w'):read('a')",
    "local f = io.open('w', 'w') return f:setvbuf('full', 1024), f:flush(), f:setvbuf('some')",
    // seek
    "local f = io.open('lines.txt') return f:seek('end'), f:seek('set', 3), f:seek('cur', -1), "
    "f:seek(), f:seek('set', -1)",
    "local f = io.open('lines.txt') f:read() return f:seek(), f:read(1), f:seek('cur')",
    "local f = io.open('lines.txt') return f:seek('middle')",
    "local f = io.open('lines.txt') return f:seek('set', 100), f:read(1), f:read('a')",
    // close, type, tostring
    "local f = io.open('lines.txt') return f:close(), io.type(f), tostring(f), f:read()",
    "local f = io.open('lines.txt') f:close() return f:close()",
    "return io.type(io.open('lines.txt')), io.type(io.stdout), io.type(1), io.type({})",
    "return io.type()",
    "return (tostring(io.open('lines.txt')):gsub('0x%x+', 'P'))",
    "return io.stdout.close()",
    "return io.open('lines.txt').close(1)",
    "return io.open('lines.txt').read({})",
    "return io.close()",
    "return io.stdout:close()",
    "return getmetatable(io.stdout).__name, io.open('lines.txt').unknown",
    // default files
    "io.input('lines.txt') return io.read('L'), io.read(), io.read('a'), io.read()",
    "io.input('lines.txt') local t = {} for l in io.lines() do t[#t + 1] = l end "
    "return table.concat(t, '|'), io.type(io.input())",
    "io.input('lines.txt') io.input():close() return io.read()",
    "io.input('lines.txt') io.input():close() return io.lines()",
    "return io.input('none.txt')",
    "return io.input({})",
    "io.output('w') io.write('a', 2) io.close() return io.open('w'):read('a')",
    "io.output('w') local f = io.write('a') return f == io.output(), io.flush(), "
    "io.open('w'):read('a')",
    "io.output('w') io.close() return io.write('x')",
    "return io.output('none/x')",
    "return io.output(io.stderr) == io.stderr",
    "local f = io.tmpfile() f:write('abc') f:seek('set') return f:read('a'), io.type(f)",
    // os on files
    "return os.remove('lines.txt'), io.open('lines.txt')",
    "return os.remove('none.txt')",
    "return os.remove('deep')",
    "return os.rename('lines.txt', 'other'), io.open('other'):read(), io.open('lines.txt')",
    "return os.rename('none.txt', 'other')",
    "return os.rename('lines.txt', 'none/x')",
    "local n = os.tmpname() local f = io.open(n) local a = f:read('a') f:close() "
    "return #n, n:sub(1, 9), a, os.remove(n)",
    // chunks
    "return loadfile('none.lua')",
    "return loadfile('broken.lua')",
    "return loadfile('deep')",
    "return loadfile('chunk.lua', 'b')",
    "return loadfile('chunk.lua', 't', { X = 'x' })(1, 2)",
    "return loadfile('chunk.lua')(1, 2)",
    "return loadfile('mark.lua')()",
    "return loadfile('comment.lua')()",
    "return debug.getinfo(loadfile('chunk.lua'), 'S').source",
    "local f = io.open('bin', 'w') f:write(string.dump(function() return 'bin' end)) f:close() "
    "return loadfile('bin')(), loadfile('bin', 't')",
    "local f = io.open('bin', 'w') f:write('# c\\n', string.dump(function() return 'bin' end)) "
    "f:close() return loadfile('bin')()",
    "return dofile('chunk.lua')",
    "return dofile('none.lua')",
    "return dofile('raises.lua')",
    "local f = io.open('y.lua', 'w') f:write('return coroutine.yield(1) + 1') f:close() "
    "local co = coroutine.wrap(dofile) return co('y.lua'), co(41)",
    // modules
    "local m = require 'mod' return m.name, m.file, require('mod') == m",
    "return require 'inner'",
    "return require 'none.such'",
    "return require 'broken'",
    "return require 'deep.inner'",
    "package.path = nil return require 'mod'",
    "return package.searchpath('deep.inner', './?.lua')",
    "return package.searchpath('deep-inner', './?.lua;x', '-')",
    "return package.searchpath('a.b', 'x/?;y/?.lua')",
    "return package.searchpath('a.b', '?;;', '')",
    "return package.searchpath('a', '')",
    "return package.searchpath('a.b', './?', '.', '+')",
};

const std::vector<const char*> kPureCases = {
    // calendar
    "return os.time{year = 2024, month = 2, day = 29}",
    "return os.time{year = 2024, month = 14, day = -5, hour = 30, min = -1, sec = 3600}",
    "local t = {year = 2023, month = -1, day = 400, hour = 25, isdst = false} os.time(t) "
    "return t.year, t.month, t.day, t.hour, t.min, t.sec, t.yday, t.wday, t.isdst",
    "return os.time{year = 1, month = 1, day = 1, hour = 0}",
    "return os.time{year = -5000, month = 3, day = 1}",
    "return os.time{year = 1969, month = 12, day = 31, hour = 23, min = 59, sec = 59}",
    "return os.time{year = '2024', month = '02', day = 1.0}",
    "return os.time{year = 2024, month = 2}",
    "return os.time{year = 2024, month = 'x', day = 1}",
    "return os.time{year = 2024, month = 1.5, day = 1}",
    "return os.time{year = 1 << 40, month = 1, day = 1}",
    "return os.time{year = 2147485547, month = 12, day = 31}",
    "return os.time{year = 2147485547, month = 13, day = 31}",
    "return os.time(5)",
    "return os.date('!%c', 0)",
    "return os.date('%Y-%m-%d %H:%M:%S', 1700000000)",
    "return os.date('%a %A %b %B %c %C %d %D %e %F %g %G %h %H %I %j %m %M %p %r %R %S %T %u %U "
    "%V %w %W %x %X %y %Y %z %Z %% %n %t', 1709210096)",
    "return os.date('!%Ec %EC %Ex %EX %Ey %EY %Od %Oe %OH %OI %Om %OM %OS %Ou %OU %OV %Ow %OW "
    "%Oy %z %Z', 1709210096)",
    "return os.date('!plain \\0 text %d', 86400 * 30)",
    "return os.date('%Q')",
    "return os.date('%E')",
    "return os.date('%Ez', 0)",
    "return os.date('%', 0)",
    "return os.date('', 0)",
    "return os.date('!%F %T %j %U %W %V %G %u', -1)",
    "return os.date('!%F', -62135596800 - 86400)",
    "return os.date('!%F', 67768036191676799)",
    "return os.date('!%F', 67768036191676800)",
    "return os.date('*t', 1 << 62)",
    "return os.date('%c', 1.5)",
    "local t = os.date('*t', 951782400) local k = {} for n in pairs(t) do k[#k + 1] = n end "
    "table.sort(k) for i, n in ipairs(k) do k[i] = n .. '=' .. tostring(t[n]) end "
    "return table.concat(k, ' ')",
    "local t = os.date('!*t', -86400 * 719468) return t.year, t.month, t.day, t.wday, t.yday",
    "local s = 0 for i = -3000, 3000 do local t = i * 7777777 + i "
    "local d = os.date('*t', t) assert(os.time(d) == t) "
    "s = (s * 31 + d.yday * 7 + d.wday + d.day + d.month + d.year) % 1000003 end return s",
    "return os.difftime(10, 4), pcall(os.difftime, 1)",
    "return os.setlocale(), os.setlocale('C'), os.setlocale('xx'), os.setlocale('', 'numeric')",
    "return os.setlocale('C', 'nothing')",
    // random numbers
    "return math.randomseed(42)",
    "math.randomseed(42) return math.random(), math.random(0), math.random(10), math.random(-5, 5)",
    "math.randomseed(1, 2) local t = {} for i = 1, 200 do t[i] = math.random(i * 37) end "
    "return table.concat(t, ',')",
    "math.randomseed(7) local t = {} for i = 1, 50 do t[i] = math.random(math.mininteger, "
    "math.maxinteger) end return table.concat(t, ',')",
    "math.randomseed(7.0) return math.random(3, 3), math.random(1 << 40), math.random(0, 255)",
    "math.randomseed(7) return math.random(1, math.maxinteger), math.random(-1, math.maxinteger)",
    "math.randomseed(7) return ('%a %a'):format(math.random(), math.random())",
    "return math.randomseed(1.5)",
    "return math.random(2, 1)",
    "return math.random(1, 2, 3)",
    "return math.random('x')",
    // print, tostring
    "return print(setmetatable({}, { __tostring = function() return {} end }))",
};

TEST_CASE("sandbox over the machine's files does what stock Lua does") {
  for (const char* code : kFileCases) {
    CAPTURE(code);
    std::string expected;
    {
      RealFolder folder;
      expected = LuaBox::Stock().Run(code);
    }
    RealFolder folder;
    OsStorage storage;
    CHECK(LuaBox(storage, 1, false).Run(code) == expected);
  }
}

TEST_CASE("sandbox over a tree does what stock Lua does") {
  for (const char* code : kFileCases) {
    CAPTURE(code);
    std::string expected;
    {
      RealFolder folder;
      expected = LuaBox::Stock().Run(code);
    }
    Tree tree;
    CHECK(LuaBox(tree.storage, 1).Run(code) == expected);
  }
}

TEST_CASE("sandbox has the calendar and the random numbers of stock Lua in UTC") {
  RealFolder folder;
  Tree tree;
  for (const char* code : kPureCases) {
    CAPTURE(code);
    std::string expected = LuaBox::Stock().Run(code);
    CHECK(LuaBox(tree.storage, 1, true).Run(code) == expected);
    CHECK(LuaBox(tree.storage, 1, false).Run(code) == expected);
  }
}

TEST_CASE("sandbox has every function that the stock libraries have") {
  Tree tree;
  const char* code =
      "local t = {} for _, lib in ipairs{'os', 'io', 'math', 'package', '_G'} do "
      "for k, v in pairs(_G[lib]) do t[#t + 1] = lib .. '.' .. k .. ':' .. type(v) end end "
      "for k in pairs(getmetatable(io.stdout).__index) do t[#t + 1] = k end "
      "table.sort(t) return table.concat(t, ' ')";

  CHECK(LuaBox(tree.storage, 1).Run(code) == LuaBox::Stock().Run(code));
}

TEST_CASE("sandbox tells the time of its clock, in UTC, wherever the process is") {
  Tree tree;
  LuaBox box(tree.storage, 1);
  setenv("TZ", "America/New_York", 1);
  tzset();

  CHECK(box.Run("return os.time()") == "1700000000");
  CHECK(box.Run("return os.date('%F %T %Z %z')") == "2023-11-14 22:13:20 UTC +0000");
  CHECK(box.Run("return os.date('*t').hour, os.time{year = 1970, month = 1, day = 2}") ==
        "22, 129600");
  CHECK(box.Run("return os.clock()") == "1.25");
  box.clock().wall_ns = -1;
  CHECK(box.Run("return os.date('!%F %T')") == "1969-12-31 23:59:59");
  setenv("TZ", "UTC", 1);
  tzset();
}

TEST_CASE("sandbox writes to its sink") {
  Tree tree;
  LuaBox box(tree.storage, 1);

  CHECK(box.Run("print('a', 1, nil) io.write('b', 2) io.stdout:write('c\\n') "
                "io.stderr:write('d') return io.stdout:seek()") == "nil, Illegal seek, 29");

  CHECK(box.output() == "a\t1\tnil\nb2c\nd");
}

TEST_CASE("standard input of a simulated service is at its end") {
  Tree tree;

  CHECK(LuaBox(tree.storage, 1).Run("return io.read(), io.read('a'), io.stdin:read(0)") ==
        "nil, , nil");
}

TEST_CASE("sandbox draws its random numbers from the entropy, late and by name") {
  Tree tree;
  const char* code = "return math.random(0), math.random(0)";
  LuaBox box(tree.storage, 1);
  CHECK(box.entropy().draws.empty());

  std::string numbers = box.Run(code);

  CHECK(box.entropy().draws == std::map<std::string, uint64_t>{{"0100000a/math.random", 2}});
  CHECK(LuaBox(tree.storage, 1).Run(code) == numbers);
  CHECK(LuaBox(tree.storage, 2).Run(code) != numbers);
  CHECK(LuaBox(tree.storage, 1, true, "0100000b").Run(code) != numbers);
}

TEST_CASE("math.randomseed without arguments draws a new seed") {
  Tree tree;
  LuaBox box(tree.storage, 1);
  const char* code = "local a, b = math.randomseed() local n = math.random(0) "
                     "math.randomseed(a, b) return n == math.random(0), a, b";

  std::string first = box.Run(code);
  std::string second = box.Run(code);

  CHECK_THAT(first, ContainsSubstring("true, "));
  CHECK(first != second);
  CHECK(LuaBox(tree.storage, 1).Run(code) == first);
}

TEST_CASE("a simulated service starts no process") {
  Tree tree;
  LuaBox box(tree.storage, 1);

  CHECK(box.Run("return os.execute()") == "false");
  CHECK(box.Run("os.execute('ls')") ==
        "raised case:1: os.execute is not available in a simulation: 'ls'");
  CHECK(box.Run("io.popen('ls')") ==
        "raised case:1: io.popen is not available in a simulation: 'ls'");
}

TEST_CASE("a real service uses Lua's own processes beside the sandbox's files") {
  RealFolder folder;
  OsStorage storage;
  LuaBox box(storage, 1, false);

  CHECK(box.Run("local p = io.popen('echo hello') return io.type(p), p:read('a'), io.close(p), "
                "io.type(p)") == "file, hello\n, true, closed file");
}

TEST_CASE("sandbox knows the environment variables that it is given") {
  setenv("SANDBOX_TEST", "x", 1);
  Tree tree;

  CHECK(LuaBox(tree.storage, 1).Run("return os.getenv('HOME'), os.getenv('SANDBOX_TEST')") ==
        "/home/node, nil");
}

TEST_CASE("os.exit asks its handler and does not return") {
  Tree tree;
  LuaBox box(tree.storage, 1);
  CHECK(box.Run("os.exit()") == "raised case:1: os.exit is not available to a service");

  std::unique_ptr<lua_State, void (*)(lua_State*)> state(luaL_newstate(), lua_close);
  luaL_openlibs(state.get());
  std::vector<int> statuses;
  SandboxOptions options{tree.storage, box.clock(), box.entropy()};
  options.exit = [&](lua_State*, int status) { statuses.push_back(status); };
  InstallSandbox(state.get(), std::move(options));

  CHECK(luaL_dostring(state.get(), "pcall(os.exit) pcall(os.exit, false) pcall(os.exit, 7) "
                                   "os.exit(true) ran_on = true") != LUA_OK);

  CHECK(statuses == std::vector<int>{0, 1, 7, 0});
  CHECK_THAT(lua_tostring(state.get(), -1), EndsWith("]:1: os.exit(0)"));
  CHECK(lua_getglobal(state.get(), "ran_on") == LUA_TNIL);
}

TEST_CASE("two nodes do not see each other's files") {
  Tree a;
  Tree b;

  LuaBox(a.storage, 1).Run("io.open('shared', 'w'):write('a'):close() os.remove('mod.lua')");

  CHECK(LuaBox(a.storage, 1).Run("return io.open('shared'):read()") == "a");
  CHECK(LuaBox(b.storage, 1).Run("return io.open('shared')") ==
        "nil, shared: No such file or directory, 2");
  CHECK(LuaBox(b.storage, 1).Run("return require('mod').name") == "mod");
}

TEST_CASE("a file that nobody closed is written when its state is closed") {
  Tree tree;
  LuaBox(tree.storage, 1).Run("f = io.open('kept', 'w') f:write('bytes')");

  CHECK(*tree.storage.ReadAll("kept").value() == "bytes");
}

TEST_CASE("names of temporary files repeat with the seed") {
  Tree a;
  Tree b;
  const char* code = "return os.tmpname(), os.tmpname()";

  std::string names = LuaBox(a.storage, 1).Run(code);

  CHECK(LuaBox(b.storage, 1).Run(code) == names);
  CHECK(LuaBox(a.storage, 1).Run(code) != names);  // they exist now
}

TEST_CASE("a file handle of a C module's type is told apart") {
  Tree tree;
  LuaBox box(tree.storage, 1);
  box.Run("return io.open('lines.txt')");
  REQUIRE(lua_isuserdata(box.state(), 1));

  CHECK(luaL_testudata(box.state(), 1, LUA_FILEHANDLE) == nullptr);
}

}  // namespace
}  // namespace skysim
