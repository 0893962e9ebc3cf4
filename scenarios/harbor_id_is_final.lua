-- Claim:  a slave that crashed does not come back under its harbor id while its master lives: the node that tries is
--         refused and ends, nobody else notices, and under a new id it joins.
-- Kind:   guarantee.
-- Source: skynet wiki, master/slave mode: "a slave that went off cannot connect again with the same id".

local sim = require "sim"

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local harbor = require "skynet.harbor"
  local command = {}

  function command.life()
    return skynet.getenv "life"
  end

  function command.ask(name)
    return skynet.call(name, "lua", "life")
  end

  function command.link(id)
    harbor.link(id)
    return true
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".peer"
    skynet.register("PEER_" .. skynet.getenv "life")
  end)
end

sim.scenario "a harbor id does not come back while the master lives" {
  kind = "guarantee",
  source = "skynet wiki, master/slave mode",
  nodes = {
    a = { start = "peer", harbor = 1, standalone = true, config = { life = "A" } },
    b = { start = "peer", harbor = 2, config = { life = "B1" } },
    c = { start = "peer", harbor = 3, config = { life = "C" } },
  },
  network = { delay = sim.uniform("100us", "5ms") },
  services = { peer = peer },

  story = function(world)
    sim.guarantee("b is there", sim.equal("B1", world:call("c", ".peer", "ask", "PEER_B1")))
    world:crash "b"
    world:call("c", ".peer", "link", 2)

    world:start("b", { config = { life = "B2" } })
    sim.liveness("b ends: its id was used before", function() return not world:is_running "b" end, "1s")
    sim.guarantee("c still reaches a", sim.equal("A", world:call("c", ".peer", "ask", "PEER_A")))
    sim.guarantee("a still reaches c", sim.equal("C", world:call("a", ".peer", "ask", "PEER_C")))

    world:start("b", { harbor = 4, config = { life = "B3" } })
    sim.guarantee("under a new id b joins", sim.equal("B3", world:call("c", ".peer", "ask", "PEER_B3")))
    sim.guarantee("and reaches the others", sim.equal("C", world:call("b", ".peer", "ask", "PEER_C")))
  end,
}
