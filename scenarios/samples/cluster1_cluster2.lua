-- Claim:  two processes work together as in the examples cluster1 and cluster2: a proxy for "db@sdb" carries keys of
--         128 KiB and values of 100 KiB both ways, calls and pushes arrive over both channels of the other process, a
--         snax object for db3 is there once a reload has named db3, and calls to db raise when a reload says that it
--         is down.
-- Kind:   guarantee.
-- Source: walk through the cluster framework: cluster1, cluster2, cluster.reload; skynet wiki, Cluster.

local sim = require "sim"

local LARGE_KEY_BYTES = 128 * 1024
local LARGE_VALUE_BYTES = 100 * 1024
local DOWN_AFTER_CS = 300

local function cluster1()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"
  local snax = require "skynet.snax"

  skynet.start(function()
    cluster.reload { db = "10.0.0.1:2528", db2 = "10.0.0.1:2529" }
    local sdb = skynet.newservice "simpledb"
    cluster.register("sdb", sdb)
    skynet.call(sdb, "lua", "SET", "a", "foobar")
    skynet.call(sdb, "lua", "SET", "b", "foobar2")
    cluster.open "db"
    cluster.open "db2"
    snax.uniqueservice "pingserver"
  end)
end

local function cluster2()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.large()
    local proxy = cluster.proxy "db@sdb"  -- the same as cluster.proxy("db", "@sdb")
    local key, value = string.rep("X", LARGE_KEY_BYTES), string.rep("R", LARGE_VALUE_BYTES)
    skynet.call(proxy, "lua", "SET", key, value)
    local seen = skynet.call(proxy, "lua", "GET", key)
    skynet.send(proxy, "lua", "PING", "proxy")
    return seen == value, skynet.call(proxy, "lua", "GET", string.rep("X", LARGE_KEY_BYTES - 1))
  end

  function command.both_channels()
    skynet.trace "cluster"
    local a = cluster.call("db", "@sdb", "GET", "a")
    local b = cluster.call("db2", "@sdb", "GET", "b")
    cluster.send("db2", "@sdb", "PING", "db2:longstring" .. string.rep("R", LARGE_VALUE_BYTES))
    return a, b
  end

  -- db3 has no address yet; the timer gives it one, and says that db is down.
  function command.reload()
    local me = coroutine.running()
    local is_down
    skynet.timeout(DOWN_AFTER_CS, function()
      cluster.reload { db = false, db3 = "10.0.0.1:2529" }
      is_down = not pcall(cluster.call, "db", "@sdb", "GET", "a")
      skynet.wakeup(me)
    end)
    cluster.reload { __nowaiting = false }
    local before = skynet.now()
    local answer = cluster.snax("db3", "pingserver").req.ping "hello"
    local waited = skynet.now() - before
    if is_down == nil then
      skynet.wait(me)
    end
    return answer, waited, is_down, cluster.call("db2", "@sdb", "GET", "a")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".cluster2"
  end)
end

sim.scenario "cluster1 and cluster2 work together" {
  kind = "guarantee",
  source = "walk through the cluster framework: cluster1, cluster2",
  nodes = {
    one = { start = "cluster1", ip = "10.0.0.1", config = { snax = "./service/?.lua" } },
    two = {
      start = "cluster2", ip = "10.0.0.2",
      config = { snax = "./service/?.lua", cluster = "/etc/clustername.lua" },
      files = {
        ["/etc/clustername.lua"] = '__nowaiting = true\ndb = "10.0.0.1:2528"\ndb2 = "10.0.0.1:2529"\n',
      },
    },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { cluster1 = cluster1, cluster2 = cluster2 },

  story = function(world)
    local is_same, other = world:call("two", ".cluster2", "large")
    sim.guarantee("a value of 100 KiB comes back under its key of 128 KiB", is_same)
    sim.guarantee("the whole key counts", other == nil)

    local a, b = world:call("two", ".cluster2", "both_channels")
    sim.guarantee("both channels lead to the same service", sim.equal({ "foobar", "foobar2" }, { a, b }))
    sim.liveness("both pushes arrive", function() return #world:probes "ping" == 2 end, "10s")
    local pings = world:probes "ping"
    sim.guarantee("the small one from the proxy", sim.equal({ 5, "proxy" }, { pings[1][1], pings[1][2] }))
    sim.guarantee("the large one in one piece",
      sim.equal({ LARGE_VALUE_BYTES + 14, "db2:longstring" }, { pings[2][1], pings[2][2] }))

    local answer, waited, is_down, still = world:call("two", ".cluster2", "reload")
    sim.guarantee("the snax service answers", sim.equal("hello", answer))
    sim.guarantee("it is waited for until the reload names its node", waited >= DOWN_AFTER_CS - 1, "%d cs", waited)
    sim.guarantee("a call to a node that is down raises", is_down)
    sim.guarantee("the other channel goes on", sim.equal("foobar", still))
  end,
}
