-- Reads what shared_data.lua shares under the name of its argument. Messages are answered with field n; "exit" ends it.
local skynet = require "skynet"
local sharedata = require "skynet.sharedata"

local name = ...

skynet.start(function()
  local data = sharedata.query(name)
  skynet.dispatch("lua", function(_, _, command)
    if command == "exit" then
      skynet.exit()
    end
    skynet.retpack(data.n)
  end)
end)
