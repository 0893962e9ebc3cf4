-- Claim:  a store with a copy on another node behaves as if there were one of it, also when it crashes: its history is
--         linearizable.
-- Kind:   guarantee.
--
-- Two clients set and read prices, each on a node of its own, and record what they asked and what they were told. A call
-- that failed may have been carried out or not. The careful client reads from the store; `--set naive=true` reads from
-- the copy, which hears of a price a little later.

local sim = require "sim"
local models = require "sim.models"

local naive = sim.setting("naive", false)

local prices = sim.history "prices"

local ROUNDS = 12
local ITEMS = { "sword", "bow" }

local function store()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local book = "prices.txt"
  local price = {}
  local command = {}

  local function read_book()
    local file = io.open(book)
    for line in file and file:lines() or function() end do
      local item, value = string.match(line, "^(%S+) (%d+)$")
      price[item] = math.tointeger(value)
    end
    if file then
      file:close()
    end
  end

  function command.set(item, value)
    local file <close> = assert(io.open(book, "a"))
    assert(file:write(item, " ", value, "\n"))
    price[item] = value
    cluster.send("copy", ".copy", "set", item, value)
  end

  function command.get(item)
    return price[item]
  end

  skynet.start(function()
    read_book()
    skynet.dispatch("lua", function(_, _, verb, ...)
      skynet.retpack(command[verb](...))
    end)
    skynet.register ".store"
    cluster.open "store"
  end)
end

local function copy()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local price = {}

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, verb, item, value)
      if verb == "set" then
        price[item] = value
      else
        skynet.retpack(price[item])
      end
    end)
    skynet.register ".copy"
    cluster.open "copy"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local name = skynet.getenv "client"
  local command = {}

  function command.set(item, value)
    return prices:call(name, "set", { item, value }, function()
      return cluster.call("store", ".store", "set", item, value)
    end)
  end

  function command.get(item)
    return prices:call(name, "get", { item }, function()
      if naive then
        return cluster.call("copy", ".copy", "get", item)
      end
      return cluster.call("store", ".store", "get", item)
    end)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, verb, ...)
      skynet.retpack((pcall(command[verb], ...)))  -- whether it was answered
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a store with a copy behaves as if there were one of it" {
  kind = "guarantee",
  nodes = {
    store = { start = "store", cluster = "10.0.0.1:7001" },
    copy = { start = "copy", cluster = "10.0.0.2:7001" },
    north = { start = "client", cluster = "10.0.0.3:7001", config = { client = "north" } },
    south = { start = "client", cluster = "10.0.0.4:7001", config = { client = "south" } },
  },
  network = { delay = sim.uniform("1ms", "10ms") },
  services = { store = store, copy = copy, client = client },

  story = function(world)
    local function trade(node)
      return function()
        for round = 1, ROUNDS do
          local item = ITEMS[world:choose(#ITEMS)]
          local is_answered
          if world:choose(2) == 1 then
            is_answered = world:call(node, ".client", "set", item, round + (node == "north" and 100 or 200))
          else
            is_answered = world:call(node, ".client", "get", item)
          end
          if not is_answered then
            world:sleep "5ms"
          end
        end
      end
    end
    world:together(trade "north", trade "south", function()
      world:sleep(("%dms"):format(10 + world:choose(100)))
      world:restart "store"
    end)
    prices:check(models.map)
  end,
}
