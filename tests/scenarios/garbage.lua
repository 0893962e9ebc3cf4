-- Claim:  whatever a stranger sends to the cluster port of a node, the node lives, serves the others, and keeps no more
--         memory for the stranger than what he has sent.
-- Kind:   guarantee.
-- Source: ours: a cluster port is open to whoever reaches it.

local sim = require "sim"

local ROUNDS = 12
local PORT = 7001
local KIB_MAX = 4096  -- what the node may grow by: the stranger sends 100 KiB or so, and garbage is not all collected

local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.echo(...)
    return ...
  end

  -- KiB of all Lua services of this node.
  function command.memory()
    local total = 0
    for _, text in pairs(skynet.call(".launcher", "lua", "MEM")) do
      total = total + tonumber(string.match(text, "^[%d.]+"))
    end
    return math.floor(total)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, name, ...)
      local f = command[name]
      if session > 0 and f then
        skynet.retpack(f(...))
      end
    end)
    skynet.register ".server"
    cluster.register("server", skynet.self())
    cluster.open "server"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, ...)
      skynet.retpack(cluster.call("server", "@server", ...))
    end)
    skynet.register ".client"
  end)
end

local function stranger()
  local skynet = require "skynet"
  require "skynet.manager"
  local socket = require "skynet.socket"
  local u32 = function(n) return string.pack("<I4", n) end
  local frame = function(body) return string.pack(">s2", body) end

  local function noise(size)
    local bytes = {}
    for i = 1, size do
      bytes[i] = string.char(math.random(0, 255))
    end
    return table.concat(bytes)
  end

  -- Heads of a request: kind, address, session. See "Cluster frames" in docs or the codec's header.
  local shapes = {
    function() return noise(math.random(1, 4000)) end,
    function() return frame "" end,
    function() return string.rep("\0\0", 500) end,                                    -- frames of no bytes
    function() return "\xff\xff" .. noise(100) end,                                   -- a frame that never ends
    function() return "\0" end,                                                       -- half a length
    function() return frame(noise(math.random(1, 40))) end,
    function() return frame("\0" .. u32(1)) end,                                      -- a request without a session
    function() return frame("\1" .. u32(1) .. u32(7) .. u32(0xffffffff)) end,         -- announces 4 GiB
    function() return frame("\2" .. u32(7) .. noise(300)) end,                        -- a part of it
    function() return frame("\3" .. u32(7) .. noise(300)) end,                        -- the last one, far too early
    function() return frame("\3" .. u32(99) .. "x") end,                              -- the last part of nothing
    function() return frame("\65" .. u32(1) .. u32(8) .. u32(0x7fffffff)) end,
    function() return frame("\x80" .. string.char(200) .. "short") end,               -- a name longer than its frame
    function() return frame("\x80" .. string.char(7) .. "@server" .. u32(5) .. noise(60)) end,
    function() return frame("\x80" .. string.char(7) .. "@nobody" .. u32(5) .. noise(60)) end,
    function() return frame("\x81" .. string.char(7) .. "@server" .. u32(6) .. u32(0xfffffff0)) end,
    function() return frame("\0" .. u32(math.random(0, 20)) .. u32(math.random(0, 9)) .. noise(50)) end,
    function() return frame("\4" .. noise(200)) end,                                  -- a trace tag
    function() return frame(noise(1) .. noise(65534)) end,
  }

  local function attack()
    local id = socket.open("server", PORT)
    if not id then
      return
    end
    for _ = 1, math.random(1, 12) do
      socket.write(id, shapes[math.random(#shapes)]())
      if math.random(3) == 1 then
        skynet.sleep(math.random(0, 3))
      end
    end
    if math.random(3) == 1 then
      socket.shutdown(id)
    elseif math.random(2) == 1 then
      socket.close(id)
    end  -- else it stays open
  end

  skynet.start(function()
    skynet.dispatch("lua", function()
      attack()
      skynet.retpack()
    end)
    skynet.register ".stranger"
  end)
end

sim.scenario "what a stranger sends to the cluster port harms nobody" {
  kind = "guarantee",
  nodes = {
    client = { start = "client", cluster = "10.0.0.1:7001" },
    server = { start = "server", cluster = "10.0.0.2:7001" },
    stranger = { start = "stranger" },
  },
  network = { delay = sim.uniform("100us", "2ms"), split = "10%" },
  services = { client = client, server = server, stranger = stranger },

  story = function(world)
    world:call("client", ".client", "echo")
    local before = world:call("server", ".server", "memory")
    for round = 1, ROUNDS do
      local attack = world:spawn(function() world:call("stranger", ".stranger") end)
      for i = 1, 3 do
        local answer = world:call("client", ".client", "echo", round, i)
        sim.guarantee("others are served", sim.equal(round, answer, "round " .. round))
      end
      attack:join()
    end
    world:sleep "1s"
    sim.guarantee("the node is up", world:is_running "server")
    sim.guarantee("its services are up", sim.equal("still here", world:call("client", ".client", "echo", "still here")))
    local grown = world:call("server", ".server", "memory") - before
    sim.guarantee("its memory is bounded", grown <= KIB_MAX, "%d KiB more", grown)
  end,
}
