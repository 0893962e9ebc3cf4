-- Claim:  harbor.connect waits for a slave, harbor.queryname for a name that harbor.globalname binds on any node;
--         harbor.link returns when a slave is gone, so one service per node can tell the others; harbor.linkmaster
--         returns when the master is gone. A call that was under way to the lost slave raises.
-- Kind:   guarantee, and liveness.
-- Source: skynet wiki, Cluster: master/slave mode, skynet.harbor.
--
-- More of that mode is in scenarios/harbor_*.lua.

local sim = require "sim"

local BOUND = "5s"

local function agent()
  local skynet = require "skynet"
  require "skynet.manager"
  local harbor = require "skynet.harbor"
  local command = {}

  function command.self()
    return skynet.self()
  end

  function command.globalname(name)
    harbor.globalname(name)  -- no handle: who calls
  end

  function command.queryname(name)
    return harbor.queryname(name)
  end

  function command.connect(id)
    harbor.connect(id)
    return "connected"
  end

  function command.link(id)
    harbor.link(id)
    return "gone"
  end

  function command.linkmaster()
    harbor.linkmaster()
    return "gone"
  end

  function command.call(name, ...)
    local ok, answer = pcall(skynet.call, name, "lua", ...)
    return ok and answer or "raised"
  end

  function command.hang()
    sim.probe "hanging"
    skynet.wait()
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".agent"
  end)
end

sim.scenario "a service watches the nodes of a harbor network" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: master/slave mode",
  nodes = {
    master = { start = "agent", harbor = 1, standalone = true },
    second = { start = "agent", harbor = 2 },
    third = { start = "agent", harbor = 3 },
  },
  network = { delay = sim.uniform("100us", "5ms") },
  services = { agent = agent },

  story = function(world)
    local function later(...)
      local request = table.pack(...)
      local answer
      world:spawn(function() answer = world:call(table.unpack(request)) end)
      return function() return answer end
    end

    world:call("second", ".agent", "connect", 3)
    local query = later("second", ".agent", "queryname", "DB")
    world:sleep "100ms"
    sim.guarantee("a query waits for its name", query() == nil)
    world:call("third", ".agent", "globalname", "DB")
    sim.liveness("until somebody binds it", query, BOUND)
    local third = world:call("third", ".agent", "self")
    sim.guarantee("the name means that service", sim.equal(third, query()))
    sim.guarantee("its handle bears the id of its node", sim.equal(3, third >> 24))
    sim.guarantee("a call by name is answered", sim.equal(third, world:call("second", ".agent", "call", "DB", "self")))

    local link, master = later("second", ".agent", "link", 3), later("second", ".agent", "linkmaster")
    local hanging = later("second", ".agent", "call", "DB", "hang")
    world:wait_until(function() return #world:probes "hanging" == 1 end)
    sim.guarantee("link waits while the slave is there", link() == nil)
    world:crash "third"
    sim.liveness("link returns when the slave is gone", link, BOUND)
    sim.liveness("the call under way raises", function() return hanging() == "raised" end, BOUND)
    sim.guarantee("link to a slave that is not there returns",
      sim.equal("gone", world:call("second", ".agent", "link", 3)))

    sim.guarantee("linkmaster waits while the master is there", master() == nil)
    world:crash "master"
    sim.liveness("linkmaster returns when the master is gone", master, BOUND)
  end,
}
