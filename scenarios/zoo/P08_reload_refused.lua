-- Claim:  after a reload to an address that refuses, each call tries to connect once and raises; as soon as somebody
--         listens there, calls succeed.
-- Kind:   liveness.
-- Source: skynet issue 1130 (2019): the first connect to the new address failed, and from then on calls to that node
--         waited for a connection that nobody made. Put back by `--legacy retarget-lost`.
--
-- a talks to b, and is told that b has moved to port 7002, which nobody opens before 3 s. Scripted: calls at 1, 2 and
-- 4 s. Else two calls before and one after, when the seed says.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"

local function caller()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = { reload = cluster.reload }

  function command.call()
    local ok, answer = pcall(cluster.call, "b", ".server")
    return ok and answer or "raised"
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".caller"
  end)
end

local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      if name == "open" then
        cluster.open "moved"
      end
      skynet.retpack "answer"
    end)
    skynet.register ".server"
    cluster.open "b"
  end)
end

sim.scenario "calls to an address that refuses raise, and succeed when it listens" {
  kind = "liveness",
  source = "skynet issue 1130",
  legacy = "retarget-lost",
  nodes = {
    a = { start = "caller", cluster = "10.0.0.1:7001" },
    b = { start = "server", cluster = "10.0.0.2:7001" },
  },
  cluster = { moved = "10.0.0.2:7002" },
  network = { delay = sim.uniform("500us", "20ms") },
  services = { caller = caller, server = server },

  story = function(world)
    local begin_ns
    local function sleep_until(ms)
      world:sleep(("%dus"):format(math.max(0, ms * 1000 - (world:now() - begin_ns) // 1000)))
    end
    local function call_at(ms, expected)
      sleep_until(ms)
      local answer
      world:spawn(function() answer = world:call("a", ".caller", "call") end)
      sim.liveness("every call ends", function() return answer end, "1s")
      sim.guarantee("a call to who refuses raises, to who listens succeeds",
        sim.equal(expected, answer, ("at %d ms"):format(ms)))
    end
    local function choose_ms(least, most)
      return least + world:choose(most - least + 1) - 1
    end

    sim.guarantee("b answers at its first address", sim.equal("answer", world:call("a", ".caller", "call")))
    begin_ns = world:now()
    world:call("a", ".caller", "reload", { b = "10.0.0.2:7002" })
    call_at(IS_SCRIPTED and 1000 or choose_ms(100, 1000), "raised")
    call_at(IS_SCRIPTED and 2000 or choose_ms(1500, 2500), "raised")
    sleep_until(3000)
    world:call("b", ".server", "open")
    call_at(IS_SCRIPTED and 4000 or choose_ms(3200, 5000), "answer")
    sim.guarantee("there was one connection to each address", sim.equal(2, world:accepted("a", "b")))
  end,
}
