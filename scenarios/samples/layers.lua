-- Claim:  nodes that call in one direction - game, battle, db - answer each other; where battle calls game back while
--         game handles one request after the other, both wait for ever; without that queue the same circle returns.
-- Kind:   guarantee.
-- Source: distributed services: good practice, 1 (nodes by function, no circles; both editions).

local sim = require "sim"

local PATIENCE = "2s"

local function database()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, player)
      skynet.retpack("strength of " .. player)
    end)
    cluster.register "database"
    cluster.open "db"
  end)
end

local function battle()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    -- The data of a player: from db, or from the game that asks.
    skynet.dispatch("lua", function(_, _, source, player)
      sim.probe("fight", source)
      if source == "db" then
        skynet.retpack("fight with " .. cluster.call("db", "@database", player))
      else
        skynet.retpack("fight with " .. cluster.call("game", "@game", "strength", player))
      end
    end)
    cluster.register "battle"
    cluster.open "battle"
  end)
end

local function game()
  local skynet = require "skynet"
  require "skynet.manager"
  local queue = require "skynet.queue"
  local cluster = require "skynet.cluster"
  local one_by_one = queue()
  local command = {}

  function command.fight(source, player)
    return cluster.call("battle", "@battle", source, player)
  end

  function command.strength(player)
    return "strength of " .. player
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      if skynet.getenv "queued" == "true" then
        skynet.retpack(one_by_one(command[name], ...))
      else
        skynet.retpack(command[name](...))
      end
    end)
    skynet.register ".game"
    cluster.register "game"
    cluster.open "game"
  end)
end

sim.scenario "calls go one way through the layers" {
  kind = "guarantee",
  source = "distributed services: good practice",
  nodes = {
    game = { start = "game", cluster = "192.168.1.10:7001", config = { queued = true } },
    battle = { start = "battle", cluster = "192.168.1.20:8001" },
    db = { start = "database", cluster = "192.168.1.30:9001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { battle = battle, database = database, game = game },

  story = function(world)
    local function fight(source) return world:call("game", ".game", "fight", source, "ann") end
    sim.guarantee("from game through battle to db and back", sim.equal("fight with strength of ann", fight "db"))

    local has_ended = false
    world:spawn(function()
      pcall(fight, "game")
      has_ended = true
    end)
    world:wait_until(function() return #world:probes "fight" == 2 end)
    sim.guarantee("a circle with a queue in it never returns",
      not world:wait_until(function() return has_ended end, PATIENCE))

    world:restart("game", { config = { queued = false } })
    local ok, answer = pcall(fight, "game")
    if not ok then  -- battle met the end of the connection that it had to the former game
      answer = fight "game"
    end
    sim.guarantee("the same circle without a queue returns", sim.equal("fight with strength of ann", answer))
  end,
}
