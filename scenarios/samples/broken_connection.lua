-- Claim:  when the connection between two nodes breaks, every call under way raises and the next call connects again;
--         pushes may be lost, and whoever sent them never hears of it; those that arrive are in order.
-- Kind:   guarantee; allowed: a push is lost.
-- Source: skynet wiki, Cluster: cluster mode, 1 to 3 (call, proxy, send); distributed services, error handling and
--         reconnect (both editions).

local sim = require "sim"

local CALLS = 3
local PUSHES = 20

local function caller()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  -- Calls that are not answered before the connection breaks: how many raised.
  function command.calls()
    local raised, ended = 0, 0
    local me = coroutine.running()
    for _ = 1, CALLS do
      skynet.fork(function()
        local ok = pcall(cluster.call, "b", "@sink", "slow")
        raised = raised + (ok and 0 or 1)
        ended = ended + 1
        if ended == CALLS then
          skynet.wakeup(me)
        end
      end)
    end
    skynet.wait(me)
    return raised
  end

  -- Half of them through a proxy. Returns what the sending reported.
  function command.pushes()
    local proxy = cluster.proxy("b", "@sink")
    local reported = 0
    for i = 1, PUSHES do
      if i % 2 == 0 then
        reported = reported + (skynet.send(proxy, "lua", "push", i) and 0 or 1)
      else
        reported = reported + select("#", cluster.send("b", "@sink", "push", i))
      end
      skynet.sleep(1)
    end
    return reported
  end

  function command.again()
    return cluster.call("b", "@sink", "quick")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".caller"
  end)
end

local function sink()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, i)
      if name == "push" then
        sim.probe("arrived", i)
      elseif name == "slow" then
        sim.probe "under way"
        skynet.wait()
      else
        skynet.retpack(name)
      end
    end)
    cluster.register "sink"
    cluster.open "b"
  end)
end

sim.scenario "a broken connection raises calls, may lose pushes, and is made anew" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: cluster mode",
  nodes = {
    a = { start = "caller", cluster = "10.0.0.1:7001" },
    b = { start = "sink", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("1ms", "10ms") },
  services = { caller = caller, sink = sink },

  story = function(world)
    local calls = world:spawn(function() return world:call("a", ".caller", "calls") end)
    world:wait_until(function() return #world:probes "under way" == CALLS end)
    world:reset("a", "b")
    sim.guarantee("every call under way raises", sim.equal(CALLS, calls:join()))
    sim.guarantee("the next call connects again", sim.equal("quick", world:call("a", ".caller", "again")))
    sim.guarantee("over one new connection", sim.equal(2, world:accepted("a", "b")))

    local pushes = world:spawn(function() return world:call("a", ".caller", "pushes") end)
    world:sleep(40 + 10 * world:choose(12) .. "ms")
    world:reset("a", "b")
    sim.guarantee("nothing is reported to who sends", sim.equal(0, pushes:join()))
    world:sleep "1s"

    local arrived = world:probes "arrived"
    sim.guarantee("pushes go on over a new connection", #arrived > 0 and arrived[#arrived][1] == PUSHES)
    sim.allowed("a push is lost", #arrived < PUSHES)
    -- Two streams, one from the proxy: each has its order.
    local last = { [0] = 0, [1] = 0 }
    for _, probe in ipairs(arrived) do
      local i = probe[1]
      sim.guarantee("what arrives is in order, and once", i > last[i % 2], "%d after %d", i, last[i % 2])
      last[i % 2] = i
    end
  end,
}
