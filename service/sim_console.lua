-- The console of a node for the story of a scenario (world:console).
--
-- Messages (lua): RUN(line) -> ok, text, as skynet.console.run

local skynet = require "skynet"
local console = require "skynet.console"

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, line)
    if name ~= "RUN" then
      error("sim_console: unknown command " .. tostring(name))
    end
    skynet.retpack(console.run(line))
  end)
end)
