-- Claim:  in a harbor network a handle means the same service on every node: three nodes call each other by global name
--         and by a handle that came in a message, both ways, and what one service sends to another arrives in order.
-- Kind:   guarantee.
-- Source: skynet wiki, master/slave mode: "all slaves are connected to each other", and an address is good on each.

local sim = require "sim"

local SENDS = 10
local NODES = { "a", "b", "c" }

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local command = {}
  local got = {}

  function command.where()
    return skynet.self()
  end

  function command.take(n)
    got[#got + 1] = n
  end

  function command.got()
    return got
  end

  -- Calls `handle` back, which is on another node.
  function command.ask_back(handle)
    return skynet.call(handle, "lua", "where")
  end

  -- Talks to the service with a global name; true, or what was wrong.
  function command.visit(name)
    local handle = skynet.call(name, "lua", "where")
    if skynet.call(handle, "lua", "where") ~= handle then
      return name .. " has another handle when called by handle"
    elseif skynet.call(name, "lua", "ask_back", skynet.self()) ~= skynet.self() then
      return name .. " reached somebody else with our handle"
    end
    for n = 1, SENDS do
      skynet.send(handle, "lua", "take", n)
    end
    return skynet.call(handle, "lua", "got")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, name, ...)
      if session == 0 then
        command[name](...)
      else
        skynet.retpack(command[name](...))
      end
    end)
    skynet.register(".peer")
    skynet.register("PEER_" .. skynet.getenv "me")
  end)
end

sim.scenario "every node of a harbor network reaches every other one, by name and by handle" {
  kind = "guarantee",
  source = "skynet wiki, master/slave mode",
  nodes = {
    a = { start = "peer", standalone = true, config = { me = "a" } },
    b = { start = "peer", harbor = true, config = { me = "b" } },
    c = { start = "peer", harbor = 200, config = { me = "c" } },
  },
  network = { delay = sim.uniform("100us", "5ms"), split = "30%" },
  services = { peer = peer },

  story = function(world)
    local expected = {}
    for n = 1, SENDS do
      expected[n] = n
    end
    for from, node in ipairs(NODES) do
      local other = NODES[from % #NODES + 1]
      local got = world:call(node, ".peer", "visit", "PEER_" .. other)
      sim.guarantee("sends arrive once and in order, before the call behind them", sim.equal(expected, got))
    end
  end,
}
