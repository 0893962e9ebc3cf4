-- Claim:  cluster.register gives a service, or who calls it, a name that other nodes use as "@name" in call, send and
--         proxy, and look up with cluster.query; a name that nobody has raises, also after unregister; a taken name
--         raises; a service has one name, the last; queries of many tasks at once all get the address.
-- Kind:   guarantee.
-- Source: skynet wiki, Cluster: remote name service; distributed services: registration and discovery of services (both
--         editions); walk through the cluster framework: command.register.

local sim = require "sim"

local QUERIES = 10

local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.register(...)
    return (pcall(cluster.register, ...))
  end

  function command.unregister(name)
    return (pcall(cluster.unregister, name))
  end

  function command.database()
    return skynet.localname ".database"
  end

  function command.self()
    return skynet.self()
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    local database = skynet.uniqueservice "simpledb"
    skynet.name(".database", database)
    skynet.register ".server"
    cluster.register("database", database)
    cluster.register "server"  -- without an address: who calls
    cluster.open "db"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.query(name)
    local ok, handle = pcall(cluster.query, "db", name)
    return ok and handle
  end

  function command.queries(name)
    local me, ended, handles = coroutine.running(), 0, {}
    for i = 1, QUERIES do
      skynet.fork(function()
        handles[i] = cluster.query("db", name)
        ended = ended + 1
        if ended == QUERIES then
          skynet.wakeup(me)
        end
      end)
    end
    skynet.wait(me)
    return handles
  end

  -- By call, by proxy, by send.
  function command.use(name)
    cluster.call("db", name, "SET", "a", 1)
    skynet.call(cluster.proxy("db", name), "lua", "SET", "b", 2)
    cluster.send("db", name, "SET", "c", 3)
    return { cluster.call("db", name, "GET", "a"), cluster.call("db", name, "GET", "b"),
      cluster.call("db", name, "GET", "c") }
  end

  function command.fails(name)
    return not pcall(cluster.call, "db", name, "GET", "a")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".client"
  end)
end

sim.scenario "names of the cluster are registered, found and forgotten" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: remote name service",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:2528" },
    two = { start = "client", cluster = "10.0.0.2:2528" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { server = server, client = client },

  story = function(world)
    local function client(...) return world:call("two", ".client", ...) end
    local function server(...) return world:call("db", ".server", ...) end
    local database, self = server "database", server "self"

    local handles = client("queries", "database")
    sim.guarantee("every query of many gets the address", #handles == QUERIES)
    for _, handle in ipairs(handles) do
      sim.guarantee("query gives the address", sim.equal(database, handle))
    end
    sim.guarantee("without an address the caller is registered", sim.equal(self, client("query", "server")))
    sim.guarantee("@name works in call, proxy and send", sim.equal({ 1, 2, 3 }, client("use", "@database")))
    sim.guarantee("a query for a name that nobody has raises", client("query", "nobody") == false)
    sim.guarantee("a call to a name that nobody has raises", client("fails", "@nobody"))

    sim.guarantee("a taken name raises", server("register", "database", self) == false)
    sim.guarantee("a second name replaces the first", server("register", "store", database))
    sim.guarantee("the new one is found", sim.equal(database, client("query", "store")))
    sim.guarantee("the old one is not", client("query", "database") == false)

    sim.guarantee("a name can be given up", server("unregister", "store"))
    sim.guarantee("then it is not found any more", client("query", "store") == false)
    sim.guarantee("giving up a name that nobody has is no error", server("unregister", "store"))
    sim.guarantee("another service may have it then", server("register", "store", self))
    sim.guarantee("and is found", sim.equal(self, client("query", "store")))
  end,
}
