-- A table of texts.
--   GET(key) -> value or nil;  SET(key, value) -> what was there before
local skynet = require "skynet"

local values = {}

local command = {}

function command.GET(key)
  return values[key]
end

function command.SET(key, value)
  local before = values[key]
  values[key] = value
  return before
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    skynet.retpack(assert(command[name], "simpledb has no command " .. tostring(name))(...))
  end)
end)
