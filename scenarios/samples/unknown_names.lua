-- Claim:  a call to a name that no table has waits until a reload gives it an address; an entry `false` makes it raise,
--         and so does `__nowaiting = true`, also for calls that wait already; with `__nowaiting = false` they wait
--         again.
-- Kind:   guarantee.
-- Source: skynet wiki, Cluster: cluster mode (names that are not in the table); walk through the cluster framework:
--         clustername.lua, cluster.reload; distributed services: node configuration (`__nowaiting`, `node4 = false`).

local sim = require "sim"

local function caller()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = { reload = cluster.reload }

  function command.call(node)
    local ok, answer = pcall(cluster.call, node, "@sdb", "GET", "a")
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
  local cluster = require "skynet.cluster"

  skynet.start(function()
    local sdb = skynet.newservice "simpledb"
    skynet.call(sdb, "lua", "SET", "a", "found")
    cluster.register("sdb", sdb)
    cluster.open "db"
  end)
end

sim.scenario "calls to unknown names wait, unless the table says otherwise" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: cluster mode",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:2528" },
    two = { start = "caller", cluster = "10.0.0.2:2528" },
  },
  cluster = { closed = false },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { caller = caller, server = server },

  story = function(world)
    local function call(node)
      local answer
      world:spawn(function() answer = world:call("two", ".caller", "call", node) end)
      return function() return answer end
    end
    local function reload(changes)
      world:call("two", ".caller", "reload", changes)
    end
    local function expect(claim, expected, answer)
      world:wait_until(answer, "10s")
      sim.guarantee(claim, sim.equal(expected, answer()))
    end

    expect("a name that is false raises", "raised", call "closed")

    local first, second = call "later", call "later"
    world:sleep "500ms"
    sim.guarantee("a call to an unknown name waits", first() == nil and second() == nil)
    reload { another = "10.0.0.1:2528" }
    world:sleep "200ms"
    sim.guarantee("a reload that does not name it changes nothing", first() == nil)
    reload { later = "10.0.0.1:2528" }
    expect("a reload that names it lets the call go on", "found", first)
    expect("all of them", "found", second)

    local third = call "never"
    world:sleep "200ms"
    reload { __nowaiting = true }
    expect("a reload with __nowaiting ends the calls that wait", "raised", third)
    expect("then an unknown name raises at once", "raised", call "never")
    expect("and a known one still answers", "found", call "db")

    reload { __nowaiting = false }
    local fourth = call "never"
    world:sleep "200ms"
    sim.guarantee("without __nowaiting calls wait again", fourth() == nil)
    reload { never = false }
    expect("a reload to false ends them", "raised", fourth)

    reload { db = false }
    expect("a node can be closed while it is in use", "raised", call "db")
    reload { db = "10.0.0.1:2528" }
    expect("and opened again", "found", call "db")
  end,
}
