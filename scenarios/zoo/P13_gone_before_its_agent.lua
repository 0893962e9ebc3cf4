-- Claim:  a connection to a cluster port that ends while its agent is being started leaves nothing behind, and the next
--         client is served.
-- Kind:   guarantee.
-- Source: skynet issue 1958 (2024): the registry of the cluster did not know the connection yet when its end was told,
--         and the agent that came later waited for it for ever: a descriptor in CLOSE_WAIT, an agent and an entry too
--         many each time. Put back by `--legacy agent-of-nobody`.
--
-- A visitor connects to the cluster port of b and leaves again, politely or with a reset, within 50 ms. Scripted, he
-- leaves at once, and then once more with a reset while his agent is being started.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local VISITS = 5
local PAUSE_MS_MAX = 50

local function visitor()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local socket = require "skynet.socket"
  local id
  local command = {}

  function command.come()
    id = assert(socket.open("10.0.0.2", 7001))
  end

  function command.leave()
    socket.close(id)
  end

  function command.ask()
    return cluster.call("b", ".answerer", "ask")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".visitor"
  end)
end

local function answerer()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function()
      skynet.retpack "an answer"
    end)
    skynet.register ".answerer"
    cluster.open "b"
  end)
end

local function count_agents(world)
  local _, count = string.gsub(world:console("b", "list"), "clusteragent", "")
  return count
end

local function visit(world, pause_ms, with_reset)
  world:call("a", ".visitor", "come")
  world:sleep(("%dms"):format(pause_ms))
  if with_reset then
    world:reset("a", "b")
  end
  world:call("a", ".visitor", "leave")
end

local function scripted(world)
  visit(world, 0, false)
  world:sleep "1s"
  visit(world, 5, true)
end

local function random(world)
  for _ = 1, VISITS do
    visit(world, world:choose(PAUSE_MS_MAX + 1) - 1, world:choose(2) == 2)
  end
end

sim.scenario "a connection that ends before its agent is there leaves nothing behind" {
  kind = "guarantee",
  source = "skynet issue 1958",
  legacy = "agent-of-nobody",
  nodes = {
    a = { start = "visitor", cluster = "10.0.0.1:7001" },
    b = { start = "answerer", cluster = "10.0.0.2:7001", cpu = "2ms" },  -- an agent takes it 16 ms
  },
  network = { delay = sim.uniform("100us", "3ms") },
  services = { visitor = visitor, answerer = answerer },

  story = function(world)
    if IS_SCRIPTED then
      scripted(world)
    else
      random(world)
    end
    world:sleep "1s"
    sim.guarantee("no connection is left", sim.equal(0, #world:connections()))
    sim.guarantee("no agent is left", sim.equal(0, count_agents(world)))

    sim.guarantee("the next client is served", sim.equal("an answer", world:call("a", ".visitor", "ask")))
    sim.guarantee("and has the only agent", sim.equal(1, count_agents(world)))
  end,
}
