-- Claim:  two slaves that cannot reach each other go on with the rest of their network. After a short partition their
--         calls return; when TCP has given up, they raise, on both sides, and the two stay apart for good.
-- Kind:   guarantee, and liveness.
-- Source: skynet's harbor has no heartbeat: a partition is as long as TCP retransmits, a quarter of an hour on Linux.

local sim = require "sim"

local SENDS = 10

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local harbor = require "skynet.harbor"
  local command = {}
  local got = {}

  function command.take(n)
    got[#got + 1] = n
  end

  function command.got()
    return got
  end

  -- Sends numbers to a name, then calls it: what it has got so far, or false if the call raised.
  function command.talk(name)
    for n = 1, SENDS do
      skynet.send(name, "lua", "take", n)
    end
    local ok, result = pcall(skynet.call, name, "lua", "got")
    return ok and result
  end

  function command.link(id)
    harbor.link(id)
    return true
  end

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, name, ...)
      if session == 0 then
        command[name](...)
      else
        skynet.retpack(command[name](...))
      end
    end)
    skynet.register ".peer"
    skynet.register("PEER_" .. skynet.getenv "me")
  end)
end

sim.scenario "slaves that cannot reach each other go on with the others" {
  kind = "guarantee",
  source = "skynet: the harbor has no heartbeat",
  nodes = {
    m = { start = "peer", harbor = 1, standalone = true, config = { me = "m" } },
    a = { start = "peer", harbor = 2, config = { me = "a" } },
    b = { start = "peer", harbor = 3, config = { me = "b" } },
  },
  network = { delay = sim.uniform("100us", "5ms") },
  services = { peer = peer },

  story = function(world)
    local function talk(from, to)
      return world:call(from, ".peer", "talk", "PEER_" .. to)
    end
    local expected = {}
    local function expect(what, seen)
      for n = 1, SENDS do
        expected[#expected + 1] = n
      end
      sim.guarantee(what, sim.equal(expected, seen))
    end
    expect("the two talk", talk("a", "b"))

    world:partition { { "a" }, { "b" } }
    local blocked = world:spawn(talk, "a", "b")
    sim.guarantee("a talks to the master", talk("a", "m"))
    sim.guarantee("b talks to the master", talk("b", "m"))
    world:sleep "5s"
    world:heal()
    expect("what was sent meanwhile arrives once and in order", blocked:join())

    world:partition { { "a" }, { "b" } }
    blocked = world:spawn(talk, "a", "b")
    local link = world:spawn(function() return world:call("a", ".peer", "link", 3) end)
    sim.guarantee("a call raises when TCP gives up", blocked:join() == false)
    sim.guarantee("link returns then", link:join())
    world:heal()
    sim.guarantee("a has given b up", talk("a", "b") == false)
    sim.guarantee("b learns it with its next call", talk("b", "a") == false)
    sim.guarantee("a still talks to the master", talk("a", "m"))
    sim.guarantee("b still talks to the master", talk("b", "m"))
  end,
}
