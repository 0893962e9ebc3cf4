-- Claim:  a push that makes its handler raise has no answer: the sender takes no notice, and goes on to answer calls of
--         the receiver.
-- Kind:   guarantee.
-- Source: skynet issue 578 (2017): the handler's error went back with session 0, which says "I am gone". The sender
--         forgot all that it owed the receiver, which lived, and waited for ever. Put back by
--         `--legacy error-to-push`.
--
-- .gate calls .room ten times; .room answers later. Meanwhile it pushes a notice to .gate whose handler raises. Scripted:
-- when all ten calls are there. Else the seed says when each thing happens.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local CALLS = 10

local function room()
  local skynet = require "skynet"
  require "skynet.manager"
  local held = {}
  local command = {}

  -- A task of its own answers, as in a room that waits for a round of its game.
  function command.enter()
    held[#held + 1] = skynet.response()
  end

  function command.notify()
    skynet.send(".gate", "lua", "notice")
  end

  function command.begin()
    for _, respond in ipairs(held) do
      respond(true, "welcome")
    end
    held = {}
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      command[name]()
    end)
    skynet.register ".room"
  end)
end

local function gate()
  local skynet = require "skynet"
  require "skynet.manager"
  local command = {}

  function command.notice()
    error "this notice makes no sense"
  end

  function command.enter()
    skynet.fork(function()
      sim.probe("answered", skynet.call(".room", "lua", "enter"))
    end)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      command[name]()
    end)
    skynet.register ".gate"
    skynet.newservice "room"
  end)
end

local function scripted(world)
  for _ = 1, CALLS do
    world:send("n", ".gate", "enter")
  end
  world:sleep "10ms"
  world:send("n", ".room", "notify")
  world:sleep "10ms"
  world:send("n", ".room", "begin")
end

local function random(world)
  local steps = {}
  for i = 1, CALLS do
    steps[i] = { ".gate", "enter" }
  end
  table.insert(steps, { ".room", "notify" })
  table.insert(steps, { ".room", "begin" })
  for _, step in ipairs(world:shuffle(steps)) do
    world:send("n", step[1], step[2])
    world:sleep(("%dus"):format(10 * (world:choose(5) - 1)))
  end
  world:sleep "10ms"  -- whoever came after the beginning
  world:send("n", ".room", "begin")
end

sim.scenario "a push whose handler raises is nobody's business but the log's" {
  kind = "guarantee",
  source = "skynet issue 578",
  legacy = "error-to-push",
  nodes = { n = { start = "gate" } },
  services = { gate = gate, room = room },

  story = function(world)
    if IS_SCRIPTED then
      scripted(world)
    else
      random(world)
    end
    sim.liveness("every call is answered", function()
      return #world:probes "answered" == CALLS
    end, "1s")
  end,
}
