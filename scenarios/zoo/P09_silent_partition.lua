-- Claim:  a call to a node that falls silent does not end by itself: no limit is set, and nothing says that the other
--         side is gone. The same call in a request set with a limit returns when the limit is over.
-- Kind:   allowed (a call that has not arrived yet is sent again, and meets the restarted node), and liveness.
-- Source: skynet issue 1244 (2020): the peer was killed, the host answered nothing, and calls hung for ever, also when
--         the peer was back. `--legacy call-ends` believes that a call ends.
--
-- b loses its power while it works on the request, starts again after a minute, and the links heal. Scripted: when it
-- has the request. Else at a moment that the seed says, in the 40 ms around that.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local IS_END_BELIEVED = sim.legacy "call-ends"
local LIMIT_CS = 500

local function caller()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.warm_up()
    return skynet.call(cluster.proxy("b", ".worker"), "lua", "hello")
  end

  function command.call()
    return (pcall(cluster.call, "b", ".worker", "work"))
  end

  function command.call_within()
    local requests = skynet.request { cluster.proxy("b", ".worker"), "lua", "work" }
    for _, answer in requests:select(LIMIT_CS) do
      return answer and "answer" or "raised"
    end
    return requests.timeout and "timeout"
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".caller"
  end)
end

local function worker()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      if name == "work" then
        sim.probe "working"
        skynet.sleep(100)
      end
      skynet.retpack(true)
    end)
    skynet.register ".worker"
    cluster.open "b"
  end)
end

sim.scenario "a call to a node that falls silent needs a limit" {
  kind = "allowed",
  source = "skynet issue 1244",
  legacy = "call-ends",
  nodes = {
    a = { start = "caller", cluster = "10.0.0.1:7001" },
    b = { start = "worker", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("1ms", "10ms") },
  services = { caller = caller, worker = worker },

  story = function(world)
    world:call("a", ".caller", "warm_up")
    local has_returned = false
    local began_ns = world:now()
    world:spawn(function()
      world:call("a", ".caller", "call")
      has_returned = true
    end)
    local within = world:spawn(function()
      return world:call("a", ".caller", "call_within"), world:now() - began_ns
    end)
    if IS_SCRIPTED then
      world:wait_until(function() return #world:probes "working" == 2 end)
      world:sleep "20ms"  -- what arrived is acknowledged
    else
      world:sleep(("%dus"):format(100 * world:choose(400)))
    end
    world:partition { { "a" }, { "b" } }
    world:crash("b", { power_off = true })

    local answer, took_ns = within:join()
    sim.guarantee("with a limit the call returns", sim.equal("timeout", answer))
    sim.guarantee("when the limit is over", took_ns > sim.duration "4.99s" and took_ns < sim.duration "5.1s",
      "it took %d ms", took_ns // 1000000)
    world:sleep "55s"
    world:start "b"
    world:heal()
    world:sleep "60s"
    if IS_END_BELIEVED then
      sim.guarantee("a call ends when the other side is gone", has_returned)
    else
      sim.allowed("a call whose other side is gone ends by itself", has_returned)
    end
  end,
}
