-- Claim:  close() of a socket keeps what is queued until the peer has taken it; shutdown() throws it away at once, also
--         if the peer takes nothing. Nobody needs more memory than the queue.
-- Kind:   liveness.
-- Source: skynet issue 371 (2015): there was only close(), and a client that had stopped reading kept its megabytes,
--         and the socket, for ever. Put back by `--legacy shutdown-flushes`.
--
-- A server has 4 MB and more in its queue for a client that reads nothing, and ends the connection one way or the
-- other. Scripted: first one way, then the other.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local BLOCK_BYTES = 64 * 1024
local BLOCKS = 160  -- 10 MB: the kernels of both ends take not quite 6 of them

local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local socket = require "skynet.socket"
  local id
  local command = {}

  function command.queue(blocks)
    for _ = 1, blocks do
      socket.write(id, string.rep("x", BLOCK_BYTES))
    end
  end

  -- Bytes that wait, or nil when the socket is gone.
  function command.queued()
    for _, info in ipairs(socket.netstat()) do
      if info.id == id then
        return info.wbuffer
      end
    end
  end

  function command.close()
    socket.close(id)
  end

  function command.shutdown()
    socket.shutdown(id)
    socket.close(id)
  end

  skynet.start(function()
    socket.start(socket.listen("0.0.0.0", 7000), function(accepted)
      id = accepted
      socket.start(id)
    end)
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
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
    socket.pause(id)
  end

  function command.read_all()
    return #socket.readall(id)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".client"
  end)
end

-- The server ends the connection; what it has said to it after 10 ms, and what is still queued then.
local function finish(world, verb)
  local done = false
  world:spawn(function()
    world:call("b", ".server", verb)
    done = true
  end)
  world:sleep "10ms"
  return done, world:call("b", ".server", "queued")
end

local function check_close(world, blocks)
  local done, queued = finish(world, "close")
  sim.guarantee("close() returns at once", done)
  sim.guarantee("what is queued stays", queued and queued > 0)
  world:sleep "10s"
  sim.guarantee("and grows no more", sim.equal(queued, world:call("b", ".server", "queued")))

  sim.guarantee("the client gets all of it", sim.equal(blocks * BLOCK_BYTES, world:call("a", ".client", "read_all")))
  sim.guarantee("and the socket is gone", sim.equal(nil, world:call("b", ".server", "queued")))
end

local function check_shutdown(world)
  local done, queued = finish(world, "shutdown")
  sim.guarantee("shutdown() is done at once", done)
  sim.guarantee("what was queued is gone with the socket", sim.equal(nil, queued))
end

sim.scenario "close() flushes to a client that has stopped reading, shutdown() does not wait" {
  kind = "liveness",
  source = "skynet issue 371",
  legacy = "shutdown-flushes",
  nodes = {
    a = { start = "client", ip = "10.0.0.1" },
    b = { start = "server", ip = "10.0.0.2" },
  },
  network = { delay = "1ms" },
  services = { client = client, server = server },

  story = function(world)
    local blocks = IS_SCRIPTED and BLOCKS or BLOCKS - 20 * (world:choose(4) - 1)
    local ways = IS_SCRIPTED and { "close", "shutdown" } or { world:shuffle { "close", "shutdown" }[1] }
    for _, way in ipairs(ways) do
      world:call("a", ".client", "connect")
      world:sleep "10ms"
      world:call("b", ".server", "queue", blocks)
      world:sleep(IS_SCRIPTED and "1s" or ("%dms"):format(world:choose(1000)))
      sim.guarantee("no more is queued than was written", world:call("b", ".server", "queued") <= blocks * BLOCK_BYTES)
      if way == "close" then
        check_close(world, blocks)
      else
        check_shutdown(world)
      end
    end
  end,
}
