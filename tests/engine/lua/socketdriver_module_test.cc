#include "engine/lua/socketdriver_module.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"
#include "engine/core/udp_address.h"
#include "engine/lua/vm.h"
#include "tests/engine/core/fake_transport.h"
#include "tests/engine/core/socket_fixture.h"

namespace skysim {
namespace {

constexpr Handle kSelf = 7;

// A VM whose global `driver` is the module, for service 7 on a server over a fake transport.
struct World {
  World() {
    lua_State* L = vm->state();
    luaL_openlibs(L);
    PushSocketDriver(L, server, kSelf);
    lua_setglobal(L, "driver");
  }

  // Runs `chunk`; its results with " " between, or the error.
  std::string Run(const std::string& chunk) {
    lua_State* L = vm->state();
    std::string text;
    if (luaL_dostring(L, chunk.c_str()) != LUA_OK) {
      text = lua_tostring(L, -1);
    } else {
      for (int i = 1; i <= lua_gettop(L); ++i) {
        size_t size = 0;
        const char* result = luaL_tolstring(L, i, &size);
        text += (i > 1 ? " " : "") + std::string(result, size);
        lua_pop(L, 1);
      }
    }
    lua_settop(L, 0);
    return text;
  }

  // The text of the error that `chunk` raises, without its place.
  std::string Error(const std::string& chunk) {
    std::string text = Run(chunk);
    size_t place = text.find("]:1: ");
    REQUIRE(place != std::string::npos);
    return text.substr(place + 5);
  }

  // Makes `ptr` and `size` of Lua a block with `text`.
  void SetBlock(absl::string_view text) {
    lua_State* L = vm->state();
    char* block = static_cast<char*>(memory.Allocate(text.size() + 1));
    std::memcpy(block, text.data(), text.size());
    lua_pushlightuserdata(L, block);
    lua_setglobal(L, "ptr");
    lua_pushinteger(L, static_cast<lua_Integer>(text.size()));
    lua_setglobal(L, "size");
  }

  // The types, ids and so on that unpack() gives for a message.
  std::string Unpack(SocketMessage message, absl::string_view text) {
    std::string bytes(reinterpret_cast<const char*>(&message), sizeof(message));
    bytes.append(text.data(), text.size());
    lua_State* L = vm->state();
    std::unique_ptr<char[]> copy(new char[bytes.size()]);  // aligned for the struct
    std::memcpy(copy.get(), bytes.data(), bytes.size());
    lua_pushlightuserdata(L, copy.get());
    lua_setglobal(L, "msg");
    lua_pushinteger(L, static_cast<lua_Integer>(bytes.size()));
    lua_setglobal(L, "sz");
    return Run("local t, id, ud, data, address = driver.unpack(msg, sz)"
               " received = data"
               " return t, id, ud, type(data) == 'string' and data or type(data), address");
  }

  std::string Connected() {
    std::string id = Run("return driver.connect('10.0.0.2', 80)");
    transport.FinishConnect(transport.last());
    sink.Take();
    return id;
  }
  FakeTransport::Endpoint& Wire() { return transport[transport.last()]; }

