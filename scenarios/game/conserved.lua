-- Claim:  gold that moves between accounts on two nodes is neither made nor lost, however often the connection breaks.
-- Kind:   guarantee.
--
-- Each bank keeps accounts. A transfer takes the gold from its own account and has the other bank add it. If that call
-- fails, the gold is on its way and nobody knows whether it has come: the call is made again until there is an answer,
-- under the same number, which the other bank carries out once. `--set naive=true` is the bank that takes a failed call for
-- one that was not carried out, and puts the gold back.

local sim = require "sim"
local game = require "sim.game"

local naive = sim.setting("naive", false)

local START = 100
local TRANSFERS = 6

local function bank()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local name, other = skynet.getenv "bank", skynet.getenv "other"
  local balance = 0
  local sent = 0
  local received = {}  -- number of a transfer -> true
  local command = {}

  local function change(amount)
    balance = balance + amount
    sim.probe("balance", name, balance)
  end

  local function deliver(number, amount)
    return pcall(cluster.call, other, ".bank", "receive", number, amount)
  end

  function command.transfer(amount)
    sent = sent + 1
    local number = sent
    change(-amount)
    if naive then
      if not deliver(number, amount) then
        change(amount)
      end
      return
    end
    while not deliver(number, amount) do
      skynet.sleep(5)
    end
  end

  function command.receive(number, amount)
    if not received[number] then
      received[number] = true
      change(amount)
    end
  end

  skynet.start(function()
    change(START)
    skynet.dispatch("lua", function(_, _, verb, ...)
      skynet.retpack(command[verb](...))
    end)
    skynet.register ".bank"
    cluster.open(name)
  end)
end

sim.scenario "gold is neither made nor lost between two banks" {
  kind = "guarantee",
  nodes = {
    north = { start = "bank", cluster = "10.0.0.1:7001", config = { bank = "north", other = "south" } },
    south = { start = "bank", cluster = "10.0.0.2:7001", config = { bank = "south", other = "north" } },
  },
  network = { delay = sim.uniform("1ms", "20ms") },
  services = { bank = bank },

  story = function(world)
    local gold = game.conserved(world, { total = 2 * START })
    local function transfers(from)
      return function()
        for i = 1, TRANSFERS do
          world:call(from, ".bank", "transfer", i)
        end
      end
    end
    local function break_connections()
      for _ = 1, 4 do
        world:sleep(("%dms"):format(10 + world:choose(60)))
        world:reset("north", "south")
        world:reset("south", "north")
      end
    end
    local function part_them()
      world:sleep(("%dms"):format(world:choose(200)))
      world:partition { { "north" }, { "south" } }
      world:sleep "300ms"
      world:heal()
    end
    world:together(transfers "north", transfers "south", break_connections, part_them)
    gold:settled()
  end,
}
