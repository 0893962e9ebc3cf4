-- Says where what it uses comes from.
-- env(key) -> the entry of its config
-- module(name) -> what the module returns, as text

local skynet = require "skynet"
local cluster = require "skynet.cluster"

local command = {}

function command.env(key)
  return skynet.getenv(key)
end

function command.module(name)
  return tostring(require(name))
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, verb, ...)
    local f = command[verb]
    if not f then
      error("back: unknown command " .. tostring(verb))
    end
    skynet.retpack(f(...))
  end)
  cluster.register "back"
  cluster.open "back"
end)
