-- Claim:  all services of a node reach another node through one sender and one connection, however many of them begin
--         at the same moment, and although the connection takes its time.
-- Kind:   guarantee.
-- Source: distributed services: pool of connections, connection management (both editions); walk through the cluster
--         framework: open_channel.

local sim = require "sim"

local SERVICES = 6
local CALLS = 5

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, i)
      skynet.retpack(i + 1)
    end)
    cluster.register "server"
    cluster.open "db"
  end)
end

local function worker()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function()
      local sum = 0
      for _ = 1, CALLS do
        sum = cluster.call("db", "@server", sum)
      end
      skynet.retpack(sum, cluster.get_sender "db")
    end)
  end)
end

local function main()
  local skynet = require "skynet"
  require "skynet.manager"

  skynet.start(function()
    local workers = {}
    for i = 1, SERVICES do
      workers[i] = skynet.newservice "worker"
    end
    skynet.dispatch("lua", function()
      local requests = skynet.request()
      for _, handle in ipairs(workers) do
        requests:add { handle, "lua" }
      end
      local sums, senders = {}, {}
      for _, reply in requests:select() do
        sums[#sums + 1], senders[#senders + 1] = reply[1], reply[2]
      end
      skynet.retpack(sums, senders, skynet.call(skynet.queryservice "clusterd", "lua", "senders"))
    end)
    skynet.register ".main"
  end)
end

sim.scenario "all services of a node share one connection to another" {
  kind = "guarantee",
  source = "distributed services: pool of connections",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:9001" },
    game = { start = "main", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { main = main, server = server, worker = worker },

  story = function(world)
    world:delay_connects("game", "db", "100ms", 1)
    local sums, senders, known = world:call("game", ".main")
    for i = 1, SERVICES do
      sim.guarantee("every call is answered", sim.equal(CALLS, sums[i]))
      sim.guarantee("all use the sender that clusterd knows", sim.equal(known.db, senders[i]))
    end
    sim.guarantee("there is one connection", sim.equal(1, world:accepted("game", "db")))
  end,
}
