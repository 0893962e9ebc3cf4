-- Claim:  under partitions, one-way partitions, loss and delay a cluster call either returns or raises, once; what
--         returned has happened once, what raised has happened at most once; and after the network is whole, new calls
--         return within a bound.
-- Kind:   guarantee, and liveness.
-- Source: skynet wiki, Cluster: a call raises when the connection breaks, and the next one connects again; issues 548
--         ("a failed call may or may not have run") and 1244.
--
-- A silent partition breaks no connection: calls wait, and go on when segments come through again. So the story resets
-- connections too, which makes the calls under way fail.

local sim = require "sim"

local CLIENTS = 3
-- TCP doubles its pauses, so a segment that was lost all through the faults (33 s at most) is sent again within as long
-- again, and the few seconds of a round trip under delay.
local BOUND = "60s"

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local last = 0
  local command = {}

  local function add()
    last = last + 1
    local id = skynet.address(skynet.self()) .. "/" .. last
    sim.probe("asked", id)
    local ok, answer = pcall(cluster.call, "b", ".counter", "add", id)
    sim.probe("ended", id, ok)
    return ok, answer
  end

  function command.work()
    for _ = 1, CLIENTS do
      skynet.fork(function()
        while true do
          add()
          skynet.sleep(20)
        end
      end)
    end
  end

  function command.try()
    return (add())
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".client"
  end)
end

local function counter()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, _, id)
      sim.probe("counted", id)
      skynet.retpack(true)
    end)
    skynet.register ".counter"
    cluster.open "b"
  end)
end

-- How often each id was reported.
local function tally(probes)
  local times = {}
  for _, probe in ipairs(probes) do
    times[probe[1]] = (times[probe[1]] or 0) + 1
  end
  return times
end

local function judge(world)
  local ended, counted = tally(world:probes "ended"), tally(world:probes "counted")
  for _, probe in ipairs(world:probes "ended") do
    local id, ok = probe[1], probe[2]
    sim.guarantee("a call ends once", ended[id] == 1, "%s ended %d times", id, ended[id])
    if ok then
      sim.guarantee("what returned was counted", counted[id] == 1, "%s was counted %d times", id, counted[id] or 0)
    end
    sim.allowed("a call fails", not ok)
  end
  for _, probe in ipairs(world:probes "counted") do
    local id = probe[1]
    sim.guarantee("nothing is counted twice", counted[id] == 1, "%s was counted %d times", id, counted[id])
  end
end

sim.scenario "calls under network faults end once, and end well after the faults" {
  kind = "guarantee",
  source = "skynet wiki, Cluster; issues 548, 1244",
  nodes = {
    a = { start = "client", cluster = "10.0.0.1:7001" },
    b = { start = "counter", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.exponential("500us", "2ms"), loss = "1%" },
  services = { client = client, counter = counter },

  story = function(world)
    local faults = {
      function() world:partition { { "a" }, { "b" } } end,
      function() world:link("a", "b"):partition() end,
      function() world:link("b", "a"):partition() end,
      function() world:link("b", "a"):delay("2s") end,
      function() world:link("a", "b"):loss("30%") end,
      function() world:reset("a", "b") end,
    }
    world:call("a", ".client", "work")
    for _, fault in ipairs(world:shuffle(faults)) do
      fault()
      world:sleep(world:choose(5) .. "s")
      world:together(
        function() world:heal() end,
        function() world:link("b", "a"):delay(sim.exponential("500us", "2ms")) end,
        function() world:link("a", "b"):loss("1%") end)
      world:sleep "500ms"
    end

    -- Whole: what is sent again now arrives.
    world:link("a", "b"):loss(0)
    world:link("b", "a"):loss(0)

    local is_back = false
    world:spawn(function()
      while not is_back do
        is_back = world:call("a", ".client", "try")
        world:sleep "1s"
      end
    end)
    sim.liveness("a new call returns after the faults", function() return is_back end, BOUND)

    local open = #world:probes "asked"
    sim.liveness("every call that was open has ended", function()
      return #world:probes "ended" >= open
    end, BOUND)
    judge(world)
  end,
}
