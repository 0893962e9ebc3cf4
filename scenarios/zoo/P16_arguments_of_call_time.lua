-- Claim:  a message carries the values that its arguments had when it was sent, also if the node is not connected yet.
-- Kind:   guarantee.
-- Source: skynet issue 1420 (2021): what was sent to a new node was kept by reference and packed when the connection
--         stood; a table that was changed meanwhile arrived changed. Put back by `--legacy late-packing`.
--
-- Scripted: the connect takes 200 ms, and then the same is done once more over the warm link. Else the seed says how
-- slow the network is, when the sender changes its table, and whether the link is warm at the beginning.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local SENDS = 5

local function sender()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.warm_up()
    cluster.call("b", ".sink", "hello")
  end

  -- One table for all messages, as a service keeps its state.
  function command.round(pause_cs)
    local state = {}
    for i = 1, SENDS do
      state.value = i
      cluster.send("b", ".sink", "take", state)
      if pause_cs > 0 then
        skynet.sleep(pause_cs)
      end
    end
    state.value = "changed later"
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".sender"
  end)
end

local function sink()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, _, state)
      if session > 0 then
        skynet.retpack(true)
      else
        sim.probe("taken", state.value)
      end
    end)
    skynet.register ".sink"
    cluster.open "b"
  end)
end

local function check_round(world, rounds, pause_cs)
  world:call("a", ".sender", "round", pause_cs)
  sim.liveness("all messages arrive", function()
    return #world:probes "taken" == SENDS * rounds
  end, "10s")
  local expected, seen = {}, {}
  for i = 1, SENDS do
    expected[i] = i
    seen[i] = world:probes "taken"[SENDS * (rounds - 1) + i][1]
  end
  sim.guarantee("a message carries the values of the time of its send", sim.equal(expected, seen, "round " .. rounds))
end

sim.scenario "what a sender changes after cluster.send does not change the message" {
  kind = "guarantee",
  source = "skynet issue 1420",
  legacy = "late-packing",
  nodes = {
    a = { start = "sender", cluster = "10.0.0.1:7001" },
    b = { start = "sink", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { sender = sender, sink = sink },

  story = function(world)
    if IS_SCRIPTED then
      world:delay_connects("a", "b", "200ms", 1)
      check_round(world, 1, 0)
      check_round(world, 2, 0)
      return
    end
    if world:choose(2) == 2 then
      world:call("a", ".sender", "warm_up")
    else
      world:delay_connects("a", "b", ("%dms"):format(10 * world:choose(20)), 1)
    end
    check_round(world, 1, world:choose(4) - 1)
  end,
}
