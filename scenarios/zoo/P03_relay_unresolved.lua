-- Claim:  a service that passes a stream on to a node it never talked to passes it on in order.
-- Kind:   guarantee.
-- Source: skynet issues 988 and 991 (2019): every message asked for the sender of the node by itself; the first answer
--         filled the cache, and a message that came just then overtook those that still waited for theirs. Put back by
--         `--legacy relay-race`.
--
-- Scripted: the node is connected already, and the stream begins with thirty messages at once: so clusterd answers the
-- relay's questions one by one while the rest flows. Else it is not, and the stream pauses where the seed says.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local MESSAGES = 200

local function feeder()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, relay)
      local pause_every = math.random(10)
      if IS_SCRIPTED then
        cluster.call("b", ".sink", "hello")
      end
      for i = 1, MESSAGES do
        skynet.send(relay, "lua", i)
        if IS_SCRIPTED and i > 30 or not IS_SCRIPTED and math.random(pause_every) == 1 then
          skynet.yield()
        end
      end
      skynet.retpack(true)
    end)
    skynet.register ".feeder"
    skynet.newservice "relay"
  end)
end

local function relay()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, i)
      cluster.send("b", ".sink", i)
    end)
    skynet.register ".relay"
  end)
end

local function sink()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, i)
      if session > 0 then
        return skynet.retpack(true)
      end
      sim.probe("handled", i)
    end)
    skynet.register ".sink"
    cluster.open "b"
  end)
end

sim.scenario "a relay to a node that is not resolved yet keeps the order of its stream" {
  kind = "guarantee",
  source = "skynet issues 988, 991",
  legacy = "relay-race",
  nodes = {
    a = { start = "feeder", cluster = "10.0.0.1:7001", thread = 4 },
    b = { start = "sink", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("20us", "200us") },
  services = { feeder = feeder, relay = relay, sink = sink },

  story = function(world)
    world:call("a", ".feeder", ".relay")
    sim.liveness("all messages arrive", function()
      return #world:probes "handled" == MESSAGES
    end, "10s")

    local last = 0
    for _, probe in ipairs(world:probes "handled") do
      sim.guarantee("messages arrive in order", probe[1] == last + 1,
        "expected %d after %d, seen %d", last + 1, last, probe[1])
      last = probe[1]
    end
  end,
}
