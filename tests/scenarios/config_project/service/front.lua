-- Asks the node called back.
-- ask(...) -> what back answers to it

local skynet = require "skynet"
require "skynet.manager"
local cluster = require "skynet.cluster"

skynet.start(function()
  skynet.dispatch("lua", function(_, _, ...)
    skynet.retpack(cluster.call("back", "@back", ...))
  end)
  skynet.register ".front"
end)
