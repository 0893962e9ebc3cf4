-- skynet.core and its commands (runtime_api.md 2), and the bytes of pack (3). With the argument "callback" it is a
-- service without skynet.start: it answers through core.callback.
local core = require "skynet.core"

if ... == "callback" then
  core.callback(function(type, msg, size, session, source)
    if type == 10 then
      local values = { core.unpack(msg, size) }
      if values[1] == "FAIL" then
        error "the callback raises, on purpose"
      end
      core.send(source, 1, session, core.pack("raw", type, size, table.unpack(values)))
    end
  end)
  return
end

local skynet = require "skynet"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function hex(bytes)
  return (string.gsub(bytes, ".", function(byte) return string.format("%02x ", string.byte(byte)) end))
end

local function packs(value, expected)
  claims.equal(hex(core.packstring(value)), expected .. " ", tostring(value))
end

skynet.dispatch("lua", function(session, source, ...)
  if session == 0 then
    return
  end
  skynet.retpack(source, ...)
end)

local function sends()
  local self = skynet.self()
  claims.equal(core.send(self, skynet.PTYPE_LUA, 0, core.pack("one way")), 0)
  claims.equal(core.send(string.format("%d", self), skynet.PTYPE_LUA, 0, ""), 0)
  claims.equal(core.send(0xdead, skynet.PTYPE_LUA, 0, "bytes"), nil)
  claims.equal(core.send(".nobody", skynet.PTYPE_LUA, 0, "bytes"), nil)
  claims.raises("Invalid service address 0", core.send, 0, skynet.PTYPE_LUA, 0, "")
  claims.raises("dest address type (table) must be a string or number.", core.send, {}, skynet.PTYPE_LUA, 0, "")
  claims.raises("invalid param table", core.send, self, skynet.PTYPE_LUA, 0, {})
end

local function allocates()
  local expected = core.genid() + 1
  skynet.dispatch_unknown_response(function() end)
  -- Nobody waits for the reply that comes back for this session.
  claims.equal(core.send(skynet.self(), skynet.PTYPE_LUA, nil, core.pack()), expected)
  claims.equal(core.genid(), expected + 1)
  skynet.sleep(1)
end

local function redirects()
  local seen, token
  skynet.register_protocol { name = "text", id = skynet.PTYPE_TEXT, unpack = skynet.tostring }
  skynet.dispatch("text", function(session, source, text)
    skynet.ignoreret()
    seen = { session, source, text }
    skynet.wakeup(token)
  end)
  token = {}
  claims.equal(core.redirect(skynet.self(), 0x1234, skynet.PTYPE_TEXT, 77, "hello"), 77)
  skynet.wait(token)
  claims.equal(seen, { 77, 0x1234, "hello" })
end

local function commands()
  local self = string.format(":%x", skynet.self())
  claims.equal({ core.command "REG", core.command("REG", "") }, { self, self })
  claims.equal(core.command("REG", ".core_claims"), "core_claims")
  claims.equal(core.command("REG", ".core_claims"), nil, "a name that is taken")
  claims.equal(core.command("QUERY", ".core_claims"), self)
  claims.equal(core.command("QUERY", ".nobody"), nil)
  claims.equal(core.command("NAME", ".again " .. self), "again")
  claims.equal(core.command("NAME", ".again " .. "12"), nil, "a handle without a colon")
  claims.equal(core.command("NAME", ".again :0"), nil)
  claims.equal(core.command("REG", "GLOBAL"), nil, "a global name")
  claims.equal(core.command("GETENV", "no such key"), nil)
  claims.equal(core.command("SETENV", "core.key two words"), nil)
  claims.equal(core.command("GETENV", "core.key"), "two words")
  core.command("SETENV", "core.key another")
  claims.equal(core.command("GETENV", "core.key"), "two words", "a key is written once")
  claims.equal(core.command("SETENV", "nothing"), nil)
  claims.equal(core.command("GETENV", "nothing"), nil)
  claims.equal(core.command "NOSUCHCOMMAND", nil)
  claims.equal(core.command("LAUNCH", "nosuchmodule with args"), nil)
  claims.equal(core.command "MONITOR", nil)
  claims.equal({ core.command("STAT", "mqlen"), core.command("STAT", "endless"), core.command("STAT", "other") },
    { "0", "0", "" })
  claims.equal(string.match(core.command("STAT", "cpu"), "^%d+%.%d%d%d%d%d%d$") ~= nil, true)
end

local function integer_commands()
  claims.equal(math.type(core.intcommand "STARTTIME"), "integer")
  claims.equal(math.type(core.intcommand("STAT", "message")), "integer")
  claims.equal(math.type(core.intcommand("STAT", "cpu")), "float")
  claims.equal(core.intcommand "NOSUCHCOMMAND", nil)
  claims.raises("number has no integer representation", core.intcommand, "TIMEOUT", 1.5)
  claims.raises("Invalid result", core.intcommand, "REG")
  claims.equal(core.addresscommand "REG", skynet.self())
  claims.equal(core.addresscommand("QUERY", ".nobody"), nil)
  local session = core.genid()
  skynet.dispatch_unknown_response(function(unknown, source, _, size)
    claims.equal({ unknown, source, size }, { session + 1, 0, 0 })
    session = "fired"
  end)
  claims.equal(core.intcommand("TIMEOUT", 1), session + 1)
  skynet.sleep(3)
  claims.equal(session, "fired")
