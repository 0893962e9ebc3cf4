-- The node "db" of the recordings: its services have the recorded handles. Prints the port on which it listens.
local skynet = require "skynet"
local cluster = require "skynet.cluster"
local snax = require "skynet.snax"
require "skynet.manager"

local function launch_as(handle, launch, ...)
  local got = launch(...)
  if got ~= handle then
    error(string.format("the recordings need a service at %s, here it is %s", skynet.address(handle),
      skynet.address(got)))
  end
end

skynet.start(function()
  launch_as(10, skynet.newservice, "golden_echo")
  launch_as(11, skynet.newservice, "golden_echo")  -- what was there does not matter
  launch_as(12, function() return snax.uniqueservice("ping").handle end)
  skynet.name(".echo", 10)
  cluster.register("echo", 10)
  local _, port = cluster.open(0)
  print("callee at port " .. port)
end)
