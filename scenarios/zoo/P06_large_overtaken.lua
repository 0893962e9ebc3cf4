-- Claim:  a message that packs to 32 KiB or more may be overtaken by a small one sent after it; one below never.
-- Kind:   allowed (a sweep must see both orders), and guarantee.
-- Source: skynet wiki, Cluster: "a package over 32k is cut into blocks; it was sent first and may be received later".
--         Issues 576 and 757 believed that one connection keeps all in order, and `--legacy large-in-order` believes it
--         with them. The cut is at 0x8000 packed bytes.
--
-- The large message is cut into parts that wait behind small ones wherever the network takes no more; so the link is a
-- slow one. Scripted: the small message follows at once. Else the seed says how large, how much later, or whether all
-- stay below the cut.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local IS_ORDER_BELIEVED = sim.legacy "large-in-order"
local LARGE_BYTES = 1024 * 1024      -- the buffers of sender and receiver take less than four of them
local BELOW_BYTES = 32700            -- packs to less than 0x8000
local BELOW_COUNT = 100              -- as much in all as fills the same buffers

local function sender()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.warm_up()
    return cluster.call("b", ".sink", "warm_up")
  end

  function command.large(bytes, pause_cs)
    cluster.send("b", ".sink", "large", string.rep("x", bytes))
    if pause_cs > 0 then
      skynet.sleep(pause_cs)
    end
    cluster.send("b", ".sink", "small")
  end

  function command.below()
    for i = 1, BELOW_COUNT do
      cluster.send("b", ".sink", "below " .. i, string.rep("x", BELOW_BYTES))
    end
    cluster.send("b", ".sink", "small")
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
    skynet.dispatch("lua", function(session, _, name)
      sim.probe("came", name)
      if session > 0 then
        skynet.retpack(true)
      end
    end)
    skynet.register ".sink"
    cluster.open "b"
  end)
end

sim.scenario "from 32 KiB on a message may be overtaken by a later small one, below never" {
  kind = "allowed",
  source = "skynet issues 576, 757",
  legacy = "large-in-order",
  nodes = {
    a = { start = "sender", cluster = "10.0.0.1:7001" },
    b = { start = "sink", cluster = "10.0.0.2:7001" },
  },
  network = { delay = "1ms", bandwidth = "10MB/s", mss = 16384 },  -- fewer segments, a quicker run
  services = { sender = sender, sink = sink },

  story = function(world)
    local come = 0
    local function names_after(count)
      world:wait_until(function() return #world:probes "came" == come + count end)
      local names = {}
      for i = 1, count do
        names[i] = world:probes "came"[come + i][1]
      end
      come = come + count
      return names
    end
    local function large()
      local bytes = LARGE_BYTES * (IS_SCRIPTED and 4 or 2 + world:choose(2))
      local pause_cs = IS_SCRIPTED and 0 or 25 * (world:choose(3) - 1)  -- 4 MiB take 42 cs
      world:call("a", ".sender", "large", bytes, pause_cs)
      local names = names_after(2)
      if IS_ORDER_BELIEVED then
        sim.guarantee("a large message comes before a later small one", sim.equal({ "large", "small" }, names))
      else
        sim.allowed("a small message overtakes a large one", names[1] == "small")
      end
    end
    local function below()
      world:call("a", ".sender", "below")
      local expected = {}
      for i = 1, BELOW_COUNT do
        expected[i] = "below " .. i
      end
      expected[BELOW_COUNT + 1] = "small"
      sim.guarantee("below 32 KiB nothing is overtaken", sim.equal(expected, names_after(BELOW_COUNT + 1)))
    end

    world:call("a", ".sender", "warm_up")
    names_after(1)
    local steps = { large, below }
    if not IS_SCRIPTED then
      steps = { steps[world:choose(2)] }
    end
    for _, step in ipairs(steps) do
      step()
    end
  end,
}