end

local function harbor()
  claims.equal({ core.harbor(skynet.self()) }, { 0, false })
  claims.equal({ core.harbor(0x05000001) }, { 5, true })
end

local function raw_service()
  local raw = core.addresscommand("LAUNCH", "snlua core_module callback")
  claims.equal({ skynet.call(raw, "lua", "a", 2) }, { "raw", 10, 4, "a", 2 })
  core.command("KILL", skynet.address(raw))
end

local function bytes_to_string()
  local msg, size = core.pack("abc")
  claims.equal(size, 4)
  claims.equal(core.tostring(msg, size), "\x1cabc")
  claims.equal(core.tostring(msg, 2), "\x1ca")
  core.trash(msg, size)
  claims.equal({ select("#", core.tostring(nil)), select("#", core.tostring()) }, { 0, 0 })
  core.trash("a string is ignored")
  claims.raises("skynet.trash invalid param table", core.trash, {})
  local nothing, zero = core.pack()
  claims.equal({ type(nothing), zero }, { "userdata", 0 })
  core.trash(nothing, zero)
  claims.equal(core.packstring(), "")
end

local function clocks()
  local before, began = core.hpc(), core.now()
  skynet.sleep(10)
  claims.equal({ math.type(before), math.type(began) }, { "integer", "integer" })
  local waited = core.now() - began
  claims.equal(waited >= 10 and waited < 200, true, waited)  -- a busy machine is late
  claims.equal(core.hpc() - before > 90000000, true)
end

local function layout()
  claims.equal(hex(core.packstring(nil)), "00 ")
  claims.equal(hex(core.packstring(true, false)), "09 01 ")
  packs(0, "02")
  packs(1, "0a 01")
  packs(255, "0a ff")
  packs(256, "12 00 01")
  packs(65536, "22 00 00 01 00")
  packs(-1, "22 ff ff ff ff")
  packs(0x7fffffff, "22 ff ff ff 7f")
  packs(0x80000000, "32 00 00 00 80 00 00 00 00")
  packs(-0x80000000, "22 00 00 00 80")
  packs(1.0, "42 00 00 00 00 00 00 f0 3f")
  packs("", "04")
  packs("abc", "1c 61 62 63")
  packs(string.rep("a", 31), "fc" .. string.rep(" 61", 31))
  packs(string.rep("a", 32), "15 20 00" .. string.rep(" 61", 32))
  packs({}, "06 00")
  packs({ 1, 2, 3 }, "1e 0a 01 0a 02 0a 03 00")
  packs({ a = 1 }, "06 0c 61 0a 01 00")
  local array = {}
  for index = 1, 31 do
    array[index] = 0
  end
  packs(array, "fe 0a 1f" .. string.rep(" 02", 31) .. " 00")
  packs(setmetatable({}, { __pairs = function() return next, { k = true }, nil end }), "06 0c 6b 09 00")
end

local function pack_limits()
  local function nested(depth, inner)
    local value = inner
    for _ = 1, depth do
      value = { value }
    end
    return value
  end
  claims.equal(type(core.packstring(nested(32, 1))), "string")
  claims.raises("serialize can't pack too depth table", core.packstring, nested(33, 1))
  claims.raises("Unsupport type function to serialize", core.packstring, print)
  claims.raises("Unsupport type thread to serialize", core.packstring, { [coroutine.running()] = 1 })
  local raising = setmetatable({}, { __pairs = function() error "from the iterator" end })
  claims.raises("from the iterator", core.packstring, raising)
end

local function unpack_limits()
  claims.equal(select("#", core.unpack ""), 0)
  claims.equal(select("#", core.unpack(nil)), 0)
  claims.raises("deserialize null pointer", core.unpack, (core.pack()), 4)  -- the null pointer
  local double_size = "\xfe\x42" .. string.rep("\0", 8)
  for _, bytes in ipairs { "\x07", "\x0a", "\x1a", "\x1c\x61", "\x15\x20\x00", "\x1e\x0a\x01", double_size } do
    claims.raises("Invalid serialize stream", core.unpack, bytes)
  end
  claims.equal({ core.unpack(core.packstring(1, nil, "x", nil)) }, { 1, nil, "x", nil })
  claims.equal(select("#", core.unpack(core.packstring(1, nil, "x", nil))), 4)
end

claims.run("skynet.core", {
  { "send returns the session, nothing for an invalid address, and raises for what is no address or message", sends },
  { "send with a nil session allocates one from the sender's counter", allocates },
  { "redirect sends in another's name with the session given", redirects },
  { "commands answer texts; unknown ones nothing", commands },
  { "intcommand and addresscommand read the result as a number and as a handle", integer_commands },
  { "harbor gives the id and whether the handle is remote", harbor },
  { "callback handles messages of a service that never called skynet.start", raw_service },
  { "tostring copies, trash frees, pack() is empty", bytes_to_string },
  { "now counts centiseconds and hpc nanoseconds", clocks },
  { "pack writes the documented bytes", layout },
  { "pack refuses depth 33, functions and threads, and passes errors of __pairs on", pack_limits },
  { "unpack refuses truncated and malformed streams", unpack_limits },
})
