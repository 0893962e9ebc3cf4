-- Claim:  the first words of a harbor network - a slave's hello to the master, the master's list, the slaves'
--         greeting of each other, the first frames with their headers - mean the same wherever the stream is cut:
--         every byte comes as a piece of its own, and frames that follow at once are not mixed up with the greeting.
-- Kind:   guarantee.
-- Source: network.md 6 and 7: fields of one byte, then packets and frames with a length in front, all on one stream.

local sim = require "sim"

local SENDS = 5

-- Talks to the other node before anything stands, and is talked to.
local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local other = skynet.getenv "other"
  local got = {}

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, n)
      if session == 0 then
        got[#got + 1] = n
      elseif n == "got" then
        skynet.retpack(got)
      else
        skynet.retpack(skynet.call("PEER_" .. other, "lua", "got"))
      end
    end)
    skynet.register(".peer")
    skynet.register("PEER_" .. skynet.getenv "me")
    for n = 1, SENDS do
      skynet.send("PEER_" .. other, "lua", n)
    end
  end)
end

sim.scenario "the first words of a harbor network may be cut at every byte" {
  kind = "guarantee",
  source = "skynet's master/slave protocol",
  nodes = {
    a = { start = "peer", standalone = true, config = { me = "a", other = "b" } },
    b = { start = "peer", harbor = 2, config = { me = "b", other = "a" } },
  },
  network = { delay = "1ms", mss = 1, bandwidth = "20KB/s" },
  services = { peer = peer },

  story = function(world)
    for _, node in ipairs { "a", "b" } do
      sim.guarantee("what was sent at once arrives once and in order",
        sim.equal({ 1, 2, 3, 4, 5 }, world:call(node, ".peer", "visit")))
    end
  end,
}
