-- Claim:  a node that cannot join a harbor network ends with a reason, after 10 s at most, and nobody else is harmed:
--         the master does not answer, is not there, or is somebody who talks rubbish; a slave dies while a newcomer
--         waits for it; the master dies while a newcomer waits. Node c is started again and again, with a new harbor
--         id each time.
-- Kind:   guarantee.
-- Source: network.md, appendix B (B13).

local sim = require "sim"

local function agent()
  local skynet = require "skynet"
  require "skynet.manager"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(name and skynet.call(name, "lua") or skynet.self())
    end)
    skynet.register ".agent"
    skynet.register("AGENT_" .. skynet.getenv "me")
  end)
end

-- Listens where a master could, and says what it is told to.
local function impostor()
  local skynet = require "skynet"
  local socket = require "skynet.socket"
  local words = { "", "\0", "\3abc", "garbage that is long enough for any length byte, is it not? It is. \1\2\3",
    "\x04\x0cX\x0a\x01" }

  skynet.start(function()
    for n, word in ipairs(words) do
      socket.start(socket.listen("0.0.0.0", 3000 + n), function(fd)
        socket.start(fd)
        socket.write(fd, word)
      end)
    end
  end)
end

sim.scenario "a node that cannot join a harbor network ends, and nobody else is harmed" {
  kind = "guarantee",
  nodes = {
    m = { ip = "10.0.0.1", start = "agent", standalone = true, config = { me = "m" } },
    a = { start = "agent", harbor = 2, config = { me = "a" } },
    b = { start = "agent", harbor = 3, config = { me = "b" } },
    c = { start = "agent", harbor = 4, config = { me = "c4" } },
    x = { ip = "10.0.0.9", start = "impostor" },
  },
  network = { delay = sim.uniform("100us", "5ms") },
  services = { agent = agent, impostor = impostor },

  story = function(world)
    local id = 4
    -- Starts c once more; true: it runs.
    local function start_c(config)
      if world:is_running "c" then
        world:crash "c"
      end
      id = id + 1
      config.me = "c" .. id
      world:start("c", { harbor = id, config = config })
      world:wait_until(function() return not world:is_running "c" end, "100ms")
      return world:is_running "c"
    end
    local function expect_unharmed(what)
      for from, to in pairs { m = "a", a = "b", b = "m" } do
        sim.guarantee("the others talk: " .. what,
          sim.equal(world:call(to, ".agent"), world:call(from, ".agent", "AGENT_" .. to)))
      end
    end

    world:black_hole("c", "m")
    local begin = world:now()
    sim.guarantee("a master that does not answer is not waited for", not start_c {})
    sim.guarantee("for 10 s", world:now() - begin < sim.duration "11s")
    world:allow("c", "m")
    expect_unharmed "no answer"

    world:refuse("c", "m")
    sim.guarantee("a master that is not there is not waited for", not start_c {})
    world:allow("c", "m")

    for n = 1, 5 do
      begin = world:now()
      sim.guarantee("an impostor is no master", not start_c { master = "10.0.0.9:" .. 3000 + n })
      sim.guarantee("it is not believed for 10 s", world:now() - begin < sim.duration "11s")
    end
    expect_unharmed "impostors"
    sim.guarantee("after all that c may join", start_c { master = "10.0.0.1:2013" })
    expect_unharmed "c is back"

    -- b cannot reach the newcomer, and dies while the newcomer waits for it.
    world:crash "c"
    world:black_hole("b", "c")
    local join = world:spawn(start_c, {})
    world:sleep "5s"
    world:crash "b"
    sim.guarantee("a newcomer does not wait for a slave that died", join:join())
    sim.guarantee("and talks to the others", sim.equal(world:call("a", ".agent"),
      world:call("c", ".agent", "AGENT_a")))

    -- The master dies while a newcomer waits.
    world:crash "c"
    world:black_hole("a", "c")
    join = world:spawn(start_c, {})
    world:sleep "5s"
    world:crash "m"
    sim.guarantee("without the master the wait is over", not join:join())
  end,
}
