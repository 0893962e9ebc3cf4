-- Claim:  in a harbor network a global snax service is one for all nodes, on the master's; a node that has its handle
--         uses it as its own, without enablecluster.
-- Kind:   guarantee.
-- Source: runtime_api.md 5.16; network.md 6.2: across harbors the type of a message is kept.

local sim = require "sim"

local NODES = { "a", "b", "c" }

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local snax = require "skynet.snax"
  local command = {}

  function command.speak(word)
    local room = snax.globalservice("harbor_snax_room", { topic = "first come" })
    for n = 1, 5 do
      room.post.say(word .. n)
    end
    return room.handle
  end

  function command.heard()
    local room = snax.queryglobal "harbor_snax_room"
    local topic, words, handle = room.req.heard()
    return topic, words, handle == room.handle, pcall(room.req.fails), tostring(room)
  end

  function command.unique()
    return snax.uniqueservice("harbor_snax_room", { topic = "own" }).handle
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".peer"
  end)
end

-- The words of one speaker, in the order in which they were heard.
local function words_of(speaker, words)
  local own = {}
  for _, word in ipairs(words) do
    if string.sub(word, 1, 1) == speaker then
      own[#own + 1] = word
    end
  end
  return own
end

sim.scenario "a global snax service is one for a harbor network" {
  kind = "guarantee",
  source = "runtime_api.md 5.16; network.md 6.2",
  nodes = {
    a = { start = "peer", standalone = true, config = { snax = "./?.lua" } },
    b = { start = "peer", harbor = true, config = { snax = "./?.lua" } },
    c = { start = "peer", harbor = 200, config = { snax = "./?.lua" } },
  },
  network = { delay = sim.uniform("100us", "5ms"), split = "30%" },
  services = { peer = peer },

  story = function(world)
    local handles = {}
    for index, node in ipairs { "b", "c", "a" } do
      handles[index] = world:call(node, ".peer", "speak", node)
    end
    sim.guarantee("all nodes get the same one", handles[1] == handles[2] and handles[2] == handles[3])
    sim.guarantee("it runs on the master's node", handles[1] >> 24 == 1)
    for _, node in ipairs(NODES) do
      local topic, words, is_same, fails_not = world:call(node, ".peer", "heard")
      sim.guarantee("its init had a table as argument", topic == "first come")
      sim.guarantee("a call answers from there", is_same)
      sim.guarantee("an error comes back", fails_not == false)
      sim.guarantee("posts of one node come in order, before its call",
        sim.equal({ node .. 1, node .. 2, node .. 3, node .. 4, node .. 5 }, words_of(node, words)))
    end
    sim.guarantee("a unique one is its node's own", world:call("b", ".peer", "unique") >> 24 == 2)
  end,
}
