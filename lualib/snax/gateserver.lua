-- The core of a gate: a listener, its connections, and the frames (16-bit big-endian length) that come over them.
-- A service gives a handler to `start` and gets:
--   message(fd, msg, sz)   a frame; the block is the handler's           (required)
--   connect(fd, address)   a connection; nothing is read before openclient(fd)   (required)
--   disconnect(fd)         the stream has ended; closeclient(fd) releases it
--   error(fd, text)        an error; disconnect follows
--   warning(fd, KiB)       unsent bytes have crossed a threshold
--   open(source, conf)     the listener is up, with its real address in conf; its results answer the command "open"
--   command(name, source, ...)   any other message of type lua; its results are the reply
--   embed                  true: the service calls skynet.start itself, and `start` inside it
--
-- Messages (lua): open { address, port, maxclient, nodelay, backlog } once, close(), and the handler's own.
--
-- Frames of one event are handled in order; a handler that blocks lets the following ones pass.
-- With maxclient N (default: config `gate_client_max`), N - 1 connections are admitted. One too many is shut down
-- without connect(), but with disconnect(), and the first such of a row is logged.

local skynet = require "skynet"
local netpack = require "skynet.netpack"
local driver = require "skynet.socketdriver"

local filter, pop = netpack.filter, netpack.pop

local gateserver = {}

-- Partial and waiting frames; made by netpack.
local queue
-- Connection -> true (can be read) or false (the peer has ended it); nil after closeclient.
local clients = {}
-- Connections of this gate that have not ended, admitted or not.
local client_count = 0
-- The last connection was one too many.
local is_refusing = false

--- Starts reading a connection.
---@param fd integer
function gateserver.openclient(fd)
  if clients[fd] then
    driver.start(fd)
  end
end

--- Sends what is queued, then closes the connection. It is forgotten at once.
---@param fd integer
function gateserver.closeclient(fd)
  if clients[fd] ~= nil then
    clients[fd] = nil
    driver.close(fd)
  end
end

-- The listener { id, conf, ready }: ready is the token of the task inside "open" until the real address is known.
local listener

local function default_conf(conf)
  conf.address = conf.address or "0.0.0.0"
  conf.maxclient = conf.maxclient or tonumber(skynet.getenv "gate_client_max") or 1024
  assert(conf.port, "a gate needs a port")
  return conf
end

local command = {}

function command.open(handler, source, conf)
  assert(not listener, "the gate was opened before")
  default_conf(conf)
  skynet.error(string.format("Listen on %s:%d", conf.address, conf.port))
  listener = { conf = conf, ready = {} }
  local ok, id = pcall(driver.listen, conf.address, conf.port, conf.backlog)
  if not ok then
    listener = nil
    error(id, 0)
  end
  listener.id = id
  skynet.wait(listener.ready)
  listener.ready = nil
  driver.start(id)
  if handler.open then
    return handler.open(source, conf)
  end
end

function command.close()
  assert(listener and listener.id, "the gate is not open")
  driver.close(listener.id)
end

---------------------------------------------------------------------------------------------------------------------
-- Events of netpack.filter: f(handler, ...)

local events = {}

local function deliver(handler, fd, msg, sz)
  if clients[fd] then
    handler.message(fd, msg, sz)
  else
    skynet.error(string.format("Drop message from fd (%d) : %d bytes", fd, sz))
    skynet.trash(msg, sz)
  end
end

events.data = deliver

-- A task stands by for the rest of the queue, in case that a handler blocks this one.
local function deliver_all(handler)
  local fd, msg, sz = pop(queue)
  if fd then
    skynet.fork(deliver_all, handler)
    repeat
      deliver(handler, fd, msg, sz)
      fd, msg, sz = pop(queue)
    until not fd
  end
end

events.more = deliver_all

function events.open(handler, fd, address)
  client_count = client_count + 1
  if client_count >= listener.conf.maxclient then
    if not is_refusing then
      skynet.error(string.format("gate: connections are refused, %s is one too many: maxclient is %d", address,
        listener.conf.maxclient))
    end
    is_refusing = true
    driver.shutdown(fd)
    return
  end
  is_refusing = false
  if listener.conf.nodelay then
    driver.nodelay(fd)
  end
  clients[fd] = true
  handler.connect(fd, address)
end

function events.close(handler, fd)
  if listener and fd == listener.id then
    listener.id = nil
    return
  end
  client_count = client_count - 1
  if clients[fd] then
    clients[fd] = false
  end
  if handler.disconnect then
    handler.disconnect(fd)
  end
end

function events.error(handler, fd, text)
  if listener and fd == listener.id then
    skynet.error(string.format("gate: listener: %s", text))
    return
  end
  driver.shutdown(fd)
  if clients[fd] then
    clients[fd] = false
  end
  if handler.error then
    handler.error(fd, text)
  end
end

function events.warning(handler, fd, kib)
  if handler.warning then
    handler.warning(fd, kib)
  end
end

function events.init(_, id, address, port)
  if listener and listener.ready and id == listener.id then
    listener.conf.address, listener.conf.port = address, port
    skynet.wakeup(listener.ready)
  end
end

---------------------------------------------------------------------------------------------------------------------

local function register_socket(handler)
  skynet.register_protocol {
    name = "socket",
    id = skynet.PTYPE_SOCKET,
    unpack = function(msg, sz)
      return filter(queue, msg, sz)
    end,
    dispatch = function(_, _, kept, event, ...)
      queue = kept
      if event then
        events[event](handler, ...)
      end
    end,
  }
end

local function dispatch_commands(handler)
  skynet.dispatch("lua", function(_, source, name, ...)
    local f = command[name]
    if f then
      skynet.retpack(f(handler, source, ...))
    elseif handler.command then
      skynet.retpack(handler.command(name, source, ...))
    else
      error(string.format("gate: unknown command %s", tostring(name)))
    end
  end)
end

--- Makes this service a gate.
---@param handler table see above
function gateserver.start(handler)
  assert(handler.message, "a gate's handler needs message()")
  assert(handler.connect, "a gate's handler needs connect()")
  register_socket(handler)
  if handler.embed then
    dispatch_commands(handler)
  else
    skynet.start(function() dispatch_commands(handler) end)
  end
end

return gateserver
