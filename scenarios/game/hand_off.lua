-- Claim:  a player's commands are carried out in order and none is lost when he moves to a room on another node, also
--         when links are cut for a while.
-- Kind:   guarantee, and liveness.
--
-- The gate sends commands to the room where it believes the player to be. A room hands him off with the number of the
-- next command, tells the gate, and sends on what still comes for him. What is sent on and what the gate sends directly
-- travel on two ways, so the new room waits for the number that is next. `--set naive=true` is the room that carries out what
-- comes as it comes.

local sim = require "sim"
local game = require "sim.game"

local naive = sim.setting("naive", false)

local COMMANDS = 30

local function front()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local place = "east"
  local command = {}

  -- The player plays: a command now and then.
  function command.play(player)
    for number = 1, COMMANDS do
      cluster.send(place, ".room", "command", player, number)
      skynet.sleep(number % 2)
    end
  end

  function command.moved(_, room)
    place = room
  end

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, verb, ...)
      command[verb](...)
      if session > 0 then
        skynet.retpack()
      end
    end)
    skynet.register ".gate"
    cluster.open "gate"
  end)
end

local function room()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local name = skynet.getenv "room"
  local players = {}  -- who is here: the number of his next command
  local gone_to = {}  -- who was here: the room where he went
  local early = {}    -- player -> number -> true: commands that came before their time
  local command = {}

  local function carry_out(player, number)
    players[player] = number + 1
    sim.probe("command", player, number)
  end

  local function keep(player, number)
    early[player] = early[player] or {}
    early[player][number] = true
  end

  -- Carries out what is next, as far as it has come.
  local function go_on(player)
    local waiting = early[player] or {}
    while waiting[players[player]] do
      local number = players[player]
      waiting[number] = nil
      carry_out(player, number)
    end
  end

  function command.command(player, number)
    if gone_to[player] then
      cluster.send(gone_to[player], ".room", "command", player, number)
    elseif naive and players[player] then
      carry_out(player, number)
    else
      keep(player, number)
      if players[player] then
        go_on(player)
      end
    end
  end

  function command.arrive(player, next_number)
    players[player], gone_to[player] = next_number, nil
    go_on(player)
  end

  function command.hand_off(player, other)
    local next_number = players[player]
    players[player] = nil  -- from here on what comes for him is kept, until he has arrived
    cluster.call(other, ".room", "arrive", player, next_number)
    gone_to[player] = other
    cluster.send("gate", ".gate", "moved", player, other)
    for number in pairs(early[player] or {}) do
      cluster.send(other, ".room", "command", player, number)
    end
    early[player] = nil
  end

  skynet.start(function()
    if name == "east" then
      command.arrive("ann", 1)
    end
    skynet.dispatch("lua", function(session, _, verb, ...)
      command[verb](...)
      if session > 0 then
        skynet.retpack()
      end
    end)
    skynet.register ".room"
    cluster.open(name)
  end)
end

sim.scenario "a player's commands keep their order when he is handed off" {
  kind = "guarantee",
  nodes = {
    gate = { start = "front", cluster = "10.0.0.1:7001" },
    east = { start = "room", cluster = "10.0.0.2:7001", config = { room = "east" } },
    west = { start = "room", cluster = "10.0.0.3:7001", config = { room = "west" } },
  },
  network = { delay = sim.uniform("1ms", "20ms") },
  services = { front = front, room = room },

  story = function(world)
    local commands = game.hand_off_keeps_order(world)
    local function play()
      world:call("gate", ".gate", "play", "ann")
    end
    local function wander()
      world:sleep(("%dms"):format(world:choose(100)))
      world:call("east", ".room", "hand_off", "ann", "west")
      world:sleep(("%dms"):format(world:choose(100)))
      world:call("west", ".room", "hand_off", "ann", "east")
    end
    local function cut()
      world:sleep(("%dms"):format(world:choose(150)))
      world:partition(world:choose(2) == 1 and { { "east" }, { "west" } } or { { "gate" }, { "east" } })
      world:sleep "100ms"
      world:heal()
    end
    world:together(play, wander, cut)
    world:wait_until(function() return commands:carried_out "ann" == COMMANDS end, "20s")
    commands:complete("ann", COMMANDS)
  end,
}
