-- Claim:  what was paid for is granted, once, also when the bag's node crashes or the connection to it breaks.
-- Kind:   guarantee, and liveness.
--
-- The shop takes the money and has the bag on another node grant the item. A call that failed may have been carried out,
-- so it is made again; the bag must know the order by then. It writes each order down before it answers, and reads its
-- book when it starts. `--set naive=true` is the bag that grants whatever it is asked for.

local sim = require "sim"
local game = require "sim.game"

local naive = sim.setting("naive", false)

local ORDERS = 8

local function shop()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  -- Until the bag has said yes: before, nobody knows.
  local function grant(player, order)
    while not pcall(cluster.call, "bag", ".bag", player, order) do
      skynet.sleep(5)
    end
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, player, order)
      grant(player, order)
      skynet.retpack(true)
    end)
    skynet.register ".shop"
  end)
end

local function bag()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local book = "orders.txt"
  local granted = {}

  local function read_book()
    local file = io.open(book)
    for line in file and file:lines() or function() end do
      granted[line] = true
    end
    if file then
      file:close()
    end
  end

  local function write_down(entry)
    local file <close> = assert(io.open(book, "a"))
    assert(file:write(entry, "\n"))
  end

  local function grant(player, order)
    local entry = player .. " " .. order
    if granted[entry] and not naive then
      return
    end
    granted[entry] = true
    write_down(entry)  -- what a real bag does here in one transaction: the item, and the order that it is for
    sim.probe("granted", player, order)
  end

  skynet.start(function()
    read_book()
    skynet.dispatch("lua", function(_, _, player, order)
      grant(player, order)
      skynet.retpack(true)
    end)
    skynet.register ".bag"
    cluster.open "bag"
  end)
end

sim.scenario "what was paid for is granted once" {
  kind = "guarantee",
  nodes = {
    shop = { start = "shop", cluster = "10.0.0.1:7001" },
    bag = { start = "bag", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("1ms", "20ms") },
  services = { shop = shop, bag = bag },

  story = function(world)
    local grants = game.granted_once(world)
    local function buy()
      for order = 1, ORDERS do
        world:call("shop", ".shop", "ann", order)
      end
    end
    local function break_down()
      for _ = 1, 3 do
        world:sleep(("%dms"):format(10 + world:choose(60)))
        if world:choose(2) == 1 then
          world:restart "bag"
        else
          world:reset("shop", "bag")
        end
      end
    end
    world:together(buy, break_down)
    sim.liveness("all that was paid for is granted", function() return grants.count >= ORDERS end, "5s")
  end,
}
