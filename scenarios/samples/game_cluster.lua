-- Claim:  nodes that start from one config file and one table of addresses find each other, in whatever order they
--         start: the game registers its database, asks battle1 for a room, and each game calls the other's database; a
--         node that the table switches off cannot be called, nor one that was not started.
-- Kind:   guarantee; allowed: battle1 is not there yet when the game first asks for a proxy.
-- Source: distributed services: example of a cluster configuration - cluster_config, node_config, main (both editions).
--
-- As printed, main makes its proxy at once: if battle1 is not there yet, cluster.proxy raises and the node's start has
-- failed. So here it tries again. `nodename` is an entry of one's own, read with skynet.getenv; cluster itself names a
-- node by its host and process.

local sim = require "sim"

local RETRY_CS = 10

local function main()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  local function proxy_of(node, name)
    while true do
      local ok, proxy = pcall(cluster.proxy, node, name)
      sim.probe("proxy", ok)
      if ok then
        return proxy
      end
      skynet.sleep(RETRY_CS)
    end
  end

  skynet.start(function()
    cluster.reload()
    cluster.open(skynet.getenv "nodename")
    local database = skynet.uniqueservice "simpledb"
    cluster.register("database", database)
    skynet.fork(function()
      local battle = proxy_of("battle1", ".battle_mgr")
      sim.probe("room", skynet.call(battle, "lua", "create_room"))
    end)
    skynet.dispatch("lua", function(_, _, node)
      skynet.retpack((pcall(cluster.call, node, "@database", "GET", "a")))
    end)
    skynet.register ".main"
  end)
end

local function battle()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local rooms = 0

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      assert(name == "create_room", name)
      rooms = rooms + 1
      skynet.retpack(skynet.getenv "nodename" .. "/" .. rooms)
    end)
    skynet.register ".battle_mgr"
    if math.random(2) == 1 then  -- a slow start, every other time
      skynet.sleep(20)
    end
    cluster.open(skynet.getenv "nodename")
    sim.probe("config", skynet.getenv "cluster", skynet.getenv "harbor", skynet.getenv "nodename")
  end)
end

sim.scenario "nodes of a game start from one config file" {
  kind = "guarantee",
  source = "distributed services: example of a cluster configuration",
  nodes = {
    battle1 = { config = "game/node_config.lua", env = { NODENAME = "battle1", START = "battle" },
      ip = "192.168.1.20" },
    game1 = { config = "game/node_config.lua", env = { NODENAME = "game1", START = "main" }, ip = "192.168.1.10" },
    game2 = { config = "game/node_config.lua", env = { NODENAME = "game2", START = "main" }, ip = "192.168.1.11" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { battle = battle, main = main },

  story = function(world)
    sim.liveness("both games get a room", function() return #world:probes "room" == 2 end, "10s")
    local rooms = {}
    for i, probe in ipairs(world:probes "room") do
      rooms[i] = probe[1]
    end
    table.sort(rooms)
    sim.guarantee("rooms of their own", sim.equal({ "battle1/1", "battle1/2" }, rooms))
    sim.allowed("battle1 is not there yet", #world:probes "proxy" > 2)
    local config = world:probes "config"[1]
    sim.guarantee("entries come from the config file",
      sim.equal({ "./game/cluster_config.lua", "0", "battle1" }, { config[1], config[2], config[3] }))

    sim.guarantee("the games reach each other's database", world:call("game1", ".main", "game2"))
    sim.guarantee("a node that is switched off cannot be called", world:call("game1", ".main", "maintenance") == false)
    sim.guarantee("nor one that nobody has started", world:call("game1", ".main", "db") == false)
  end,
}
