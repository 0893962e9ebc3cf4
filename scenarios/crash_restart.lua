-- Claim:  when the node of a callee crashes, the calls under way raise; when it is back, later calls return, also by
--         its registered name, although the service behind the name has another address.
-- Kind:   guarantee, and liveness.
-- Source: skynet wiki, Cluster: names that begin with @ "avoid calls that fail because a restarted node has other
--         addresses"; a call raises when the connection breaks, and the next one connects again.

local sim = require "sim"

local CALLS = 4
local BOUND = "10s"  -- a connect that is refused takes a round trip; one try a second

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  -- Calls that nobody answers: how many raised, when all have ended.
  function command.hang()
    local raised, ended = 0, 0
    local me = coroutine.running()
    for _ = 1, CALLS do
      skynet.fork(function()
        if not pcall(cluster.call, "b", "@room", "hang") then
          raised = raised + 1
        end
        ended = ended + 1
        if ended == CALLS then
          skynet.wakeup(me)
        end
      end)
    end
    skynet.wait(me)
    return raised
  end

  -- The life that answers, and the room's address there; nil if the call raised.
  function command.where()
    local ok, life, address = pcall(cluster.call, "b", "@room", "where")
    if ok then
      return life, address
    end
  end

  function command.query()
    return cluster.query("b", "room")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".client"
  end)
end

local function main()  -- of node b: opens the cluster and the room
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    for _ = 1, tonumber(skynet.getenv "services_before") do
      skynet.newservice "neighbour"
    end
    cluster.register("room", skynet.newservice "room")
    cluster.open "b"
  end)
end

local function neighbour()
  local skynet = require "skynet"
  skynet.start(function() end)
end

local function room()
  local skynet = require "skynet"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      if name == "hang" then
        sim.probe "hanging"
        skynet.wait()
      end
      skynet.retpack(skynet.getenv "services_before", skynet.self())
    end)
  end)
end

sim.scenario "a crash of the callee raises the calls under way, and after its restart calls return" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: remote name service",
  nodes = {
    a = { start = "client", cluster = "10.0.0.1:7001" },
    b = { start = "main", cluster = "10.0.0.2:7001", config = { services_before = 0 } },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { client = client, main = main, neighbour = neighbour, room = room },

  story = function(world)
    local first_life, first_address = world:call("a", ".client", "where")
    sim.guarantee("the first life answers", sim.equal("0", first_life))

    local hanging = world:spawn(function() return world:call("a", ".client", "hang") end)
    world:wait_until(function() return #world:probes "hanging" == CALLS end)
    world:crash "b"
    world:together(
      function()
        sim.guarantee("every call under way raises", sim.equal(CALLS, hanging:join()))
      end,
      function()
        sim.guarantee("a call to a node that is down raises", world:call("a", ".client", "where") == nil)
      end)

    world:sleep(world:choose(3) .. "s")
    world:restart("b", { config = { services_before = 3 } })
    local life, address
    world:spawn(function()
      while not life do
        life, address = world:call("a", ".client", "where")
        world:sleep "1s"
      end
    end)
    sim.liveness("a call returns after the restart", function() return life end, BOUND)
    sim.guarantee("it is the new life that answers", sim.equal("3", life))
    sim.guarantee("the room has another address", address ~= first_address)
    sim.guarantee("the name resolves to it", sim.equal(address, world:call("a", ".client", "query")))
  end,
}