  CountingMemory memory;
  FakeTransport transport;
  FakeExecutor executor;
  FakeClock clock;
  FakeObserver observer;
  FakeSink sink{memory};
  SocketServer server{transport, executor, memory, observer, clock, sink};
  std::unique_ptr<LuaVm> vm = std::make_unique<LuaVm>(memory, 1, VmContext());
};

// -- Addresses ------------------------------------------------------------------------------------

TEST_CASE("connect takes host and port, or both in one string, or a bracketed IPv6 address") {
  World world;

  CHECK(world.Run("return driver.connect('db', 80)") == "1");
  CHECK(world.Wire().peer == Address{"db", 80});
  CHECK(world.Run("return driver.connect('db:81')") == "2");
  CHECK(world.Wire().peer == Address{"db", 81});
  CHECK(world.Run("return driver.connect('[fe80::1]:65535')") == "3");
  CHECK(world.Wire().peer == Address{"fe80::1", 65535});
  CHECK(world.Run("return driver.connect('::1', '82')") == "4");
  CHECK(world.Wire().peer == Address{"::1", 82});
  CHECK(world.observer.Last(EventKind::kConnect).service == kSelf);
}

TEST_CASE("an address that is none is a literal error") {
  World world;

  CHECK(world.Error("driver.connect('db')") == "Invalid address db.");
  CHECK(world.Error("driver.connect('[::1')") == "Invalid address [::1.");
  CHECK(world.Error("driver.connect('[::1]')") == "Invalid address [::1].");
  CHECK(world.Error("driver.connect('db:http')") == "Invalid port in address db:http.");
  CHECK(world.Error("driver.connect('db:80x')") == "Invalid port in address db:80x.");
  CHECK(world.Error("driver.connect('db:')") == "Invalid port in address db:.");
  CHECK(world.Error("driver.connect('db:65536')") == "Invalid port in address db:65536.");
  CHECK(world.Error("driver.connect('db:99999999999999999999')") ==
        "Invalid port in address db:99999999999999999999.");
  CHECK(world.Error("driver.connect('db', 0)") == "Invalid port");
  CHECK(world.Error("driver.connect('db:0')") == "Invalid port");
  CHECK(world.Error("driver.connect('db', 65536)") == "Invalid port");
}

TEST_CASE("listen binds at once; an empty host is every address, the backlog is 32 unless given") {
  World world;

  CHECK(world.Run("return driver.listen(':8001')") == "1");
  CHECK(world.Wire().local == Address{"0.0.0.0", 8001});
  CHECK(world.transport.last_backlog == 32);
  CHECK(world.Run("return driver.listen('127.0.0.1', 0, 5)") == "2");
  CHECK(world.transport.last_backlog == 5);
  CHECK(world.Run("return driver.listen('127.0.0.1:9', nil, 6)") == "3");
  CHECK(world.transport.last_backlog == 6);
  CHECK(world.sink.Take()[1] == "7 CONNECT 2 40000 127.0.0.1");

  world.transport.listen_error = "Address already in use";
  CHECK(world.Error("driver.listen('0.0.0.0', 80)") == "Listen error: Address already in use");
}

TEST_CASE("bind is an error where the platform has no descriptors") {
  World world;
  CHECK(world.Error("driver.bind(0)") == "bind is not available here");

  world.transport.has_descriptors = true;
  CHECK(world.Run("return driver.bind(0)") == "1");
}

// -- Operations -----------------------------------------------------------------------------------

TEST_CASE("start, pause, nodelay, close and shutdown reach the server as this service") {
  World world;
  std::string id = world.Connected();

  world.Run("driver.pause(" + id + ") driver.nodelay(" + id + ")");
  CHECK_FALSE(world.Wire().reading);
  CHECK(world.Wire().no_delay);
  world.Run("driver.start(" + id + ")");
  CHECK(world.sink.Take() == std::vector<std::string>{"7 CONNECT 1 0 transfer"});
  world.Run("driver.close(" + id + ")");
  CHECK(world.sink.Take() == std::vector<std::string>{"7 CLOSE 1 0"});

  world.Connected();
  world.Run("driver.shutdown(2)");
  CHECK(world.sink.Take() == std::vector<std::string>{"7 CLOSE 2 0"});
}

TEST_CASE("a number that cannot be an id is a dead id") {
  World world;
  world.Connected();

  CHECK(world.Run("return driver.send(1 + (1 << 32), 'x')") == "false");
  CHECK(world.Run("return driver.send(-1, 'x')") == "false");
  CHECK(world.Wire().outgoing.empty());
}

TEST_CASE("send takes strings, tables of strings, numbers, blocks and userdata") {
  World world;
  world.Connected();

  CHECK(world.Run("return driver.send(1, 'text')") == "true");
  CHECK(world.Run("return driver.send(1, {'a', '', 'bc'})") == "true");
  CHECK(world.Run("return driver.send(1, {})") == "true");
  CHECK(world.Run("return driver.send(1, 42)") == "true");
  CHECK(world.Run("return driver.send(1, '')") == "true");
  world.SetBlock("block");
  CHECK(world.Run("return driver.send(1, ptr, size)") == "true");

  CHECK(world.Wire().outgoing == "textabc42block");
}

TEST_CASE("a full userdata is copied, whole or as much as is said") {
  World world;
  world.Connected();
  std::memcpy(lua_newuserdatauv(world.vm->state(), 6, 0), "inside", 6);
  lua_setglobal(world.vm->state(), "data");

  CHECK(world.Run("return driver.send(1, data)") == "true");
  CHECK(world.Run("return driver.send(1, data, 2)") == "true");

  CHECK(world.Wire().outgoing == "insidein");
  CHECK(world.Run("driver.send(1, data, 7)").find("larger than the userdata") != std::string::npos);
}

TEST_CASE("send to a dead id is false and frees the block") {
  World world;
  int blocks = 0;
  world.SetBlock("freed");
  world.Run("collectgarbage() collectgarbage('stop')");
  CHECK(world.Run("return driver.send(99, ptr, size)") == "false");
  blocks = world.memory.blocks;
  world.vm.reset();
  CHECK(blocks > 0);
  CHECK(world.memory.blocks == 0);
}

TEST_CASE("send refuses a table with other things, and a send object") {
  World world;
  world.Connected();

  CHECK(world.Error("driver.send(1, {'a', {}})") ==
        "Invalid type table at 2 of the table to send");
  world.SetBlock("x");
  CHECK(world.Error("driver.send(1, ptr)") ==
        "A send object (lightuserdata without size) is not supported");
  world.Run("driver.drop(ptr, size)");
}

TEST_CASE("lsend goes out behind what send queued") {
  World world;
  world.Connected();
  world.Wire().room = 0;
  world.Run("driver.send(1, 'h1 ') driver.lsend(1, 'l1 ') driver.send(1, 'h2 ')");
  CHECK(world.Run("return driver.lsend(99, 'dead')") == "false");

  world.Wire().room = 100;
  world.transport.Poll();

  CHECK(world.Wire().outgoing == "h1 h2 l1 ");
}

// -- UDP ------------------------------------------------------------------------------------------

TEST_CASE("udp functions open, dial, connect and send") {
  World world;

  CHECK(world.Run("return driver.udp()") == "1");
  CHECK(world.Wire().local == Address{"", 0});
  CHECK(world.Run("driver.udp_connect(1, 'db', 5) return driver.send(1, 'hi')") == "true");
  CHECK(world.Wire().sent.at(0).from == Address{"10.0.0.9", 5});
  CHECK(world.Run("return driver.udp('127.0.0.1', 9)") == "2");
  CHECK(world.Wire().local == Address{"127.0.0.1", 9});
  CHECK(world.Run("return driver.udp(nil, 10)") == "3");
  CHECK(world.Wire().local == Address{"0.0.0.0", 10});
  CHECK(world.Run("return driver.udp_listen('0.0.0.0', 53)") == "4");
  CHECK(world.Run("return driver.udp_dial('10.0.0.6:6')") == "5");
  CHECK(world.Run("return driver.udp_send(5, '\\1\\0\\7\\10\\0\\0\\5', 'data')") == "true");
  CHECK(world.Wire().sent.at(0).from == Address{"10.0.0.5", 7});
  CHECK(world.Run("return driver.udp_send(5, 'junk', 'data')") == "false");
}

TEST_CASE("udp errors are raised") {
  World world;

  CHECK(world.Error("driver.udp_listen('0.0.0.0', 0)") == "Invalid port");
  world.transport.listen_error = "Address already in use";
  CHECK(world.Error("driver.udp('0.0.0.0', 5)") == "udp init failed: Address already in use");
  CHECK(world.Error("driver.udp_listen('0.0.0.0', 5)") ==
        "udp listen failed: Address already in use");
  world.transport.hosts.clear();
  CHECK(world.Error("driver.udp_dial('db', 5)") == "udp dial failed: Name or service not known");
  CHECK(world.Error("driver.udp_connect(1, 'db', 5)") ==
        "udp connect failed: Name or service not known");
  CHECK(world.Error("driver.resolve('db')") == "Name or service not known");
}

TEST_CASE("udp_address reads a packed address") {
  World world;

  CHECK(world.Run("return driver.udp_address('\\1\\xc4\\xc6\\127\\0\\0\\1')") == "127.0.0.1 50374");
  CHECK(world.Run("driver.udp_address('junk')").find("not a packed udp address") !=
        std::string::npos);
}

// -- Questions ------------------------------------------------------------------------------------

TEST_CASE("info has a table for each socket, with what its type has") {
  World world;
  world.Run("driver.listen('0.0.0.0', 8001)");
  world.Connected();
  world.clock.now_ns += 1'230'000'000;
  world.Run("driver.send(2, 'abc')");

  CHECK(world.Run("local i = driver.info()[1]"
                  " return i.id, i.address, i.type, i.accept, i.rtime, i.sock, i.read") ==
        "1 7 LISTEN 0 0 0.0.0.0:8001 nil");
  CHECK(world.Run("local i = driver.info()[2]"
                  " return i.id, i.type, i.read, i.write, i.wbuffer, i.rtime, i.wtime, i.reading,"
                  " i.writing, i.peer") == "2 TCP 0 3 0 0 123 true false 10.0.0.2:80");
  CHECK(world.Run("return #driver.info()") == "2");
}

TEST_CASE("resolve gives every address") {
  World world;
  world.transport.hosts = {"10.0.0.9", "10.0.0.10"};

  CHECK(world.Run("return table.unpack(driver.resolve('db'))") == "10.0.0.9 10.0.0.10");
}

// -- Messages and blocks --------------------------------------------------------------------------

TEST_CASE("unpack gives the text of an event, or the block that the receiver owns") {
  World world;

  CHECK(world.Unpack({2, 5, 80, nullptr}, "10.0.0.2") == "2 5 80 10.0.0.2 nil");
  CHECK(world.Unpack({3, 5, 0, nullptr}, "") == "3 5 0  nil");
  char* block = static_cast<char*>(world.memory.Allocate(4));
  CHECK(world.Unpack({1, 5, 4, block}, "") == "1 5 4 userdata nil");
  world.Run("driver.drop(received, 4)");
}

TEST_CASE("unpack gives the packed address behind a datagram") {
  World world;
  std::string address = *PackUdpAddress({"10.0.0.5", 7});
  char* block = static_cast<char*>(world.memory.Allocate(2 + address.size()));
  std::memcpy(block, "hi", 2);
  std::memcpy(block + 2, address.data(), address.size());

  CHECK(world.Unpack({6, 5, 2, block}, "") == "6 5 2 userdata " + address);
  world.Run("driver.drop(received, 2)");
}

TEST_CASE("str2p copies into a block") {
  World world;
  world.Connected();

  CHECK(world.Run("local p, n = driver.str2p('copy') driver.send(1, p, n) return n") == "4");

  CHECK(world.Wire().outgoing == "copy");
}

TEST_CASE("header reads 1 to 4 bytes, big-endian") {
  World world;

  CHECK(world.Run("return driver.header('\\255'), driver.header('\\1\\2'),"
                  " driver.header('\\1\\2\\3'), driver.header('\\255\\0\\0\\1')") ==
        "255 258 66051 4278190081");
  CHECK(world.Error("driver.header('')") == "Invalid header size 0: 1 to 4 bytes are allowed");
  CHECK(world.Error("driver.header('12345')") ==
        "Invalid header size 5: 1 to 4 bytes are allowed");
}

// -- Receive buffer -------------------------------------------------------------------------------

TEST_CASE("a buffer gives exact sizes across blocks, or nil and what is there") {
  World world;
  world.Run("buf, pool = driver.buffer(), {}");
  world.SetBlock("abc");
  CHECK(world.Run("return driver.push(buf, pool, ptr, size)") == "3");
  world.SetBlock("defgh");
  CHECK(world.Run("return driver.push(buf, pool, ptr, size)") == "8");

  CHECK(world.Run("return driver.pop(buf, pool, 9)") == "nil 8");
  CHECK(world.Run("return driver.pop(buf, pool, 0)") == "nil 8");
  CHECK(world.Run("return driver.pop(buf, pool, 2)") == "ab 6");
  CHECK(world.Run("return driver.pop(buf, pool, 4)") == "cdef 2");
  CHECK(world.Run("return driver.readall(buf, pool)") == "gh");
  CHECK(world.Run("return driver.readall(buf, pool)").empty());
  CHECK(world.Run("return driver.pop(buf, pool, 1)") == "nil 0");
}

TEST_CASE("readline takes a line without its separator; without a pool it only looks") {
  World world;
  world.Run("buf, pool = driver.buffer(), {}");
  world.SetBlock("GET /\r");
  world.Run("driver.push(buf, pool, ptr, size)");
  CHECK(world.Run("return select('#', driver.readline(buf, pool, '\\r\\n'))") == "0");
  world.SetBlock("\nHost");
  world.Run("driver.push(buf, pool, ptr, size)");

  CHECK(world.Run("return driver.readline(buf, nil, '\\r\\n')") == "true");
  CHECK(world.Run("return driver.readline(buf, pool, '\\r\\n')") == "GET /");
  CHECK(world.Run("return select('#', driver.readline(buf, nil, '\\r\\n'))") == "0");
  CHECK(world.Run("return driver.readall(buf, pool)") == "Host");
  CHECK(world.Run("driver.readline(buf, pool, '')").find("an empty separator") !=
        std::string::npos);
}

TEST_CASE("clear and collection free what a buffer holds") {
  World world;
  world.Run("buf, pool = driver.buffer(), {}");
  world.SetBlock("cleared");
  world.Run("driver.push(buf, pool, ptr, size) driver.clear(buf, pool)");
  CHECK(world.Run("return driver.readall(buf, pool)").empty());
  world.SetBlock("collected");
  world.Run("driver.push(buf, pool, ptr, size) buf = nil collectgarbage()");

  world.vm.reset();

  CHECK(world.memory.blocks == 0);
}

}  // namespace
}  // namespace skysim
