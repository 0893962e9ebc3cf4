-- Claim:  a gate admits as many clients at a time after a hundred came and went as before.
-- Kind:   guarantee.
-- Source: skynet issues 642 and 1704 (2017-23): a client that the gate had kicked or refused kept its slot, because the
--         end of its connection was not counted; in the end the gate refused everybody. Put back by
--         `--legacy kick-keeps-slot`.
--
-- Clients come one by one: the watchdog kicks some at once, the network resets some, and some leave by themselves.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local SLOTS = 5
local CROWD = 8        -- more than there are slots
local CYCLES = 50      -- of each kind, on `scripted`
local RANDOM_CYCLES = 20

local function watchdog()
  local skynet = require "skynet"
  require "skynet.manager"
  local gate
  local admitted = 0
  local kicks = false
  local on_socket, command = {}, {}

  function on_socket.open(fd)
    admitted = admitted + 1
    if kicks then
      skynet.call(gate, "lua", "kick", fd)
    else
      skynet.call(gate, "lua", "accept", fd)
    end
  end

  function on_socket.close(fd)
    skynet.call(gate, "lua", "kick", fd)  -- our half
  end

  on_socket.error = on_socket.close

  function command.kick_from_now(on)
    kicks = on
  end

  -- How many were admitted since the last time.
  function command.count()
    local count = admitted
    admitted = 0
    return count
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, event, fd)
      if name == "socket" then
        on_socket[event](fd)
      else
        skynet.retpack(command[name](event))
      end
    end)
    gate = skynet.newservice "gate"
    skynet.call(gate, "lua", "open", { port = 8000, maxclient = SLOTS })
    skynet.register ".watchdog"
  end)
end

local function clients()
  local skynet = require "skynet"
  require "skynet.manager"
  local socket = require "skynet.socket"
  local open = {}
  local command = {}

  function command.come(count)
    for _ = 1, count do
      open[#open + 1] = assert(socket.open("10.0.0.2", 8000))
    end
  end

  function command.leave()
    for _, id in ipairs(open) do
      socket.close(id)
    end
    open = {}
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, count)
      skynet.retpack(command[name](count))
    end)
    skynet.register ".clients"
  end)
end

local function wait_for_calm(world)
  world:sleep "20ms"  -- ten times the way there and back
end

local function count_admitted(world)
  world:call("b", ".watchdog", "count")
  world:call("a", ".clients", "come", CROWD)
  wait_for_calm(world)
  local count = world:call("b", ".watchdog", "count")
  world:call("a", ".clients", "leave")
  wait_for_calm(world)
  return count
end

local cycle = {}

function cycle.kick(world)
  world:call("b", ".watchdog", "kick_from_now", true)
  world:call("a", ".clients", "come", 1)
  wait_for_calm(world)
  world:call("b", ".watchdog", "kick_from_now", false)
  world:call("a", ".clients", "leave")
  wait_for_calm(world)
end

function cycle.reset(world)
  world:call("a", ".clients", "come", 1)
  world:reset("a", "b")
  world:call("a", ".clients", "leave")
  wait_for_calm(world)
end

function cycle.leave(world)
  world:call("a", ".clients", "come", world:choose(3))
  world:call("a", ".clients", "leave")
  wait_for_calm(world)
end

sim.scenario "a gate has as many slots after a hundred clients as before" {
  kind = "guarantee",
  source = "skynet issues 642, 1704",
  legacy = "kick-keeps-slot",
  nodes = {
    a = { start = "clients", ip = "10.0.0.1" },
    b = { start = "watchdog", ip = "10.0.0.2" },
  },
  network = { delay = sim.uniform("100us", "1ms") },
  services = { clients = clients, watchdog = watchdog },

  story = function(world)
    local before = count_admitted(world)
    for i = 1, IS_SCRIPTED and 2 * CYCLES or RANDOM_CYCLES do
      local kind = IS_SCRIPTED and (i <= CYCLES and "kick" or "reset")
        or world:shuffle { "leave", "kick", "reset" }[1]
      cycle[kind](world)
    end
    sim.guarantee("the gate admits as many as before", sim.equal(before, count_admitted(world)))
  end,
}
