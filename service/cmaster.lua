-- The master of a harbor network: knows its slaves and the global names. Runs on the node whose config has `standalone`,
-- the address to listen on. Takes no messages; what it says on the wire is network.md 5.2.
--
-- A harbor id that a slave had once is refused for as long as this master lives.

local skynet = require "skynet"
local socket = require "skynet.socket"
local driver = require "skynet.socketdriver"
local wire = require "skynet.harbor.wire"

-- All slaves may connect at once.
local BACKLOG = 256

-- Harbor id -> { id, fd, address } of a slave; false once it is down.
local slaves = {}
-- Name -> handle, the first that was registered.
local names = {}

local function send(slave, ...)
  socket.write(slave.fd, wire.pack(...))
end

-- To every living slave, lowest id first.
local function send_all(...)
  local message = wire.pack(...)
  for id = 1, 255 do
    if slaves[id] then
      socket.write(slaves[id].fd, message)
    end
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Messages of a slave. An answer is the reason why the connection ends.

local handlers = {}

function handlers.R(_, name, handle)
  if type(name) ~= "string" or math.type(handle) ~= "integer" then
    return "a registration that is not a name and a handle"
  end
  names[name] = names[name] or handle
  send_all("N", name, handle)
end

function handlers.Q(slave, name)
  local handle = name ~= nil and names[name]
  if handle then
    send(slave, "N", name, handle)
  end
end

-- Handles messages until the connection ends, and returns why.
local function serve(slave)
  while true do
    local message, reason = wire.read(slave.fd)
    if not message then
      return reason
    end
    local handle = handlers[message[1]]
    if handle then
      reason = handle(slave, table.unpack(message, 2, message.n))
    else
      skynet.error(string.format("master: slave %d sent an unknown message %q", slave.id, message[1]))
    end
    if reason then
      return reason
    end
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Coming and going

-- Reads the hello of a newcomer: its slave, or nil and the reason to refuse it.
local function read_hello(fd)
  local message, reason = wire.read(fd)
  if not message then
    return nil, reason
  end
  local letter, id, address = table.unpack(message, 1, 3)
  if letter ~= "H" or type(address) ~= "string" then
    return nil, "it did not say hello"
  elseif not wire.is_id(id) then
    return nil, string.format("its harbor id is %s, but must be from 1 to 255", tostring(id))
  elseif slaves[id] ~= nil then
    return nil, string.format("harbor id %d was used before, and comes back only with a new master", id)
  end
  return { id = id, fd = fd, address = address }
end

local function join(slave)
  local others = 0
  for id = 1, 255 do
    if slaves[id] then
      send(slaves[id], "C", slave.id, slave.address)
      others = others + 1
    end
  end
  send(slave, "W", others)
  slaves[slave.id] = slave
  skynet.error(string.format("master: slave %d joins (%s)", slave.id, slave.address))
end

local function leave(slave, reason)
  slaves[slave.id] = false
  send_all("D", slave.id)
  skynet.error(string.format("master: slave %d is down: %s", slave.id, reason))
end

local function accept(fd, address)
  if not socket.start(fd) then
    return
  end
  driver.nodelay(fd)
  local slave, refusal = read_hello(fd)
  if slave then
    join(slave)
    leave(slave, serve(slave))
  else
    skynet.error(string.format("master: %s is refused: %s", address, refusal))
  end
  socket.close(fd)
end

skynet.start(function()
  local address = skynet.getenv "standalone"
  local ok, listener = pcall(socket.listen, address, nil, BACKLOG)
  if not ok or not listener then
    skynet.error(string.format("init service failed: master: cannot listen on %q (config: standalone): %s", address,
      wire.plain(listener)))
    skynet.exit()
  end
  socket.start(listener, accept)
  skynet.error("master: listens on " .. address)
end)
