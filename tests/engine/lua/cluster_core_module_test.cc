#include "engine/lua/cluster_core_module.h"

#include <string>

#include "catch2/catch_test_macros.hpp"
#include "engine/lua/seri_lua.h"
#include "tests/engine/lua/module_fixture.h"

namespace skysim {
namespace {

class ClusterCoreFixture : public ModuleFixture {
 public:
  ClusterCoreFixture() {
    luaL_requiref(L(), "skynet.cluster.core", OpenClusterCore, 0);
    Name("core");
    lua_register(L(), "pack", SeriPack);
    lua_register(L(), "packstring", SeriPackString);
    lua_register(L(), "unpack", SeriUnpack);
    lua_register(L(), "trash", [](lua_State* L) {
      MemoryOf(L).Free(lua_touserdata(L, 1));
      return 0;
    });
    lua_register(L(), "tostr", [](lua_State* L) {
      lua_pushlstring(L, static_cast<const char*>(lua_touserdata(L, 1)),
                      static_cast<size_t>(lua_tointeger(L, 2)));
      return 1;
    });
    lua_pushlightuserdata(L(), nullptr);
    Name("null");
    Run(R"(
      function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
      function raw(h)
        return (h:gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end))
      end
      function body(frame)
        assert(#frame == 2 + frame:byte(1) * 256 + frame:byte(2))
        return frame:sub(3)
      end
    )");
  }
};

}  // namespace

TEST_CASE_METHOD(ClusterCoreFixture, "packrequest and packpush make the frames of the captures") {
  CHECK(Run("return hex(core.packrequest(10, 3, pack('ECHO', 'hello', 42, true)))") ==
        "0017000a00000003000000244543484f2c68656c6c6f0a2a09");
  CHECK(Run("return hex(core.packrequest('@echo', 4, packstring('ECHO', 'hello')))") ==
        "00168005406563686f04000000244543484f2c68656c6c6f");
  CHECK(Run("return hex(core.packrequest(0, 1, pack('echo')))") ==
        "000e000000000001000000246563686f");
  CHECK(Run("return hex(core.packpush(10, 9, pack('LEN', 'abc')))") ==
        "0011000a000000000000001c4c454e1c616263");
  CHECK(Run("return hex(core.packpush('@echo', 9, pack('LEN', 'abc')))") ==
        "00138005406563686f000000001c4c454e1c616263");
  CHECK(Run("return hex(core.packtrace(':00000008-1'))") == "000c043a30303030303030382d31");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(ClusterCoreFixture, "an empty payload is nil, an empty string or a null pointer") {
  CHECK(Run("return hex(core.packrequest(10, 3))") == "0009000a00000003000000");
  CHECK(Run("return hex(core.packrequest(10, 3, ''))") == "0009000a00000003000000");
  CHECK(Run("return hex(core.packrequest(10, 3, null, 0))") == "0009000a00000003000000");
}

TEST_CASE_METHOD(ClusterCoreFixture, "pack functions count sessions and cut large messages") {
  Run(R"(
    local frame, next_session, parts = core.packrequest(10, 7, pack("ECHO", ("x"):rep(102400)))
    assert(hex(frame) == "000d010a000000070000000a900100")
    assert(next_session == 8 and #parts == 4)
    assert(hex(parts[1]:sub(1, 7)) == "80050207000000" and #parts[1] == 7 + 32768)
    assert(hex(parts[4]:sub(1, 7)) == "100f0307000000")

    frame, next_session, parts = core.packpush("@echo", 16, ("x"):rep(40007))
    assert(hex(frame) == "000fc105406563686f10000000479c0000")
    assert(next_session == 17 and #parts == 2)

    frame, next_session, parts = core.packrequest(10, 0x7fffffff, "x")
    assert(next_session == 1 and parts == nil)
    frame, next_session, parts = core.packpush(10, 5, "x")
    assert(next_session == 5 and parts == nil)
    assert(#core.packrequest(10, 1, ("x"):rep(32767)) == 2 + 9 + 32767)
    assert(#select(3, core.packrequest(10, 1, ("x"):rep(32768))) == 1)
    assert(#select(3, core.packrequest(10, 1, ("x"):rep(65536))) == 2)
  )");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(ClusterCoreFixture, "pack functions that raise free the message") {
  CHECK(Failure("core.packrequest(10, 0, pack('x'))") ==
        "Invalid request session 0, allowed are 1 to 2147483647");
  CHECK(Failure("core.packpush(10, -5, pack('x'))") ==
        "Invalid request session -5, allowed are 1 to 2147483647");
  CHECK(Failure("core.packrequest('', 1, pack('x'))") ==
        "Invalid name: 0 bytes, allowed are 1 to 255");
  CHECK(Failure("core.packrequest(('n'):rep(256), 1, pack('x'))") ==
        "Invalid name: 256 bytes, allowed are 1 to 255");
  CHECK(Failure("core.packrequest(nil, 1, pack('x'))") ==
        "bad argument #1 to 'packrequest' (number expected, got nil)");
  CHECK(Failure("core.packrequest(-1, 1, pack('x'))") ==
        "bad argument #1 to 'packrequest' (not a handle of 32 bits)");
  CHECK(Failure("core.packrequest(10, 'x', pack('x'))") ==
        "bad argument #2 to 'packrequest' (number expected, got string)");
  CHECK(Failure("local p = pack('x') core.packrequest(10, 1, p)") ==
        "bad argument #4 to 'packrequest' (number expected, got no value)");
  CHECK(Failure("core.packrequest(10, 1, null, 5)") ==
        "bad argument #3 to 'packrequest' (null pointer)");
  CHECK(Failure("core.packrequest(10, 1, pack('x'), 1 << 31)") ==
        "Message too large: 2147483648 bytes, allowed are 2147483647");
  CHECK(Failure("core.packtrace(('t'):rep(32769))") ==
        "Trace tag too long: 32769 bytes, allowed are 32768");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(ClusterCoreFixture, "unpackrequest tells the kinds of frames apart") {
  Run(R"(
    local addr, session, p, n, padding, is_push =
      core.unpackrequest(body(core.packrequest(10, 3, pack("a", 1))))
    assert(addr == 10 and session == 3 and padding == false and is_push == false)
    local a, b = unpack(p, n)
    assert(a == "a" and b == 1)
    trash(p)

    addr, session, p, n, padding, is_push = core.unpackrequest(body(core.packpush("@e", 3)))
    assert(addr == "@e" and session == 0 and p == null and n == 0 and not padding and is_push)

    local header, _, parts = core.packpush("@e", 3, ("z"):rep(40000))
    addr, session, p, n, padding, is_push = core.unpackrequest(body(header))
    assert(addr == "@e" and session == 3 and p == nil and n == 40000 and padding and is_push)
    addr, session, p, n, padding, is_push = core.unpackrequest(body(parts[1]))
    assert(addr == false and session == 3 and p == ("z"):rep(32768) and n == 32768 and padding)
    addr, session, p, n, padding, is_push = core.unpackrequest(body(parts[2]))
    assert(addr == false and session == 3 and #p == 7232 and n == 7232 and padding == false)

    local is_trace, tag = core.unpackrequest(body(core.packtrace("tag")))
    assert(is_trace == true and tag == "tag")
    is_trace, tag = core.unpackrequest(body(core.packtrace("")))
    assert(is_trace == true and tag == "")
    assert(select(2, core.unpackrequest(raw"000a000000ffffffff")) == 0xffffffff)
  )");
}

TEST_CASE_METHOD(ClusterCoreFixture, "unpackrequest says why a frame is malformed") {
  CHECK(Run("local a, why = core.unpackrequest('') assert(a == nil) return why") ==
        "Invalid cluster request of 0 bytes");
  CHECK(Run("local a, why = core.unpackrequest('\\5abc') assert(a == nil) return why") ==
        "Invalid cluster request: unknown type 0x05");
  CHECK(Run("local a, why = core.unpackrequest(null, 0) assert(a == nil) return why") ==
        "Invalid cluster request of 0 bytes");
}

TEST_CASE_METHOD(ClusterCoreFixture, "unpackrequest and packresponse borrow their message") {
  Run(R"(
    local p, n = pack("some payload")
    assert(#core.packresponse(1, true, p, n) == 2 + 5 + n)
    assert(core.unpackrequest(p, n) == nil)
    trash(p)
  )");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(ClusterCoreFixture, "packresponse makes the frames of the captures") {
  CHECK(Run("return hex(core.packresponse(3, true, packstring('hello', 42, true)))") ==
        "000e03000000012c68656c6c6f0a2a09");
  CHECK(Run("return hex(core.packresponse(6, true))") == "00050600000001");
  CHECK(Run("return hex(core.packresponse(2, false, 'name not found'))") ==
        "001302000000006e616d65206e6f7420666f756e64");
  CHECK(Run("return hex(core.packresponse(0xffffffff, true, 'x'))") == "0006ffffffff0178");
  CHECK(Run("return #core.packresponse(1, false, ('e'):rep(40000))") == "32775");
  CHECK(Run("return type(core.packresponse(1, true, ('x'):rep(32768)))") == "string");
  CHECK(Run("return #core.packresponse(1, true, ('x'):rep(32769))") == "3");
  CHECK(Run("return hex(core.packresponse(7, true, ('x'):rep(102405))[1])") ==
        "0009070000000205900100");
  CHECK(Failure("core.packresponse(-1, true, 'x')") ==
        "bad argument #1 to 'packresponse' (not a session of 32 bits)");
}

TEST_CASE_METHOD(ClusterCoreFixture, "unpackresponse tells the kinds of frames apart") {
  Run(R"(
    local function check(frame, ...)
      local got, want = table.pack(core.unpackresponse(frame)), table.pack(...)
      assert(got.n == 4)
      for i = 1, 4 do assert(got[i] == want[i], i) end
    end
    check(raw"0300000000616263", 3, false, "abc", false)
    check(raw"0300000001", 3, true, "", false)
    check(raw"030000000205900100", 3, true, 102405, true)
    check(raw"0300000003616263", 3, true, "abc", true)
    check(raw"0300000004616263", 3, true, "abc", false)
    check(raw"ffffffff01", 0xffffffff, true, "", false)
  )");
  CHECK(Failure("core.unpackresponse('abc')") == "Invalid cluster response of 3 bytes");
  CHECK(Failure("core.unpackresponse(raw'0300000009')") ==
        "Invalid cluster response: unknown type 9");
}

TEST_CASE_METHOD(ClusterCoreFixture, "append and concat put a large request together") {
  CHECK(Run(R"(
    local text = ("0123456789"):rep(10000)
    local header, _, parts = core.packrequest(10, 3, pack(text))
    local list = {}
    local function take(frame)
      local addr, session, msg, sz = core.unpackrequest(body(frame))
      core.append(list, msg, sz)
    end
    take(header)
    for _, part in ipairs(parts) do take(part) end
    local p, n = core.concat(list)
    local got = unpack(p, n)
    trash(p)
    return got == text)") == "true");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(ClusterCoreFixture, "concat joins what unpackresponse gave") {
  CHECK(Run(R"(
    local text, list = ("0123456789"):rep(10000), {}
    for i, frame in ipairs(core.packresponse(3, true, text)) do
      local session, ok, data, padding = core.unpackresponse(body(frame))
      assert(session == 3 and ok and padding == (i < 5))
      list[#list + 1] = data
    end
    local p, n = core.concat(list)
    local got = tostr(p, n)
    trash(p)
    return got == text)") == "true");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(ClusterCoreFixture, "append takes over a block") {
  Run("local list = {} core.append(list, nil, 3) core.append(list, pack('a')) "
      "assert(list[1] == 3 and list[2] == '\\x0ca')");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(ClusterCoreFixture, "concat says why a large message does not fit its header") {
  const auto reason = [this](const std::string& list) {
    return Run("local p, why = core.concat(" + list + ") assert(p == nil) return why");
  };

  CHECK(reason("{5, 'ab', 'cd'}") == "large message of 4 bytes, announced were 5");
  CHECK(reason("{3, 'ab', 'cd'}") == "large message of 4 bytes, announced were 3");
  CHECK(reason("{}") == "large message without a header");
  CHECK(reason("{'ab'}") == "large message without a header");
  CHECK(reason("{4, 'ab', 4, 'cd'}") == "large message with a second header");
  CHECK(Run("return select(2, core.concat({0}))") == "0");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(ClusterCoreFixture, "only strings that begin with @ are cluster names") {
  CHECK(Run("return core.isname('@echo')") == "true");
  CHECK(Run("return core.isname('@')") == "true");
  CHECK(Run("return core.isname('.echo')") == "false");
  CHECK(Run("return core.isname('')") == "false");
  CHECK(Run("return core.isname(64)") == "false");
}

}  // namespace skysim
