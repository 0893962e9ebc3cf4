-- A gate: accepts connections, cuts the streams into frames, and hands the frames to an agent or to the watchdog.
--
-- Messages (lua), besides open and close of snax.gateserver:
--   open { ..., watchdog = handle }  -> address, port. The watchdog is the caller by default
--   forward(fd, client, agent)  starts reading; frames go to agent (default: the caller) as type client, with the
--                               source client (0 or nil: this gate), the session fd and the payload alone
--   accept(fd)                  starts reading; frames go to the watchdog
--   kick(fd)                    closes and forgets the connection
-- To the watchdog (lua, one way): "socket", "open" | "data" | "close" | "error" | "warning", fd,
-- address | string | nil | text | KiB. After "close" or "error" the fd still has to be kicked.

local skynet = require "skynet"
local core = require "skynet.core"
local gateserver = require "snax.gateserver"
local netpack = require "skynet.netpack"

local redirect, send = core.redirect, skynet.send
local PTYPE_CLIENT = skynet.PTYPE_CLIENT

local watchdog
-- Connection -> { agent, client }; no agent: frames go to the watchdog.
local routes = {}

local handler = {}

function handler.open(source, conf)
  watchdog = conf.watchdog or source
  return conf.address, conf.port
end

function handler.message(fd, msg, sz)
  local route = routes[fd]
  local agent = route.agent
  if agent then
    redirect(agent, route.client, PTYPE_CLIENT, fd, msg, sz)
  else
    send(watchdog, "lua", "socket", "data", fd, netpack.tostring(msg, sz))
  end
end

function handler.connect(fd, address)
  routes[fd] = {}
  send(watchdog, "lua", "socket", "open", fd, address)
end

function handler.disconnect(fd)
  routes[fd] = nil
  send(watchdog, "lua", "socket", "close", fd)
end

function handler.error(fd, text)
  routes[fd] = nil
  send(watchdog, "lua", "socket", "error", fd, text)
end

function handler.warning(fd, kib)
  send(watchdog, "lua", "socket", "warning", fd, kib)
end

-- Raises if the connection has ended meanwhile.
local function route_of(fd)
  return routes[fd] or error(string.format("gate: no connection %s", tostring(fd)), 0)
end

local command = {}

function command.forward(source, fd, client, agent)
  local route = route_of(fd)
  route.client = client and client ~= 0 and client or skynet.self()
  route.agent = agent or source
  gateserver.openclient(fd)
end

function command.accept(_, fd)
  local route = route_of(fd)
  route.agent, route.client = nil, nil
  gateserver.openclient(fd)
end

function command.kick(_, fd)
  gateserver.closeclient(fd)
end

function handler.command(name, source, ...)
  local f = command[name]
  if not f then
    error(string.format("gate: unknown command %s", tostring(name)))
  end
  return f(source, ...)
end

gateserver.start(handler)
