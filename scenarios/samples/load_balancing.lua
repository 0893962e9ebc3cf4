-- Claim:  requests dealt out in turn reach three nodes equally often; when one of them is down its
--         requests go on to the next, so that each is served, once; when it is back it takes its share again.
-- Kind:   guarantee.
-- Source: distributed services: good practice, 3 (both editions).

local sim = require "sim"

local ROUNDS = 4

local function battle()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, id)
      assert(name == "create_room", name)
      sim.probe("room", id)
      skynet.retpack(skynet.getenv "me")
    end)
    skynet.register ".battle_mgr"
    cluster.open(skynet.getenv "me")
  end)
end

local function game()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local nodes = { "battle1", "battle2", "battle3" }
  local turn = 0

  local function next_node()
    turn = turn % #nodes + 1
    return nodes[turn]
  end

  -- A call that cannot connect has done nothing, so the next node may be asked.
  local function create_room(id)
    for _ = 1, #nodes do
      local ok, node = pcall(cluster.call, next_node(), ".battle_mgr", "create_room", id)
      if ok then
        return node
      end
    end
    error "no node is left"
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, id)
      skynet.retpack(create_room(id))
    end)
    skynet.register ".game"
  end)
end

sim.scenario "requests are dealt out to three nodes in turn" {
  kind = "guarantee",
  source = "distributed services: good practice",
  nodes = {
    game = { start = "game", cluster = "192.168.1.10:7001" },
    battle1 = { start = "battle", cluster = "192.168.1.20:8001", config = { me = "battle1" } },
    battle2 = { start = "battle", cluster = "192.168.1.21:8002", config = { me = "battle2" } },
    battle3 = { start = "battle", cluster = "192.168.1.22:8003", config = { me = "battle3" } },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { battle = battle, game = game },

  story = function(world)
    local id = 0
    local function rooms_of(count)
      local rooms = { battle1 = 0, battle2 = 0, battle3 = 0 }
      for _ = 1, count do
        id = id + 1
        local node = world:call("game", ".game", id)
        rooms[node] = rooms[node] + 1
      end
      return rooms
    end
    local equal_shares = { battle1 = ROUNDS, battle2 = ROUNDS, battle3 = ROUNDS }

    sim.guarantee("each node takes its share", sim.equal(equal_shares, rooms_of(3 * ROUNDS)))
    world:crash "battle2"
    -- Of three turns one goes to nobody: the other two alternate.
    sim.guarantee("the others share the turns of one that is down",
      sim.equal({ battle1 = 3 * ROUNDS // 2, battle2 = 0, battle3 = 3 * ROUNDS // 2 }, rooms_of(3 * ROUNDS)))
    world:start "battle2"
    sim.guarantee("one that is back takes its share again", sim.equal(equal_shares, rooms_of(3 * ROUNDS)))

    local served = {}
    for _, probe in ipairs(world:probes "room") do
      served[probe[1]] = (served[probe[1]] or 0) + 1
    end
    for i = 1, id do
      sim.guarantee("each request is served once", served[i] == 1, "request %d: %s times", i, served[i])
    end
  end,
}
