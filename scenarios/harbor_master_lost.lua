-- Claim:  when the master of a harbor network is lost, linkmaster returns on every slave, and the slaves go on: they
--         call each other by handle and by the names that they know.
-- Kind:   guarantee, and liveness.
-- Source: skynet wiki, master/slave mode: the master is only needed to join and for new names.

local sim = require "sim"

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local harbor = require "skynet.harbor"
  local me = skynet.getenv "me"
  local command = {}

  function command.where()
    return skynet.self()
  end

  function command.ask(name)
    local handle = skynet.call(name, "lua", "where")
    return skynet.call(handle, "lua", "where") == handle
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".peer"
    skynet.register("PEER_" .. me)
    skynet.fork(function()
      harbor.linkmaster()
      sim.probe("master lost", me)
    end)
  end)
end

local function main()
  local skynet = require "skynet"
  skynet.start(function() end)
end

sim.scenario "slaves of a harbor network go on without their master" {
  kind = "guarantee",
  source = "skynet wiki, master/slave mode",
  nodes = {
    a = { start = "peer", harbor = true, config = { me = "a" } },
    b = { start = "peer", harbor = true, config = { me = "b" } },
    m = { start = "main", standalone = true },
  },
  network = { delay = sim.uniform("100us", "5ms") },
  services = { main = main, peer = peer },

  story = function(world)
    for from, to in pairs { a = "b", b = "a" } do
      sim.guarantee("slaves reach each other", world:call(from, ".peer", "ask", "PEER_" .. to))
    end
    sim.guarantee("the master is linked", #world:probes "master lost" == 0)

    world:crash "m"
    sim.liveness("linkmaster returns on both", function() return #world:probes "master lost" == 2 end, "1s")
    for from, to in pairs { a = "b", b = "a" } do
      sim.guarantee("slaves reach each other without the master", world:call(from, ".peer", "ask", "PEER_" .. to))
    end
  end,
}
