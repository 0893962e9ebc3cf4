#include "engine/lua/seri_lua.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "tests/engine/lua/module_fixture.h"

namespace skysim {
namespace {

class SeriFixture : public ModuleFixture {
 public:
  SeriFixture() {
    lua_register(L(), "pack", SeriPack);
    lua_register(L(), "packstring", SeriPackString);
    lua_register(L(), "unpack", SeriUnpack);
    lua_register(L(), "trash", [](lua_State* L) {
      MemoryOf(L).Free(lua_touserdata(L, 1));
      return 0;
    });
    Run(R"(
      function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
      function raw(h)
        return (h:gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end))
      end
      function same(a, b)
        if type(a) ~= "table" or type(b) ~= "table" then
          return a == b and math.type(a) == math.type(b) or (a ~= a and b ~= b)
        end
        for k, v in pairs(a) do if not same(v, b[k]) then return false end end
        for k in pairs(b) do if a[k] == nil then return false end end
        return true
      end
    )");
  }

  // The packed form of a list of Lua expressions.
  std::string Hex(const std::string& values) {
    return Run("return hex(packstring(" + values + "))");
  }

  std::string UnpackFailure(const std::string& hex_bytes) {
    return Failure("return unpack(raw'" + hex_bytes + "')");
  }
};

std::string Repeat(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE_METHOD(SeriFixture, "seri packs every example of the specification to its bytes") {
  const std::vector<std::pair<std::string, std::string>> examples = {
      {"nil", "00"},
      {"true, false", "0901"},
      {"0", "02"},
      {"1", "0a01"},
      {"255", "0aff"},
      {"256", "120001"},
      {"65535", "12ffff"},
      {"65536", "2200000100"},
      {"0x7fffffff", "22ffffff7f"},
      {"-1", "22ffffffff"},
      {"0x80000000", "320000008000000000"},
      {"-0x80000000", "2200000080"},
      {"-0x80000001", "32ffffff7fffffffff"},
      {"math.mininteger", "320000000000000080"},
      {"1.0", "42000000000000f03f"},
      {"''", "04"},
      {"'abc'", "1c616263"},
      {"('a'):rep(31)", "fc" + Repeat("61", 31)},
      {"('a'):rep(32)", "152000" + Repeat("61", 32)},
      {"{}", "0600"},
      {"{1,2,3}", "1e0a010a020a0300"},
      {"{a=1}", "060c610a0100"},
      {"'ECHO','hello',42,true", "244543484f2c68656c6c6f0a2a09"},
      {"{1,nil,3}", "1e0a01000a0300"},
      {"{[-1]=1}", "0622ffffffff0a0100"},
      {"{{}}", "0e060000"},
  };
  for (const auto& example : examples) {
    INFO(example.first);
    CHECK(Hex(example.first) == example.second);
  }
  CHECK(Hex("table.unpack({}, 1, 0)") == "");
  CHECK(Run("local t={} for i=1,30 do t[i]=0 end return hex(packstring(t))") ==
        "f6" + Repeat("02", 30) + "00");
  CHECK(Run("local t={} for i=1,31 do t[i]=0 end return hex(packstring(t))") ==
        "fe0a1f" + Repeat("02", 31) + "00");
  CHECK(Run("return hex(packstring(('a'):rep(65535)):sub(1,3))") == "15ffff");
  CHECK(Run("return hex(packstring(('a'):rep(65536)):sub(1,5))") == "2500000100");
}

TEST_CASE_METHOD(SeriFixture, "seri writes each array element once, wherever Lua keeps it") {
  // All three elements in the hash part, so that lua_next gives them in no particular order.
  CHECK(Run("local t={} t[3]=3 t[2]=2 t[1]=1 return hex(packstring(t))") == "1e0a010a020a0300");
  // A hole below the border, and a pair besides.
  CHECK(Run("local t={1,2,3,4,x=5} t[2]=nil return hex(packstring(t))") ==
        "260a01000a030a040c780a0500");
  // Floats and integers beyond the border are pairs.
  CHECK(Run("return hex(packstring({7,[2.5]=1}))") == "0e0a074200000000000004400a0100");
  CHECK(Run("return hex(packstring({7,[9]=1}))") == "0e0a070a090a0100");
}

TEST_CASE_METHOD(SeriFixture, "seri gives back what was packed") {
  Run(R"(
    local values = {
      1, 0, -1, 255, 256, 65535, 65536, 2^31|0, -2^31|0, math.maxinteger, math.mininteger,
      1.5, 0.0, 1/0, -1/0, 0/0, 2^53, true, false, "", "x", ("y"):rep(31), ("y"):rep(32),
      ("z"):rep(65535), ("z"):rep(65536), "\0\1\255", {}, {1, 2, 3}, {a = {b = {c = {}}}},
      {[1.5] = 1, [true] = 2, [-3] = 3, x = "y", 1, 2, nil, 4},
    }
    for _, v in ipairs(values) do assert(same(v, unpack(packstring(v))), tostring(v)) end
    assert(same(values, unpack(packstring(values))))
    assert(select("#", unpack(packstring(nil, nil, nil))) == 3)
    assert(math.type(unpack(packstring(3.0))) == "float")
    local many = {}
    for i = 1, 200 do many[i] = i end
    assert(same(many, {unpack(packstring(table.unpack(many)))}))
  )");
}

TEST_CASE_METHOD(SeriFixture, "seri gives back random values") {
  // Own generator: math.random is not what a test repeats by.
  Run(R"(
    local state = 12345
    local function draw(n)
      state = (state * 1103515245 + 12345) & 0x7fffffff
      return (state >> 8) % n
    end
    local value
    local function scalar()
      local k = draw(8)
      if k == 0 then return true elseif k == 1 then return false
      elseif k == 2 then return draw(300) - 20
      elseif k == 3 then return (draw(1 << 20) << 44) | draw(1 << 20)
      elseif k == 4 then return (draw(1 << 20) - (1 << 19)) / 16
      else return ("s"):rep(draw(40)) .. draw(100) end
    end
    function value(depth)
      if depth == 0 or draw(3) ~= 0 then return scalar() end
      local t = {}
      for i = 1, draw(34) do if draw(10) ~= 0 then t[i] = value(depth - 1) end end
      for i = 1, draw(6) do t[scalar()] = value(depth - 1) end
      return t
    end
    for i = 1, 500 do
      local v = value(3)
      assert(same(v, unpack(packstring(v))), i)
      assert(packstring(v) == packstring(v))
    end
  )");
}

TEST_CASE_METHOD(SeriFixture, "pack hands over one block of exact size and nothing else stays") {
  lua_settop(L(), 0);
  lua_pushliteral(L(), "hello");

  const int before = memory().allocations();
  lua_getglobal(L(), "pack");
  lua_insert(L(), 1);
  lua_call(L(), 1, 2);

  CHECK(memory().allocations() == before + 1);
  CHECK(memory().live() == 1);
  CHECK(lua_tointeger(L(), 2) == 6);
  CHECK(static_cast<const char*>(lua_touserdata(L(), 1))[6] == '\0');
  MemoryOf(L()).Free(lua_touserdata(L(), 1));
}

TEST_CASE_METHOD(SeriFixture, "pack of nothing is a null pointer and size 0") {
  CHECK(Run("local p, n = pack() assert(n == 0) return select('#', unpack(p, n))") == "0");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(SeriFixture, "pack and unpack of long messages agree and free everything") {
  Run(R"(
    for _, size in ipairs{500, 511, 512, 513, 1000, 1024, 5000, 100000} do
      local s = ("q"):rep(size)
      local p, n = pack(s, size, {s})
      local a, b, c = unpack(p, n)
      assert(a == s and b == size and c[1] == s)
      trash(p)
    end
  )");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(SeriFixture, "a value inside 32 tables packs and inside 33 does not") {
  Run("function nest(n, inner) local t = inner for i = 1, n do t = {t} end return t end");

  Run("assert(packstring(nest(32, 1)))");
  Run("assert(packstring(nest(33, nil)))");
  CHECK(Failure("packstring(nest(33, 1))") == "serialize can't pack too depth table");
  CHECK(Failure("packstring(nest(34, nil))") == "serialize can't pack too depth table");
  CHECK(Failure("local t = {} t[t] = 1 packstring(t)") == "serialize can't pack too depth table");
  CHECK(Failure("local t = {} t.t = t pack(('x'):rep(9999), t)") ==
        "serialize can't pack too depth table");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(SeriFixture, "functions, full userdata and threads do not pack") {
  CHECK(Failure("packstring(print)") == "Unsupport type function to serialize");
  CHECK(Failure("packstring({io.stdout})") == "Unsupport type userdata to serialize");
  CHECK(Failure("packstring({[coroutine.create(print)]=1})") ==
        "Unsupport type thread to serialize");
}

TEST_CASE_METHOD(SeriFixture, "light userdata keeps its address") {
  lua_settop(L(), 0);
  lua_pushlightuserdata(L(), this);
  Name("p");
  CHECK(Run("return #packstring(p)") == "9");
  CHECK(Run("return unpack(packstring(p)) == p") == "true");
}

TEST_CASE_METHOD(SeriFixture, "a table with __pairs packs what __pairs gives, as pairs only") {
  CHECK(Run(R"(
    local proxy = setmetatable({9, 9}, {__pairs = function(t)
      return function(s, k)
        if k == nil then return 1, "a" elseif k == 1 then return 2, {} end
      end, t, nil
    end})
    return hex(packstring(proxy, 5)))") == "060a010c610a020600000a05");
  CHECK(Run(R"(
    local plain = setmetatable({x = 1}, {__pairs = function(t) return next, t, nil end})
    return hex(packstring({plain})))") == "0e060c780a010000");
  CHECK(Run("return hex(packstring(setmetatable({1}, {__index = {2}})))") == "0e0a0100");
}

TEST_CASE_METHOD(SeriFixture, "errors of __pairs come out unchanged and leak nothing") {
  CHECK(Run(R"(
    local mark = {}
    local t = setmetatable({}, {__pairs = function() error(mark) end})
    local ok, err = pcall(pack, ("x"):rep(2000), t)
    return not ok and err == mark)") == "true");
  CHECK(Run(R"(
    local mark = {}
    local t = setmetatable({}, {__pairs = function() return function() error(mark) end end})
    local ok, err = pcall(pack, ("x"):rep(2000), t)
    return not ok and err == mark)") == "true");
  CHECK(Run(R"(
    local t = setmetatable({}, {__pairs = function() coroutine.yield() end})
    local co = coroutine.create(pack)
    local ok, err = coroutine.resume(co, t)
    return tostring(ok) .. " " .. err)") == "false attempt to yield across a C-call boundary");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(SeriFixture, "unpack takes a string or a pointer, and nothing for nothing") {
  CHECK(Run("return select('#', unpack())") == "0");
  CHECK(Run("return select('#', unpack(nil))") == "0");
  CHECK(Run("return select('#', unpack(''))") == "0");
  CHECK(Run("local p, n = pack(1) local v = unpack(p, n) trash(p) return v") == "1");

  lua_pushlightuserdata(L(), nullptr);
  Name("null");
  CHECK(Run("return select('#', unpack(null, 0))") == "0");
  CHECK(Failure("unpack(null, 4)") == "deserialize null pointer");
}

TEST_CASE_METHOD(SeriFixture, "unpack names a malformed stream and the bytes left") {
  const std::vector<std::pair<std::string, int>> streams = {
      {"07", 1},            // type 7
      {"0a", 1},            // uint8 cut off
      {"12ff", 2},          // uint16 cut off
      {"22ffffff", 4},      // int32 cut off
      {"32ffffffffffffff", 8},
      {"42ffffffffffffff", 8},
      {"1a00", 2},          // number cookie 3
      {"2a0000000000000000", 9},  // number cookie 5
      {"3a0000000000000000", 9},  // number cookie 7
      {"03ffffffffffffff", 8},    // pointer cut off
      {"0c", 1},            // short string cut off
      {"15", 1},            // no length
      {"150100", 3},        // long string cut off
      {"0d01", 2},          // long string cookie 1
      {"25ffffffff61", 6},  // 4 GiB announced
      {"06", 0},            // table without end
      {"060c61", 0},        // key without value
      {"fe", 1},            // no size
      {"fe0c61", 3},        // size is a string
      {"fe42000000000000f03f", 10},  // size is a double
      {"fe22ffffffff", 6},  // size is negative
      {"fe22ffffff7f", 0},  // two thousand million elements announced
      {"1e0a01", 2},        // three elements announced, two bytes there
      {"0642000000000000f87f0a0100", 3},  // NaN as key
  };
  for (const auto& stream : streams) {
    INFO(stream.first);
    const std::string prefix = absl::StrCat("Invalid serialize stream ", stream.second, " (line:");
    CHECK(UnpackFailure(stream.first).substr(0, prefix.size()) == prefix);
    CHECK(UnpackFailure("0a05" + stream.first).substr(0, prefix.size()) == prefix);
  }
}

TEST_CASE_METHOD(SeriFixture, "unpack bounds the nesting of hostile streams") {
  CHECK(Run("return type(unpack(raw'" + Repeat("0e", 199) + "06" + Repeat("00", 200) + "'))") ==
        "table");
  const std::string failure = UnpackFailure(Repeat("0e", 100000));
  CHECK(failure.substr(0, 25) == "Invalid serialize stream ");
}

TEST_CASE_METHOD(SeriFixture, "unpack of prefixes and random bytes raises or returns") {
  Run(R"(
    local whole = packstring(1, 300, -5, 1.5, "abc", ("x"):rep(40),
                             {1, 2, {a = true}, k = {}}, nil, false)
    for i = 0, #whole do pcall(unpack, whole:sub(1, i)) end
    local state = 99
    local function draw(n)
      state = (state * 1103515245 + 12345) & 0x7fffffff
      return (state >> 8) % n
    end
    for i = 1, 4000 do
      local bytes = {}
      for j = 1, draw(60) do bytes[j] = string.char(draw(4) == 0 and draw(256) or draw(64)) end
      pcall(unpack, table.concat(bytes))
    end
    for i = 1, 4000 do
      local at = 1 + draw(#whole)
      pcall(unpack, whole:sub(1, at - 1) .. string.char(draw(256)) .. whole:sub(at + 1))
    end
  )");
}

TEST_CASE_METHOD(SeriFixture, "more values than a Lua stack holds are an error of Lua's") {
  CHECK(Run("local ok, err = pcall(unpack, ('\\9'):rep(2000000)) return tostring(ok) .. err") ==
        "falsestack overflow");
  CHECK(Run("return #unpack(raw'fe2240420f00' .. ('\\9'):rep(1000000) .. '\\0')") == "1000000");
}

TEST_CASE_METHOD(SeriFixture, "a __pairs that changes the table around it does not harm packing") {
  CHECK(Run(R"(
    local outer = {}
    local inner = setmetatable({}, { __pairs = function()
      for i = 1, 1000 do outer["more" .. i] = i end
      for i = 1, 100 do outer[i] = nil end
      collectgarbage()
      return next, {}
    end })
    for i = 1, 100 do outer[i] = i == 3 and inner or {} end
    outer[inner] = inner
    return type(packstring(outer))
  )") == "string");
}

TEST_CASE_METHOD(SeriFixture, "an unpacked table works as a metatable") {
  CHECK(Run(R"(
    local meta = unpack(packstring { __index = { field = "found" } })
    return setmetatable({}, meta).field
  )") == "found");
}

}  // namespace skysim
