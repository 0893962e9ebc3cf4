-- Claim:  two harbor networks, each with a master and a slave, reach each other through a cluster of their masters'
--         nodes.
-- Kind:   guarantee.
-- Source: skynet wiki: "you can deploy several master/slave networks and connect them with cluster".

local sim = require "sim"

local function gateway()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    -- A name of the other network: through its gateway.
    skynet.dispatch("lua", function(_, _, node, name)
      if name then
        skynet.retpack(cluster.call(node, "@gateway", node, nil))
      elseif node then
        skynet.retpack(skynet.call("WORKER", "lua"))
      end
    end)
    cluster.register("gateway", skynet.self())
    cluster.open(skynet.getenv "node")
    skynet.register ".gateway"
    skynet.register "GATEWAY"
  end)
end

local function worker()
  local skynet = require "skynet"
  require "skynet.manager"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, node)
      skynet.retpack(node and skynet.call("GATEWAY", "lua", node, "WORKER") or skynet.getenv "me")
    end)
    skynet.register ".worker"
    skynet.register "WORKER"
  end)
end

sim.scenario "two harbor networks reach each other through a cluster" {
  kind = "guarantee",
  nodes = {
    east = { start = "gateway", standalone = true, cluster = "10.0.0.1:7001", config = { node = "east" } },
    west = { start = "gateway", standalone = true, cluster = "10.0.0.2:7001", config = { node = "west" } },
    east_worker = { start = "worker", harbor = 2, master = "east", config = { me = "east" } },
    west_worker = { start = "worker", harbor = 2, master = "west", config = { me = "west" } },
  },
  network = { delay = sim.uniform("100us", "5ms") },
  services = { gateway = gateway, worker = worker },

  story = function(world)
    sim.guarantee("a worker is asked through both kinds of links",
      sim.equal("west", world:call("east_worker", ".worker", "west")))
    sim.guarantee("and the other way round", sim.equal("east", world:call("west_worker", ".worker", "east")))
  end,
}
