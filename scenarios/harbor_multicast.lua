-- Claim:  in a harbor network a channel is good on every node: what one service publishes reaches the subscribers of
--         all nodes once, whole and in order, with its handle; who comes late gets what is published from then on; who
--         has unsubscribed gets nothing; a deleted channel takes no subscribers.
-- Kind:   guarantee.
-- Source: skynet wiki, multicast; issue #391 (a channel with remote subscribers only delivered garbage).

local sim = require "sim"

local ROUND = 10  -- messages

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local multicast = require "skynet.multicast"
  local command = {}
  local channel
  local got = {}
  local arrival = {}

  function command.open()
    channel = multicast.new {}
    return channel.channel, skynet.self()
  end

  function command.listen(id)
    channel = multicast.new {
      channel = id,
      dispatch = function(_, source, ...)
        got[#got + 1] = { source, ... }
        skynet.wakeup(arrival)
      end,
    }
    channel:subscribe()
    return skynet.self()
  end

  function command.tries_to_listen()
    return pcall(channel.subscribe, multicast.new { channel = channel.channel })
  end

  function command.leave()
    channel:unsubscribe()
  end

  function command.delete()
    channel:delete()
  end

  function command.publish(first, last)
    for n = first, last do
      channel:publish(n, string.rep("x", n * 100))
    end
  end

  -- Waits until `count` messages have come; "source n bytes" of each.
  function command.got(count)
    while #got < count do
      skynet.wait(arrival)
    end
    local lines = {}
    for index, message in ipairs(got) do
      lines[index] = string.format("%s %d %d", skynet.address(message[1]), message[2], #message[3])
    end
    return lines
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".peer"
  end)
end

-- What a subscriber should have of the numbers `first` to `last` from `source`, appended to `list`.
local function expect(list, source, first, last)
  for n = first, last do
    list[#list + 1] = string.format(":%08x %d %d", source, n, n * 100)
  end
  return list
end

sim.scenario "a channel of a harbor network reaches the subscribers of every node" {
  kind = "guarantee",
  source = "skynet wiki, multicast; issue #391",
  nodes = {
    a = { start = "peer", standalone = true },
    b = { start = "peer", harbor = true },
    c = { start = "peer", harbor = 200 },
  },
  network = { delay = sim.uniform("100us", "5ms"), split = "30%" },
  services = { peer = peer },

  story = function(world)
    local function ask(node, ...)
      return world:call(node, ".peer", ...)
    end
    local function has(node, expected)
      return sim.equal(expected, ask(node, "got", #expected))
    end
    local id, a = ask("a", "open")
    sim.guarantee("the low byte of a channel is its node's harbor id", id & 0xff == 1)

    local b = ask("b", "listen", id)
    ask("a", "publish", 1, ROUND)
    local at_b = expect({}, a, 1, ROUND)
    sim.guarantee("another node gets it, though the publisher's has no subscriber", has("b", at_b))

    ask("c", "listen", id)
    ask("a", "publish", ROUND + 1, 2 * ROUND)
    local at_c = expect({}, a, ROUND + 1, 2 * ROUND)
    sim.guarantee("who comes late gets what is published from then on", has("c", at_c))
    sim.guarantee("and the others go on", has("b", expect(at_b, a, ROUND + 1, 2 * ROUND)))

    ask("b", "publish", 1, ROUND)
    sim.guarantee("a node publishes to the channel of another", has("c", expect(at_c, b, 1, ROUND)))
    sim.guarantee("and gets its own messages", has("b", expect(at_b, b, 1, ROUND)))

    ask("c", "leave")
    ask("a", "publish", 1, ROUND)
    sim.guarantee("the others get what comes after one has left", has("b", expect(at_b, a, 1, ROUND)))
    sim.guarantee("who has unsubscribed gets nothing", has("c", at_c))

    ask("a", "delete")
    sim.guarantee("a deleted channel takes no subscribers", not ask("c", "tries_to_listen"))
    ask("b", "publish", 1, ROUND)
    sim.guarantee("and reaches nobody", not ask("c", "tries_to_listen") and has("b", at_b))
  end,
}
