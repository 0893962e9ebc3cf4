-- Claim:  twenty sends in a row to a node that was never talked to travel over one connection, in order, however slow
--         the first connection is.
-- Kind:   guarantee.
-- Source: skynet issue 757 (2017): each request before the link stood opened a connection of its own, and they ended in
--         any order. Put back by `--legacy connect-per-request`.
--
-- Scripted: the first connection comes 300 ms later than the others. Else the delays decide.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local SENDS = 20

local function sender()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function()
      for i = 1, SENDS do
        cluster.send("b", ".sink", i)
      end
      skynet.retpack(true)
    end)
    skynet.register ".sender"
  end)
end

local function sink()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, i)
      sim.probe("handled", i)
    end)
    skynet.register ".sink"
    cluster.open "b"
  end)
end

sim.scenario "the first twenty sends to a node share one connection and keep their order" {
  kind = "guarantee",
  source = "skynet issue 757",
  legacy = "connect-per-request",
  nodes = {
    a = { start = "sender", cluster = "10.0.0.1:7001" },
    b = { start = "sink", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { sender = sender, sink = sink },

  story = function(world)
    if IS_SCRIPTED then
      world:delay_connects("a", "b", "300ms", 1)
    end
    world:call("a", ".sender", "go")
    sim.liveness("all sends are handled", function()
      return #world:probes "handled" == SENDS
    end, "10s")

    local expected, seen = {}, {}
    for i, probe in ipairs(world:probes "handled") do
      expected[i], seen[i] = i, probe[1]
    end
    sim.guarantee("sends are handled in order", sim.equal(expected, seen))
    sim.guarantee("one connection is made", sim.equal(1, world:accepted("a", "b")))
  end,
}
