#include "engine/lua/netpack_module.h"

#include <cstring>
#include <string>

#include "catch2/catch_test_macros.hpp"
#include "engine/core/socket_message.h"
#include "tests/engine/lua/module_fixture.h"

namespace skysim {
namespace {

// event(type, id, ud, bytes) -> msg, sz. For DATA and UDP the bytes are a block behind `buffer`,
// else they follow the struct. The message itself is a userdata kept in a table, as a dispatch
// would keep it.
int MakeEvent(lua_State* L) {
  SocketMessage event;
  event.type = static_cast<int32_t>(luaL_checkinteger(L, 1));
  event.id = static_cast<int32_t>(luaL_checkinteger(L, 2));
  event.ud = static_cast<int32_t>(luaL_checkinteger(L, 3));
  event.buffer = nullptr;
  size_t size = 0;
  const char* const bytes = luaL_optlstring(L, 4, "", &size);
  const auto type = static_cast<SocketEvent>(event.type);
  const bool has_buffer = type == SocketEvent::kData || type == SocketEvent::kUdp;
  if (has_buffer) {
    event.buffer = static_cast<char*>(MemoryOf(L).Allocate(size));
    std::memcpy(event.buffer, bytes, size);
    size = 0;
  }
  char* const message = static_cast<char*>(lua_newuserdatauv(L, sizeof(event) + size, 0));
  std::memcpy(message, &event, sizeof(event));
  std::memcpy(message + sizeof(event), bytes, size);
  lua_setglobal(L, "current_event");
  lua_pushlightuserdata(L, message);
  lua_pushinteger(L, static_cast<lua_Integer>(sizeof(event) + size));
  return 2;
}

class NetpackFixture : public ModuleFixture {
 public:
  NetpackFixture() {
    luaL_requiref(L(), "skynet.netpack", OpenNetpack, 0);
    Name("netpack");
    lua_register(L(), "event", MakeEvent);
    Run(R"(
      function frame(s) return string.pack(">s2", s) end
      -- One DATA event; returns what filter said, and for "data" fd and text.
      function data(fd, bytes)
        local q, what, id, ptr, size = netpack.filter(queue, event(1, fd, #bytes, bytes))
        queue = q
        if what == "data" then return what, id, netpack.tostring(ptr, size) end
        return what
      end
      -- All frames in the queue, as "fd:text" joined by blanks.
      function drain()
        local all = {}
        while true do
          local fd, ptr, size = netpack.pop(queue)
          if not fd then break end
          all[#all + 1] = fd .. ":" .. netpack.tostring(ptr, size)
        end
        return table.concat(all, " ")
      end
    )");
  }
};

}  // namespace

TEST_CASE_METHOD(NetpackFixture, "an event with exactly one frame is data") {
  Run(R"(
    local what, fd, text = data(5, frame("hello"))
    assert(what == "data" and fd == 5 and text == "hello")
    what, fd, text = data(5, frame(""))
    assert(what == "data" and fd == 5 and text == "")
  )");
  CHECK(Run("return drain()") == "");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(NetpackFixture, "the event that ends a split frame is data") {
  Run(R"(
    local bytes = frame("hello")
    for i = 1, #bytes - 1 do assert(data(5, bytes:sub(i, i)) == nil) end
    local what, fd, text = data(5, bytes:sub(-1))
    assert(what == "data" and fd == 5 and text == "hello")
  )");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(NetpackFixture, "an event with a frame and more bytes is more") {
  CHECK(Run("assert(data(5, frame('a') .. frame('b') .. frame('')) == 'more') return drain()") ==
        "5:a 5:b 5:");
  CHECK(Run("assert(data(5, frame('c') .. '\\0') == 'more') return drain()") == "5:c");
  CHECK(Run("local what, _, text = data(5, '\\1d') return what .. text") == "datad");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(NetpackFixture, "sockets do not share partial frames") {
  Run(R"(
    assert(data(1, "\0\3ab") == nil)
    assert(data(2, "\0\3xy") == nil)
    assert(select(3, data(1, "c")) == "abc")
    assert(select(3, data(2, "z")) == "xyz")
  )");
}

TEST_CASE_METHOD(NetpackFixture, "close and error drop the partial frame and are reported") {
  Run(R"(
    assert(data(1, "\0\3ab") == nil)
    local q, what, fd, rest = netpack.filter(queue, event(3, 1, 0))
    assert(q == queue and what == "close" and fd == 1 and rest == nil)
    assert(select(3, data(1, frame("new"))) == "new")

    assert(data(1, "\0\3ab") == nil)
    local q, what, fd, text = netpack.filter(queue, event(5, 1, 0, "Connection reset by peer"))
    assert(q == queue and what == "error" and fd == 1 and text == "Connection reset by peer")
    assert(select(3, data(1, frame("new"))) == "new")
  )");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(NetpackFixture, "other events are reported with their values") {
  Run(R"(
    local q, what, fd, text = netpack.filter(nil, event(4, 3, 17, "127.0.0.1:4000"))
    assert(what == "open" and fd == 17 and text == "127.0.0.1:4000")
    local _, what, id, addr, port, rest = netpack.filter(q, event(2, 3, 8888, "0.0.0.0"))
    assert(what == "init" and id == 3 and addr == "0.0.0.0" and port == 8888 and rest == nil)
    local _, what, fd, kib, rest = netpack.filter(q, event(7, 3, 64))
    assert(what == "warning" and fd == 3 and kib == 64 and rest == nil)
    local same, what = netpack.filter(q, event(6, 3, 4, "data"))
    assert(same == q and what == nil)
    local same, what = netpack.filter(q, event(99, 3, 4))
    assert(same == q and what == nil)
  )");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(NetpackFixture, "a cleared or collected queue frees its frames") {
  Run("data(5, frame('a') .. frame('b') .. '\\0')");
  CHECK(memory().live() == 2);

  Run("netpack.clear(queue)");
  CHECK(memory().live() == 0);
  CHECK(Run("return drain()") == "");
  CHECK(Run("return select(3, data(5, frame('fresh')))") == "fresh");

  Run("data(5, frame('a') .. frame('b'))");
  CHECK(memory().live() == 2);
  Run("queue = nil collectgarbage() collectgarbage()");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(NetpackFixture, "a nil queue is empty") {
  CHECK(Run("return select('#', netpack.pop(nil))") == "0");
  Run("netpack.clear(nil)");
}

TEST_CASE_METHOD(NetpackFixture, "pack puts the length before a string or a block") {
  CHECK(Run("local p, n = netpack.pack('abc') assert(n == 5) return netpack.tostring(p, n)") ==
        std::string("\0\3abc", 5));
  CHECK(Run("local p, n = netpack.pack('') assert(n == 2) return netpack.tostring(p, n)") ==
        std::string("\0\0", 2));
  CHECK(Run(R"(
    local p, n = netpack.pack("x")
    local q, m = netpack.pack(p, n)
    netpack.tostring(p, n)
    return netpack.tostring(q, m))") == std::string("\0\3\0\1x", 5));
  CHECK(Run("local p, n = netpack.pack(('x'):rep(65535)) netpack.tostring(p, n) return n") ==
        "65537");
  CHECK(Failure("netpack.pack(('x'):rep(65536))") ==
        "Invalid size of frame : 65536 bytes, allowed are 65535");
  CHECK(memory().live() == 0);
}

TEST_CASE_METHOD(NetpackFixture, "filter refuses what is no socket event") {
  CHECK(Failure("netpack.filter(nil, 'text')") ==
        "bad argument #2 to 'filter' (userdata expected, got string)");
  CHECK(Failure("local m = event(3, 1, 0) netpack.filter(nil, m, 3)") ==
        "bad argument #3 to 'filter' (smaller than a socket event)");
  CHECK(Failure("netpack.filter({}, event(3, 1, 0))") ==
        "bad argument #1 to 'filter' (skysim.NetpackQueue expected, got table)");
}

}  // namespace skysim
