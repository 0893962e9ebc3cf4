-- Claim:  two shops that each read a stock, take one and write it back never lose a sale. This is wrong.
-- Kind:   guarantee, broken on purpose on about one seed in a hundred.
-- Source: the canary of every simulator: if a sweep does not find this, the sweep is broken.
--
-- Each shop sells once, somewhere within 1.6 s, and its read and write are about 8 ms apart. Both shops meet
-- within those 8 ms in about 2 x 8 / 1600 = 1 run of 100, and then the later write hides the earlier.

local sim = require "sim"

local DAY_MS = 1600

local function shop()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function()
      local left = cluster.call("depot", ".stock", "read")
      cluster.call("depot", ".stock", "write", left - 1)
      skynet.retpack(true)
    end)
    skynet.register ".shop"
  end)
end

local function stock()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local left = 10

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, value)
      if name == "write" then
        left = value
      end
      skynet.retpack(left)
    end)
    skynet.register ".stock"
    cluster.open "depot"
  end)
end

sim.scenario "two shops never lose a sale (wrong on purpose)" {
  kind = "guarantee",
  source = "lost update",
  nodes = {
    depot = { start = "stock", cluster = "10.0.0.1:7001" },
    east = { start = "shop", cluster = "10.0.0.2:7001" },
    west = { start = "shop", cluster = "10.0.0.3:7001" },
  },
  network = { delay = sim.uniform("3ms", "5ms") },
  services = { shop = shop, stock = stock },

  story = function(world)
    local function sell(node)
      return function()
        world:sleep(world:choose(DAY_MS) .. "ms")
        world:call(node, ".shop", "sell")
      end
    end
    world:together(sell "east", sell "west")

    sim.guarantee("both sales are counted", sim.equal(8, world:call("depot", ".stock", "read")))
  end,
}
