-- Claim:  cluster.open takes a name of the table, or a port: 0 means any, and it returns the real one, which others
--         reach once their table has it; a name that is unknown or down cannot be opened, nor a port that is taken; of
--         the nodes that come, maxclient - 1 are let in.
-- Kind:   guarantee.
-- Source: walk through the cluster framework: cluster.open; distributed services: listening (both editions).

local sim = require "sim"

local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      if name == "open" then
        skynet.retpack(pcall(cluster.open, ...))
      else
        skynet.retpack(name)
      end
    end)
    skynet.register ".server"
    cluster.register "server"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, address)
      cluster.reload { db = address }
      local ok, answer = pcall(cluster.call, "db", "@server", "here")
      skynet.retpack(ok and answer)
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a node listens by name or by port" {
  kind = "guarantee",
  source = "walk through the cluster framework: cluster.open",
  nodes = {
    db = { start = "server", ip = "10.0.0.1", config = { cluster = "/etc/cluster.lua" },
      files = { ["/etc/cluster.lua"] = 'db = "10.0.0.1:2528"\nclosed = false\n' } },
    a = { start = "client", ip = "10.0.0.2" },
    b = { start = "client", ip = "10.0.0.3" },
    c = { start = "client", ip = "10.0.0.4" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { client = client, server = server },

  story = function(world)
    local function open(...) return world:call("db", ".server", "open", ...) end
    local function call(node, address) return world:call(node, ".client", address) end

    sim.guarantee("a name that is down cannot be opened", open "closed" == false)
    sim.guarantee("nor one that is unknown", open "nobody" == false)
    local ok, name, port = open "db"
    sim.guarantee("a name is opened at its address", ok and name == "db" and port == nil, "%s %s", name, port)
    sim.guarantee("others reach it there", sim.equal("here", call("a", "10.0.0.1:2528")))
    sim.guarantee("a port that is taken cannot be opened", open(2528) == false)

    local is_open, ip, any_port = open(0)
    sim.guarantee("port 0 is any port, on all addresses",
      is_open and ip == "0.0.0.0" and any_port > 0, "%s %s", ip, any_port)
    sim.guarantee("others reach it there, too", sim.equal("here", call("a", "10.0.0.1:" .. any_port)))

    local _, _, small_port = open(0, 3)
    local let_in = 0
    for _, node in ipairs(world:shuffle { "a", "b", "c" }) do
      let_in = let_in + (call(node, "10.0.0.1:" .. small_port) and 1 or 0)
    end
    sim.guarantee("with maxclient 3 two are let in", sim.equal(2, let_in))
  end,
}
