-- Claim:  one process that is open under two names takes calls over two connections: a small call over the channel that
--         is kept free returns while a large message is still under way over the other; over the same channel it may
--         have to wait.
-- Kind:   guarantee, and reachable.
-- Source: skynet wiki, Cluster: cluster mode ("several channels for one process"); walk through the cluster framework:
--         cluster1 (db and db2).

local sim = require "sim"

local LARGE_BYTES = 4 * 1024 * 1024  -- 0.4 s at 10 MB/s, and more than the buffers of a connection take

local function asker()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    -- Sends a large push over db, and at once a call over `channel`; how long that took.
    skynet.dispatch("lua", function(_, _, channel)
      cluster.call("db", "@sdb", "GET", "a")
      cluster.call("db2", "@sdb", "GET", "a")
      cluster.send("db", "@sdb", "PING", string.rep("x", LARGE_BYTES))
      skynet.sleep(5)  -- so that it fills what stands between the two
      local before = skynet.now()
      cluster.call(channel, "@sdb", "GET", "a")
      skynet.retpack(skynet.now() - before)
    end)
    skynet.register ".asker"
  end)
end

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    cluster.register("sdb", skynet.newservice "simpledb")
    cluster.open "db"
    cluster.open "db2"
  end)
end

sim.scenario "a second channel stays free while the first one is busy" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: cluster mode",
  nodes = {
    one = { start = "server", ip = "10.0.0.1", config = { cluster = "/etc/cluster.lua" },
      files = { ["/etc/cluster.lua"] = 'db = "10.0.0.1:2528"\ndb2 = "10.0.0.1:2529"\n' } },
    two = { start = "asker", ip = "10.0.0.2", config = { cluster = "/etc/cluster.lua" },
      files = { ["/etc/cluster.lua"] = 'db = "10.0.0.1:2528"\ndb2 = "10.0.0.1:2529"\n' } },
  },
  network = { delay = "1ms", bandwidth = "10MB/s" },
  services = { asker = asker, server = server },
  reachable = { "the busy channel makes a call wait" },

  story = function(world)
    local function ask(channel)
      local pings = #world:probes "ping"
      local took_cs = world:call("two", ".asker", channel)
      local is_under_way = #world:probes "ping" == pings
      world:wait_until(function() return #world:probes "ping" == pings + 1 end)
      return took_cs, is_under_way
    end
    local free_cs, is_under_way = ask "db2"
    sim.guarantee("each channel has its connection", sim.equal(2, world:accepted("two", "one")))
    local busy_cs = ask "db"
    sim.guarantee("a call over the free channel overtakes the large message", is_under_way)
    sim.guarantee("it is quicker than over the busy one", free_cs <= busy_cs, "%d cs, %d cs", free_cs, busy_cs)
    if busy_cs > free_cs then
      sim.reachable "the busy channel makes a call wait"
    end
  end,
}
