-- Answers each frame with the same frame; snax.gateserver at its simplest. open { ... } -> port.
local gateserver = require "snax.gateserver"
local netpack = require "skynet.netpack"
local driver = require "skynet.socketdriver"

local handler = {}

function handler.open(_, conf)
  return conf.port
end

function handler.connect(fd)
  gateserver.openclient(fd)
end

function handler.message(fd, msg, sz)
  driver.send(fd, netpack.pack(netpack.tostring(msg, sz)))
end

function handler.disconnect(fd)
  gateserver.closeclient(fd)
end

gateserver.start(handler)
