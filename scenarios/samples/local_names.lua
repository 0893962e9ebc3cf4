-- Claim:  a service that has a local name on its node is called from another node by that name, by its handle, and
--         through a proxy, also by a global name; a name that nobody has raises.
-- Kind:   guarantee.
-- Source: skynet wiki, Cluster: cluster mode, examples cluster1 and cluster2 with .simpledb; clustername.lua.

local sim = require "sim"

local function cluster1()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"
  require "skynet.manager"

  skynet.start(function()
    local sdb = skynet.newservice "simpledb"
    skynet.name(".simpledb", sdb)
    skynet.name("SIMPLEDB", sdb)  -- a global name, which works as well and is not recommended
    local before = skynet.call(".simpledb", "lua", "SET", "a", "foobar")
    sim.probe("at home", before == nil, skynet.call(".simpledb", "lua", "GET", "a"), sdb)
    cluster.open "db"
  end)
end

local function cluster2()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, handle)
      local proxy = cluster.proxy("db", ".simpledb")
      skynet.retpack(
        skynet.call(proxy, "lua", "GET", "a"),
        cluster.call("db", ".simpledb", "GET", "a"),
        cluster.call("db", handle, "GET", "a"),
        cluster.call("db", "SIMPLEDB", "GET", "a"),
        pcall(cluster.call, "db", ".nobody", "GET", "a"))
    end)
    skynet.register ".cluster2"
  end)
end

sim.scenario "a service of another node is called by its local name" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: cluster mode",
  nodes = {
    db = { start = "cluster1", cluster = "10.0.0.1:2528" },
    two = { start = "cluster2", cluster = "10.0.0.2:2528" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { cluster1 = cluster1, cluster2 = cluster2 },

  story = function(world)
    local home = world:probes "at home"[1]
    sim.guarantee("the service works at home", home[1] and home[2] == "foobar")
    local by_proxy, by_name, by_handle, by_global_name, is_found = world:call("two", ".cluster2", home[3])
    sim.guarantee("a proxy answers", sim.equal("foobar", by_proxy))
    sim.guarantee("a call by name answers", sim.equal("foobar", by_name))
    sim.guarantee("a call by handle answers", sim.equal("foobar", by_handle))
    sim.guarantee("a call by global name answers", sim.equal("foobar", by_global_name))
    sim.guarantee("a name that nobody has raises", is_found == false)
  end,
}
