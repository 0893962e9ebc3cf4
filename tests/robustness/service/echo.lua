-- The callee: ECHO(...) -> ...   REP(count) -> count bytes
local skynet = require "skynet"

local command = {}

function command.ECHO(...)
  return ...
end

function command.REP(count)
  return string.rep("r", count)
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    skynet.retpack(command[name](...))
  end)
end)
