-- snax.gateserver with a handler of one's own (network.md 3.2): own_gate.lua.
local skynet = require "skynet"
local socket = require "skynet.socket"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local gate, port

-- What the gate has been told, when it is `count` things; and its last connection.
local function told(count)
  for _ = 1, 3000 do
    local list, fd = skynet.call(gate, "lua", "told")
    if #list >= count then
      return list, fd
    end
    skynet.sleep(1)
  end
  error("the gate was told less than " .. count)
end

local function frame(text)
  return string.pack(">s2", text)
end

local function read_frame(id)
  local header = socket.read(id, 2)
  return header and socket.read(id, socket.header(header))
end

local function opening()
  gate = skynet.newservice "own_gate"
  local address, real_port, source = skynet.call(gate, "lua", "open", { address = "127.0.0.1", port = 0 })
  claims.equal({ address, source }, { "127.0.0.1", skynet.self() })
  port = real_port
  claims.equal(told(1), { "open 127.0.0.1" })
  claims.raises("call failed", skynet.call, gate, "lua", "open", { port = 0 })
  claims.raises("call failed", skynet.call, gate, "lua", "no such command")
  claims.raises("call failed", skynet.call, gate, "lua")
end

local function reading()
  local client = socket.open("127.0.0.1", port)
  socket.write(client, frame "one" .. frame "two")
  local list, fd = told(2)
  skynet.sleep(5)
  claims.equal({ list[2], #told(2) }, { "connect 127.0.0.1", 2 }, "nothing is read before openclient")
  skynet.call(gate, "lua", "greet", fd)
  claims.equal({ read_frame(client), read_frame(client) }, { "one", "two" })
  socket.write(client, frame "close")
  claims.equal(socket.read(client), false)
  socket.close(client)
  list = told(5)
  claims.equal({ list[3], list[4], list[5] }, { "message one", "message two", "message close" })
end

local function ends()
  local before = #told(0)
  local client = socket.open("127.0.0.1", port)
  local _, fd = told(before + 1)
  skynet.call(gate, "lua", "greet", fd)
  socket.close(client)
  claims.equal(told(before + 2)[before + 2], "disconnect")
  skynet.call(gate, "lua", "drop", fd)
  skynet.call(gate, "lua", "drop", fd)  -- it has been forgotten
  skynet.call(gate, "lua", "greet", fd)
  claims.equal(#told(0), before + 2)
end

local function half_frames()
  local before = #told(0)
  local client = socket.open("127.0.0.1", port)
  local _, fd = told(before + 1)
  skynet.call(gate, "lua", "greet", fd)
  socket.write(client, "\255\255" .. string.rep("x", 100))
  skynet.sleep(5)
  socket.close(client)
  claims.equal(told(before + 2)[before + 2], "disconnect", "the part of a frame is dropped")
  skynet.call(gate, "lua", "drop", fd)
  local next_client = socket.open("127.0.0.1", port)
  _, fd = told(before + 3)
  skynet.call(gate, "lua", "greet", fd)
  socket.write(next_client, frame "whole")
  claims.equal(read_frame(next_client), "whole")
  socket.close(next_client)
  told(before + 5)
  skynet.call(gate, "lua", "drop", fd)
end

local function closing()
  skynet.call(gate, "lua", "close")
  skynet.sleep(5)
  claims.equal(socket.open("127.0.0.1", port), nil)
  claims.equal(skynet.call(gate, "debug", "INFO") > 0, true)
end

claims.run("gate server", {
  { "open answers what the handler's open gives, once; an unknown command is an error", opening },
  { "a connection is read from openclient on, until closeclient", reading },
  { "a connection that ends is told, and forgotten with closeclient", ends },
  { "half a frame waits for its other half, and is dropped with its connection", half_frames },
  { "close ends the listener", closing },
})
