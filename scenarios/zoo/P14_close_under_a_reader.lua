-- Claim:  a task that reads two bytes at a time ends when another task closes the socket, also if bytes come just then;
--         and the close returns.
-- Kind:   liveness.
-- Source: skynet issues 1709, 1710, 1845 (2023): the reader took what had come, waited once more, and that wait was
--         taken for the end of its reading: the socket was forgotten with the reader still waiting on it. Put back by
--         `--legacy close-forgets-reader`.
--
-- The moment: 33 bytes, an odd number, lie in the mailbox behind the message whose task closes.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local BYTES = 33
local ROUNDS = IS_SCRIPTED and 1 or 5

local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local socket = require "skynet.socket"
  local open

  local function serve(id)
    socket.start(id)
    open = id
    sim.probe("serving", id)
    local bytes = 0
    local pair = socket.read(id, 2)
    while pair do
      bytes = bytes + #pair
      pair = socket.read(id, 2)
    end
    sim.probe("reader ended", id, bytes)
  end

  skynet.start(function()
    socket.start(socket.listen("0.0.0.0", 7000), serve)
    skynet.dispatch("lua", function()
      local id = open
      socket.close(id)
      sim.probe("closed", id)
    end)
    skynet.register ".server"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local socket = require "skynet.socket"
  local id
  local command = {}

  function command.connect()
    id = assert(socket.open("10.0.0.2", 7000))
    skynet.retpack(true)
  end

  function command.write()
    local written = id  -- the next round has its own
    socket.write(written, string.rep("x", BYTES))
    skynet.retpack(true)
    socket.readall(written)
    socket.close(written)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      command[name]()
    end)
    skynet.register ".client"
  end)
end

-- The order to close first, the bytes at the same instant.
local function scripted(world)
  local there = world:link("a", "b"):hold()
  world:call("a", ".client", "write")
  world:wait_until(function() return there:held() == BYTES end)
  world:send("b", ".server")
  there:release()
end

local function random(world)
  world:together(function()
    world:call("a", ".client", "write")
  end, function()
    world:sleep(("%dus"):format(100 * world:choose(20)))
    world:send("b", ".server")
  end)
end

sim.scenario "a reader ends when another task closes its socket, whatever comes at that moment" {
  kind = "liveness",
  source = "skynet issues 1709, 1710, 1845",
  legacy = "close-forgets-reader",
  nodes = {
    a = { start = "client", ip = "10.0.0.1" },
    b = { start = "server", ip = "10.0.0.2", cpu = "200us" },
  },
  network = { delay = sim.uniform("100us", "1ms") },
  services = { client = client, server = server },

  story = function(world)
    for round = 1, ROUNDS do
      world:call("a", ".client", "connect")
      world:wait_until(function() return #world:probes "serving" == round end)
      if IS_SCRIPTED then
        scripted(world)
      else
        random(world)
      end
      sim.liveness("the reader ends", function() return #world:probes "reader ended" == round end, "1s")
      sim.liveness("the close returns", function() return #world:probes "closed" == round end, "1s")
    end
  end,
}
