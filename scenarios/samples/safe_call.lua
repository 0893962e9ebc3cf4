-- Claim:  a call behind pcall with a fallback always gives its caller something: the answer of the other node, or the
--         fallback if the node is down, the service raises, or the name is unknown; once the node is back its answers
--         are used again.
-- Kind:   guarantee.
-- Source: distributed services: good practice, 2 (both editions).

local sim = require "sim"

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, player)
      if player == "broken" then
        error "no such player, on purpose"
      end
      skynet.retpack("rank of " .. player)
    end)
    cluster.register "ranking"
    cluster.open "rank"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  local function fallback(player)
    return "no rank for " .. player
  end

  local function safe_call(node, service, ...)
    local ok, result = pcall(cluster.call, node, service, ...)
    if ok then
      return result
    end
    skynet.error("a call has failed: " .. tostring(result))
    return fallback(...)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, service, player)
      skynet.retpack(safe_call("rank", service, player))
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a call with a fallback always gives an answer" {
  kind = "guarantee",
  source = "distributed services: good practice",
  nodes = {
    rank = { start = "server", cluster = "10.0.0.1:9001" },
    game = { start = "client", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { client = client, server = server },

  story = function(world)
    local function expect(claim, expected, service, player)
      sim.guarantee(claim, sim.equal(expected, world:call("game", ".client", service, player)))
    end
    expect("the answer of the node", "rank of ann", "@ranking", "ann")
    expect("the fallback if the service raises", "no rank for broken", "@ranking", "broken")
    expect("the fallback if there is no such name", "no rank for ann", "@nobody", "ann")
    world:crash "rank"
    expect("the fallback while the node is down", "no rank for ann", "@ranking", "ann")
    expect("as often as one asks", "no rank for bob", "@ranking", "bob")
    world:start "rank"
    expect("the answer again when the node is back", "rank of bob", "@ranking", "bob")
  end,
}
