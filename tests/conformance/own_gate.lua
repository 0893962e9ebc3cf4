-- A gate of its own on snax.gateserver: "close" closes the connection, "block" holds its handler, everything else is
-- written back as a frame. Commands: told() -> what the handler was told so far, greet(fd) starts reading,
-- drop(fd) closes.
local skynet = require "skynet"
local driver = require "skynet.socketdriver"
local gateserver = require "snax.gateserver"
local netpack = require "skynet.netpack"

local told = {}
local handler = {}

function handler.open(source, conf)
  told[#told + 1] = "open " .. conf.address
  return conf.address, conf.port, source
end

function handler.connect(fd, address)
  told[#told + 1] = "connect " .. string.match(address, "^[%d.]+")
  handler.last = fd
end

function handler.message(fd, msg, sz)
  local text = netpack.tostring(msg, sz)
  told[#told + 1] = "message " .. text
  if text == "close" then
    gateserver.closeclient(fd)
  else
    driver.send(fd, netpack.pack(text))
  end
end

function handler.disconnect()
  told[#told + 1] = "disconnect"
end

function handler.error(_, text)
  told[#told + 1] = "error " .. text
end

function handler.command(name, _, fd)
  if name == "told" then
    return told, handler.last
  elseif name == "greet" then
    gateserver.openclient(fd)
  elseif name == "drop" then
    gateserver.closeclient(fd)
  else
    error("own_gate: unknown command " .. tostring(name))
  end
end

gateserver.start(handler)
skynet.info_func(function() return #told end)
