-- Claim:  a proxy stands for a service of another node: it is called and sent to like a service at home, also under a
--         local name that it is given; each node and service has one proxy, however often and from however many
--         services it is asked for; "node.service" and "node@name" name both at once.
-- Kind:   guarantee.
-- Source: distributed services: API of remote calls, use of proxies, cache of proxies (both editions).
--
-- The first edition makes a proxy with "node2@.database". That asks node2 for the registered name ".database", which
-- is not the local name .database: calls raise. The second edition writes ("node2", ".database"), which works.

local sim = require "sim"

local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local updates = 0

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, name, text)
      if name == "update" then
        updates = updates + 1
      end
      if session > 0 then
        skynet.retpack(name == "updates" and updates or name .. " " .. tostring(text))
      end
    end)
    skynet.register ".database"
    cluster.register "database"
    cluster.open "node2"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.proxy(...)
    return cluster.proxy(...)
  end

  function command.ways()
    local database = cluster.proxy("node2", ".database")
    skynet.name(".remote_db", database)
    skynet.send(database, "lua", "update", "data")
    skynet.send(".remote_db", "lua", "update", "data")
    return {
      cluster.call("node2", ".database", "query", "sql"),
      skynet.call(database, "lua", "query", "sql"),
      skynet.call(".remote_db", "lua", "query", "sql"),
    }, skynet.call(database, "lua", "updates")
  end

  function command.call(address)
    local ok, answer = pcall(skynet.call, address, "lua", "query", "sql")
    return ok and answer or "raised"
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    if skynet.localname ".client" then
      skynet.register ".other"
    else
      skynet.register ".client"
      skynet.newservice "client"
    end
  end)
end

sim.scenario "a proxy is used like a service at home" {
  kind = "guarantee",
  source = "distributed services: use of proxies",
  nodes = {
    node1 = { start = "client", cluster = "10.0.0.1:7001" },
    node2 = { start = "server", cluster = "10.0.0.2:7002" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { client = client, server = server },

  story = function(world)
    local proxies = {}
    local function ask(index, service, ...)
      local arguments = table.pack(...)
      return function()
        proxies[index] = world:call("node1", service, "proxy", table.unpack(arguments))
      end
    end
    world:together(
      ask(1, ".client", "node2", ".database"),
      ask(2, ".client", "node2.database"),
      ask(3, ".other", "node2", ".database"),
      ask(4, ".other", "node2.database"))
    sim.guarantee("everybody gets the same proxy",
      sim.equal({ proxies[1], proxies[1], proxies[1], proxies[1] }, proxies))

    local answers, updates = world:call("node1", ".client", "ways")
    sim.guarantee("all three ways answer", sim.equal({ "query sql", "query sql", "query sql" }, answers))
    sim.guarantee("what is sent through it arrives before what is called", sim.equal(2, updates))

    local named = world:call("node1", ".client", "proxy", "node2@database")
    sim.guarantee("a proxy for a registered name is another one", named ~= proxies[1])
    sim.guarantee("it leads to the same service", sim.equal("query sql", world:call("node1", ".client", "call", named)))
    local printed = world:call("node1", ".client", "proxy", "node2@.database")
    sim.guarantee("@ before a local name finds nothing",
      sim.equal("raised", world:call("node1", ".client", "call", printed)))
  end,
}
