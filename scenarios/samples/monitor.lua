-- Claim:  a monitor that asks every node "ping" at intervals, each with a limit, knows which nodes are up: it alerts
--         once when one goes down, crashed or silent, once when it is back, and when answers become slow; nodes that
--         are well raise no alert. The call that it makes is what connects again: nothing else has to.
-- Kind:   guarantee, and liveness.
-- Source: distributed services: state of the nodes, monitor, alerts (good practice, 4), connection errors (both
--         editions).
--
-- As printed, the state is read from tables inside clusterd, which no other service sees, and says that a node is
-- connected as long as nobody has closed its sender; and a ping without a limit waits for as long as the network is
-- silent, so nobody is told of anything any more. The scenario claims that, too.

local sim = require "sim"

-- The document's times are 10 s between rounds and 1 s for an answer that is late.
local ROUND_CS = 100
local LIMIT_CS = 100
local SLOW_CS = 20
local BOUND = "5s"      -- a few rounds
-- TCP doubles its pauses, so what was lost in a silence of 10 s is sent again within as long again.
local BOUND_AFTER_SILENCE = "30s"

local function pong()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(name == "ping" and "pong")
    end)
    cluster.register "ping"
    cluster.open(skynet.getenv "me")
  end)
end

local function monitor()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}
  local status = {}  -- node -> { address, connected, latency }

  local function read_addresses()
    local addresses = {}
    assert(loadfile(skynet.getenv "cluster", "t", addresses))()
    return addresses
  end

  -- Centiseconds until the answer; nil if there was none in time.
  local function ping(node)
    local token, is_answered = {}, false
    local before = skynet.now()
    skynet.fork(function()
      is_answered = pcall(cluster.call, node, "@ping", "ping")
      skynet.wakeup(token)
    end)
    skynet.sleep(LIMIT_CS, token)
    return is_answered and skynet.now() - before or nil
  end

  local function watch(node)
    local state = status[node]
    while true do
      local latency = ping(node)
      local is_up = latency ~= nil
      if state.connected ~= nil and state.connected ~= is_up then
        sim.probe("alert", is_up and "up" or "down", node)
      end
      if is_up and latency > SLOW_CS then
        sim.probe("alert", "slow", node)
      end
      state.connected, state.latency = is_up, latency
      skynet.sleep(ROUND_CS)
    end
  end

  function command.status()
    return status
  end

  -- What the document does: no limit.
  function command.ping_without_limit(node)
    return (pcall(cluster.call, node, "@ping", "ping"))
  end

  -- What clusterd knows of a node.
  function command.has_sender(node)
    return skynet.call(skynet.queryservice "clusterd", "lua", "senders")[node] ~= nil
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    for node, address in pairs(read_addresses()) do
      if address and node ~= "watcher" then
        status[node] = { address = address }
        skynet.fork(watch, node)
      end
    end
    skynet.register ".monitor"
  end)
end

sim.scenario "a monitor tells which nodes are up" {
  kind = "liveness",
  source = "distributed services: monitor and alerts",
  nodes = {
    watcher = { start = "monitor", cluster = "10.0.0.1:7001" },
    battle = { start = "pong", cluster = "10.0.0.2:7001", config = { me = "battle" } },
    db = { start = "pong", cluster = "10.0.0.3:7001", config = { me = "db" } },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { monitor = monitor, pong = pong },

  story = function(world)
    local function count(kind, node)
      local found = 0
      for _, probe in ipairs(world:probes "alert") do
        found = found + (probe[1] == kind and probe[2] == node and 1 or 0)
      end
      return found
    end
    local function states()
      local status = world:call("watcher", ".monitor", "status")
      return { battle = status.battle.connected, db = status.db.connected }
    end

    world:sleep "3s"
    sim.guarantee("the state tells who is up", sim.equal({ battle = true, db = true }, states()))
    sim.guarantee("who is well is never told to be down", count("down", "battle") + count("down", "db") == 0)

    world:crash "battle"
    sim.liveness("a crash is told", function() return count("down", "battle") == 1 end, BOUND)
    sim.guarantee("the state tells who is down", sim.equal({ battle = false, db = true }, states()))
    sim.guarantee("clusterd has its sender all the same", world:call("watcher", ".monitor", "has_sender", "battle"))
    world:sleep "3s"
    local up = count("up", "battle")
    world:start "battle"
    sim.liveness("its return is told", function() return count("up", "battle") == up + 1 end, BOUND)

    local down = count("down", "db")
    world:partition { { "watcher", "battle" }, { "db" } }
    local printed
    world:spawn(function() printed = world:call("watcher", ".monitor", "ping_without_limit", "db") end)
    sim.liveness("silence is told", function() return count("down", "db") == down + 1 end, BOUND)
    world:sleep "5s"
    sim.guarantee("a ping without a limit tells nothing meanwhile", printed == nil)
    up = count("up", "db")
    world:heal()
    sim.liveness("the end of the silence is told", function() return count("up", "db") == up + 1 end,
      BOUND_AFTER_SILENCE)

    sim.guarantee("nothing was slow so far", count("slow", "battle") == 0)
    world:link("battle", "watcher"):delay "400ms"
    sim.liveness("slow answers are told", function() return count("slow", "battle") > 0 end, BOUND)
    sim.guarantee("each change is told once",
      sim.equal({ 1, down + 1 }, { count("down", "battle"), count("down", "db") }))
    sim.guarantee("slow is not down", sim.equal({ battle = true, db = true }, states()))
  end,
}
