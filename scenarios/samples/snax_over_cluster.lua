-- Claim:  cluster.snax makes an object for a snax service of another node: by its type, by type and handle, and by type
--         and "@name"; req and post work through it; a service that has not called snax.enablecluster takes nothing
--         from the cluster, but works at home.
-- Kind:   guarantee.
-- Source: skynet wiki, Cluster: cluster and snax services.

local sim = require "sim"

local POSTS = 5

local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local snax = require "skynet.snax"

  skynet.start(function()
    snax.uniqueservice "pingserver"
    local second, closed = snax.newservice "pingserver", snax.newservice("pingserver", "closed")
    cluster.register("second", second.handle)
    cluster.register("closed", closed.handle)
    skynet.dispatch("lua", function()
      skynet.retpack(second.handle, closed.req.ping "at home")
    end)
    skynet.register ".server"
    cluster.open "db"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, text, address)
      local object = cluster.snax("db", "pingserver", address)
      local ok, answer, place = pcall(object.req.ping, text)
      if not ok then
        return skynet.retpack(false)
      end
      local before = object.req.posted()
      for n = 1, POSTS do
        object.post.post(n)
      end
      skynet.retpack(answer, place, object.req.posted() - before)
    end)
    skynet.register ".client"
  end)
end

sim.scenario "snax services are used over a cluster" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: cluster and snax services",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:2528", config = { snax = "./service/?.lua", place = "db" } },
    two = { start = "client", cluster = "10.0.0.2:2528", config = { snax = "./service/?.lua", place = "two" } },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { server = server, client = client },

  story = function(world)
    local function client(...) return { world:call("two", ".client", ...) } end
    local handle, at_home = world:call("db", ".server")
    sim.guarantee("by its type", sim.equal({ "one", "db", 15 }, client "one"))
    sim.guarantee("by its handle", sim.equal({ "two", "db", 15 }, client("two", handle)))
    sim.guarantee("by its registered name", sim.equal({ "three", "db", 15 }, client("three", "@second")))
    sim.guarantee("without enablecluster it takes nothing", sim.equal({ false }, client("four", "@closed")))
    sim.guarantee("but at home", sim.equal("at home", at_home))
  end,
}
