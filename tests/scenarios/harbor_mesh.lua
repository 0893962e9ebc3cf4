-- Many slaves: each is connected with all others, and calls every 16th of them by name.
--   tools/skysim run tests/scenarios/harbor_mesh.lua --set slaves=255      as many as there can be, 32 385 connections

local sim = require "sim"

local SLAVES = sim.setting("slaves", 32)
local STEP = 16

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local id = tonumber(skynet.getenv "harbor")

  skynet.start(function()
    -- Asked for a round: calls every 16th slave and adds up what they answer, which is their id.
    skynet.dispatch("lua", function(_, _, is_round)
      if not is_round then
        skynet.retpack(id)
        return
      end
      local sum = 0
      for other = 1, SLAVES, STEP do
        sum = sum + skynet.call("PEER_" .. other, "lua")
      end
      skynet.retpack(sum)
    end)
    skynet.register ".peer"
    skynet.register("PEER_" .. id)
  end)
end

local nodes = {}
for id = 1, SLAVES do
  nodes["slave_" .. id] = { start = "peer", harbor = id, standalone = id == 1 or nil }
end

sim.scenario "every slave of a large harbor network reaches the others" {
  kind = "guarantee",
  nodes = nodes,
  services = { peer = peer },

  story = function(world)
    local expected = 0
    for other = 1, SLAVES, STEP do
      expected = expected + other
    end
    for id = 1, SLAVES do
      sim.guarantee("every call is answered by the right slave",
        sim.equal(expected, world:call("slave_" .. id, ".peer", true)))
    end
  end,
}
