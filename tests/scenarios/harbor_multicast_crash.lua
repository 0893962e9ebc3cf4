-- Claim:  the node of a channel forgets the subscribers of a node that crashes, and the others go on.
-- Kind:   guarantee.
-- Source: runtime_api.md 5.4: in skynet a subscriber that dies without a word stays one.

local sim = require "sim"

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local multicast = require "skynet.multicast"
  local command = {}
  local channel
  local got = 0

  function command.listen(id)
    channel = multicast.new { channel = id, dispatch = function() got = got + 1 end }
    channel:subscribe()
    return channel.channel
  end

  -- Waits until the channel's node knows this many subscribers.
  function command.subscribers(count)
    local manager = skynet.queryservice "multicastd"
    while skynet.call(manager, "debug", "INFO")[tostring(channel)] ~= count do
      skynet.sleep(1)
    end
    return count
  end

  function command.publish()
    channel:publish "still here"
  end

  function command.got(count)
    while got < count do
      skynet.sleep(1)
    end
    return got
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".peer"
  end)
end

sim.scenario "subscribers of a node that crashes are forgotten" {
  kind = "guarantee",
  source = "runtime_api.md 5.4",
  nodes = {
    a = { start = "peer", standalone = true },
    b = { start = "peer", harbor = true },
    c = { start = "peer", harbor = true },
  },
  network = { delay = sim.uniform("100us", "5ms") },
  services = { peer = peer },

  story = function(world)
    local id = world:call("a", ".peer", "listen", nil)
    for _, node in ipairs { "b", "c" } do
      world:call(node, ".peer", "listen", id)
    end
    world:call("a", ".peer", "subscribers", 3)

    world:crash "b"
    sim.guarantee("the node that is gone is forgotten", world:call("a", ".peer", "subscribers", 2) == 2)
    world:call("a", ".peer", "publish")
    sim.guarantee("the others get what is published", world:call("c", ".peer", "got", 1) == 1)
    sim.guarantee("so does the node of the channel", world:call("a", ".peer", "got", 1) == 1)
  end,
}
