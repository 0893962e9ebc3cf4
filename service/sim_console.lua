-- The console of a node for the story of a scenario (world:console, world:inject).
--
-- Messages (lua)
--   RUN(line) -> ok, text, as skynet.console.run
--   INJECT(handle, source, name, ...) -> ok, output of the debug command RUN of that service. Without a source, name is
--     a file of this node's tree

local skynet = require "skynet"
local console = require "skynet.console"

local command = { RUN = console.run }

function command.INJECT(handle, source, name, ...)
  if not source then
    local stream, reason = io.open(name, "rb")
    if not stream then
      return false, reason
    end
    source = stream:read "a"
    stream:close()
  end
  return skynet.call(handle, "debug", "RUN", source, name, ...)
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    if not command[name] then
      error("sim_console: unknown command " .. tostring(name))
    end
    skynet.retpack(command[name](...))
  end)
end)
