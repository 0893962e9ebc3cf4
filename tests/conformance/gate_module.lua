-- The gate that is a module of the engine: skynet.launch("gate", ...). This service is the watchdog, the agent and the
-- broker; the clients are sockets of its own.
local skynet = require "skynet"
local socket = require "skynet.socket"
require "skynet.manager"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

-- What the gate told: its texts, and frames as { type, session, source, payload }.
local texts, frames = {}, {}

skynet.register_protocol {
  name = "text",
  id = skynet.PTYPE_TEXT,
  pack = function(text) return text end,
  unpack = function(msg, sz) return skynet.tostring(msg, sz) end,
  dispatch = function(_, _, text)
    texts[#texts + 1] = text
  end,
}

local function take_frames(name, id)
  skynet.register_protocol {
    name = name,
    id = id,
    pack = function(text) return text end,
    unpack = function(msg, sz) return skynet.tostring(msg, sz) or "" end,
    dispatch = function(session, source, payload)
      skynet.ignoreret()
      frames[#frames + 1] = { name, session, source, payload }
    end,
  }
end

take_frames("client", skynet.PTYPE_CLIENT)
take_frames("packet", 77)

local function await(list, count)
  local ticks = 0
  while #list < count do
    ticks = ticks + 1
    assert(ticks < 3000, "the gate told too little")
    skynet.sleep(1)
  end
end

-- Takes `count` texts.
local function heard(count)
  await(texts, count)
  local taken = texts
  texts = {}
  return taken
end

local function received(count)
  await(frames, count)
  local taken = frames
  frames = {}
  return taken
end

local function gate_port(gate)
  for _, facts in ipairs(socket.netstat()) do
    if facts.address == gate and facts.type == "LISTEN" then
      return math.tointeger(string.match(facts.sock, ":(%d+)$"))
    end
  end
  error "the gate does not listen"
end

local function launch(head, watchdog, tag, max)
  local gate = assert(skynet.launch("gate", head, watchdog, "127.0.0.1:0", tag, max), "no gate")
  return gate, gate_port(gate)
end

local function order(gate, ...)
  skynet.send(gate, "text", string.format(...))
end

-- A client of which the watchdog has heard; the gate's number of it.
local function connect(port)
  local client = assert(socket.open("127.0.0.1", port))
  local fd, again, address = string.match(heard(1)[1], "^(%d+) open (%d+) (%S+)$")
  claims.equal({ fd == again, address }, { true, "127.0.0.1:0" })
  return client, math.tointeger(fd)
end

local short, short_port

local function to_watchdog()
  short, short_port = launch("S", skynet.address(skynet.self()), 0, 3)
  local client, fd = connect(short_port)
  socket.write(client, string.pack(">s2", "early"))
  order(short, "start %d", fd)
  claims.equal(heard(1), { fd .. " data early" })
  for char in string.gmatch(string.pack(">s2s2", "slow", ""), ".") do
    socket.write(client, char)
    skynet.sleep(1)
  end
  claims.equal(heard(2), { fd .. " data slow", fd .. " data " })
  socket.close(client)
  claims.equal(heard(1), { fd .. " close" })
end

local function to_agent()
  local client, fd = connect(short_port)
  order(short, "forward %d %s :99", fd, skynet.address(skynet.self()))
  order(short, "start %d", fd)
  socket.write(client, string.pack(">s2", "one") .. string.pack(">s2", string.rep("x", 65535)))
  local seen = received(2)
  claims.equal(seen[1], { "client", fd, 0x99, "one" })
  claims.equal(#seen[2][4], 65535)
  order(short, "forward %d %s :0", fd, skynet.address(skynet.self()))
  socket.write(client, string.pack(">s2", "two"))
  claims.equal(received(1), { { "client", fd, short, "two" } })
  skynet.send(short, "client", "raw bytes" .. string.pack("<I4", fd))
  claims.equal(socket.read(client, 9), "raw bytes")
  order(short, "kick %d", fd)
  claims.equal(heard(1), { fd .. " close" })
  claims.equal(socket.read(client), false)
  socket.close(client)
end

local function nobody_is_there()
  skynet.send(short, "client", "abc")
  skynet.send(short, "client", "raw" .. string.pack("<I4", 60000))
  order(short, "kick 60000")
  order(short, "start 60000")
  order(short, "forward 60000 :1 :2")
  for _, line in ipairs { "", "kick", "kick x", "forward 1", "start 1 2", "no such command", "broker", "close now",
    "broker .nobody", "\0\xff" } do
    order(short, "%s", line)
  end
  local client, fd = connect(short_port)  -- it still works
  order(short, "kick %d", fd)
  claims.equal(heard(1), { fd .. " close" })
  socket.close(client)
end

local function capacity()
  local clients, fds = {}, {}
  for index = 1, 3 do
    clients[index], fds[index] = connect(short_port)
  end
  local one_more = socket.open("127.0.0.1", short_port)
  claims.equal(one_more and socket.read(one_more) or false, false)
  if one_more then
    socket.close(one_more)
  end
  for index = 1, 3 do
    order(short, "kick %d", fds[index])
    heard(1)
    socket.close(clients[index])
  end
  local client, fd = connect(short_port)
  order(short, "kick %d", fd)
  heard(1)
  socket.close(client)
end

local function closed()
  order(short, "close")
  order(short, "close")
  local ticks = 0
  while pcall(gate_port, short) do
    ticks = ticks + 1
    assert(ticks < 3000, "it still listens")
    skynet.sleep(1)
  end
  claims.equal(socket.open("127.0.0.1", short_port), nil)
end

local function long_heads()
  skynet.name(".hearer", skynet.self())
  local gate, port = launch("L", ".hearer", 77, 10)
  local client, fd = connect(port)
  order(gate, "broker .hearer")
  order(gate, "forward %d :1 :2", fd)
  order(gate, "start %d", fd)
  local payload = string.rep("y", 100000)
  socket.write(client, string.pack(">s4", payload) .. string.pack(">s4", ""))
  local seen = received(2)
  claims.equal({ seen[1][1], seen[1][2], seen[1][3], seen[1][4] == payload }, { "packet", fd, gate, true })
  claims.equal(seen[2], { "packet", fd, gate, "" })
  socket.write(client, string.pack(">I4", 1 << 24) .. "more")
  claims.equal(heard(1), { fd .. " close" })
  claims.equal(socket.read(client), false)
  socket.close(client)
end

local function no_watchdog()
  local gate, port = launch("S", "!", 0, 10)
  local client = assert(socket.open("127.0.0.1", port))
  local fd
  while not fd do
    for _, facts in ipairs(socket.netstat()) do
      if facts.address == gate and facts.type == "TCP" then
        fd = facts.id
      end
    end
    skynet.sleep(1)
  end
  order(gate, "start %d", fd)
  socket.write(client, string.pack(">s2", "unheard"))
  socket.close(client)
  skynet.kill(gate)
  claims.equal(texts, {})
end

local function wrong_arguments()
  for _, arguments in ipairs { "", "S ! 127.0.0.1:0 0", "X ! 127.0.0.1:0 0 10", "S ! 127.0.0.1:x 0 10",
    "S ! 127.0.0.1:99999 0 10", "S ! 127.0.0.1:0 256 10", "S ! 127.0.0.1:0 0 0", "S .nobody 127.0.0.1:0 0 10",
    "S ! 1.2.3.4.5:0 0 10" } do
    claims.equal(skynet.launch("gate", arguments), nil, arguments)
  end
end

claims.run("gate module", {
  { "it tells the watchdog of connections and frames, once they are started", to_watchdog },
  { "frames are forwarded to an agent, and bytes written for it; kick closes", to_agent },
  { "messages to clients that are not there, and garbage, change nothing", nobody_is_there },
  { "one connection too many is closed, and places come back", capacity },
  { "close ends the listener", closed },
  { "heads of four bytes, a broker, and a type of one's own; 16 MiB end the connection", long_heads },
  { "it needs no watchdog", no_watchdog },
  { "wrong arguments are a failed launch", wrong_arguments },
})
