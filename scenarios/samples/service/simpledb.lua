-- The store that the documents call over a cluster: keys and values in memory.
-- Messages (lua):
--   SET key value   -> the value that was there before
--   GET key         -> value or nil
--   PING text       reports the length of the text; meant to be sent, so it has no reply

local skynet = require "skynet"
local sim = require "sim"

local values = {}
local command = {}

function command.SET(key, value)
  local before = values[key]
  values[key] = value
  return before
end

function command.GET(key)
  return values[key]
end

function command.PING(text)
  sim.probe("ping", #text, string.sub(text, 1, 14))
end

skynet.start(function()
  skynet.dispatch("lua", function(session, _, name, ...)
    local f = command[name]
    if not f then
      error(string.format("simpledb: unknown command %s", tostring(name)))
    end
    if session == 0 then
      f(...)
    else
      skynet.retpack(f(...))
    end
  end)
end)
