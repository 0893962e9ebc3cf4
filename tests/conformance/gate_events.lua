-- snax.gateserver and the service gate. This service is the watchdog and the agent.
local skynet = require "skynet"
local socket = require "skynet.socket"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local gate, port
-- What the gate told: { event, fd, text }, and frames as { "frame", fd, payload }.
local events = {}

skynet.register_protocol {
  name = "client",
  id = skynet.PTYPE_CLIENT,
  unpack = function(msg, sz) return skynet.tostring(msg, sz) or "" end,  -- nothing for an empty frame
  dispatch = function(fd, _, payload)
    skynet.ignoreret()
    events[#events + 1] = { "frame", fd, payload }
  end,
}

skynet.dispatch("lua", function(_, _, kind, ...)
  assert(kind == "socket")
  events[#events + 1] = { ... }
end)

local function names()
  local list = {}
  for index, event in ipairs(events) do
    list[index] = event[1] == "frame" and event[3] or event[1]
  end
  events = {}
  return list
end

-- Waits until the gate has told `count` things, then forgets them; returns the fd of the first.
local function await(count)
  local ticks = 0
  while #events < count do
    ticks = ticks + 1
    assert(ticks < 3000, "the gate told too little")
    skynet.sleep(1)
  end
  return events[1][2]
end

local function frame(payload)
  return string.pack(">s2", payload)
end

-- A connection of which the gate has told, and nothing else.
local function connect()
  events = {}
  local client = socket.open("127.0.0.1", port)
  while true do
    await(1)
    local event = table.remove(events, 1)
    if event[1] == "open" then
      return client, event[2]
    end
  end
end

local function open()
  gate = skynet.newservice "gate"
  local address
  address, port = skynet.call(gate, "lua", "open", { address = "127.0.0.1", port = 0, maxclient = 5 })
  claims.equal(address, "127.0.0.1")
  claims.raises("call failed", skynet.call, gate, "lua", "open", { port = 0 })
end

local function frames()
  local client, fd = connect()
  skynet.call(gate, "lua", "forward", fd)
  socket.write(client, frame "one" .. frame "" .. frame "three")
  for char in string.gmatch(frame "slow", ".") do
    socket.write(client, char)
    skynet.sleep(1)
  end
  await(4)
  claims.equal(names(), { "one", "", "three", "slow" })
  socket.write(client, frame(string.rep("x", 65535)))
  await(1)
  claims.equal(#events[1][3], 65535)
  socket.close(client)
  skynet.sleep(10)
  skynet.call(gate, "lua", "kick", fd)
end

local function before_forward()
  local client, fd = connect()
  socket.write(client, frame "early")
  skynet.sleep(10)
  claims.equal(names(), {})
  skynet.call(gate, "lua", "forward", fd)
  await(1)
  claims.equal(names(), { "early" })
  socket.close(client)
  await(1)
  claims.equal(names(), { "close" })
  skynet.call(gate, "lua", "kick", fd)
end

local function accepted()
  local client, fd = connect()
  skynet.call(gate, "lua", "accept", fd)
  socket.write(client, frame "to the watchdog")
  await(1)
  claims.equal(events[1], { "data", fd, "to the watchdog" })
  skynet.call(gate, "lua", "kick", fd)
  skynet.sleep(5)
  claims.equal(names(), { "data", "close" })
  claims.equal(socket.read(client), false)
  socket.close(client)
end

local function half_close()
  local client, fd = connect()
  skynet.call(gate, "lua", "forward", fd)
  socket.write(client, frame "question")
  await(1)
  socket.write(fd, frame "answer")
  claims.equal(socket.read(client, 8), frame "answer")
  skynet.call(gate, "lua", "kick", fd)
  socket.close(client)
  claims.raises("call failed", skynet.call, gate, "lua", "forward", 99999)
  skynet.call(gate, "lua", "kick", 99999)
end

-- How many of six clients are admitted at the same time.
local function admitted()
  skynet.sleep(10)
  events = {}
  local clients, fds = {}, {}
  for index = 1, 6 do
    clients[index] = socket.open("127.0.0.1", port)
  end
  skynet.sleep(20)
  for _, event in ipairs(events) do
    if event[1] == "open" then
      fds[#fds + 1] = event[2]
    end
  end
  for _, client in ipairs(clients) do
    socket.close(client)
  end
  skynet.sleep(10)
  for _, fd in ipairs(fds) do
    skynet.call(gate, "lua", "kick", fd)
  end
  return #fds
end

local function churn()
  claims.equal(admitted(), 4)  -- maxclient 5 admits 4
  for _ = 1, 50 do
    local client, fd = connect()
    skynet.call(gate, "lua", "kick", fd)
    socket.close(client)
  end
  for _ = 1, 50 do
    local client, fd = connect()
    socket.close(client)
    skynet.sleep(2)
    skynet.call(gate, "lua", "kick", fd)
  end
  claims.equal(admitted(), 4)
end

claims.run("gate", {
  { "open gives the real address, once", open },
  { "frames arrive whole and in order, however they are cut", frames },
  { "nothing is lost that came before forward (#1200)", before_forward },
  { "without an agent frames go to the watchdog; kick ends with close", accepted },
  { "the agent writes to the connection; forward of an unknown one fails, kick does not", half_close },
  { "capacity is the same after 100 clients came and went (#642, #1704)", churn },
})
