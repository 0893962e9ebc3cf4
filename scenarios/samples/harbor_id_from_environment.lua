-- Claim:  a config file takes the harbor id from the environment; a process that ends takes its id with it, so whoever
--         starts the next one gives it an id that was never used, and the network has its services again.
-- Kind:   guarantee.
-- Source: skynet wiki, Cluster: master/slave mode (an id that a script obtains and puts into the environment).

local sim = require "sim"

local function main()
  local skynet = require "skynet"
  require "skynet.manager"
  local harbor = require "skynet.harbor"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      if name == "connect" then
        for id = 1, 9 do
          skynet.fork(function()
            harbor.connect(id)
            sim.probe("connected", id)
          end)
        end
        skynet.retpack()
      else
        skynet.retpack(tonumber(skynet.getenv "harbor"), skynet.self() >> 24)
      end
    end)
    skynet.register ".main"
  end)
end

sim.scenario "a harbor id comes from the environment" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: master/slave mode",
  nodes = {
    master = { start = "main", ip = "10.0.0.1", harbor = 1, standalone = true },
    slave = { config = "game/harbor_config.lua", ip = "10.0.0.2",
      env = { HARBOR_ID = "7", ADDRESS = "10.0.0.2:2526" } },
  },
  network = { delay = sim.uniform("100us", "5ms") },
  services = { main = main },

  story = function(world)
    local function is_connected(id)
      return function()
        for _, probe in ipairs(world:probes "connected") do
          if probe[1] == id then
            return true
          end
        end
      end
    end
    local function ids()
      return { world:call("slave", ".main", "id") }
    end

    world:call("master", ".main", "connect")
    sim.liveness("the master's node is connected to 7", is_connected(7), "5s")
    sim.guarantee("the slave has the id of its environment", sim.equal({ 7, 7 }, ids()))
    world:crash "slave"
    world:start("slave", { env = { HARBOR_ID = "8", ADDRESS = "10.0.0.2:2526" } })
    sim.guarantee("its successor has another", sim.equal({ 8, 8 }, ids()))
    sim.liveness("the master's node is connected to 8", is_connected(8), "5s")
  end,
}
