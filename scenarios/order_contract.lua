-- Claim:  the notices of a room to a player on another node keep the order that skynet.cluster promises, and break the
--         one that is merely usual.
-- Kind:   guarantee for what is promised; usual for a large message before a small one, and for replies and pushes.
-- Source: skynet wiki, Cluster: order of messages; issues 446, 576, 757.
--
-- The room on b answers the player on a, pushes to him, and now and then sends a picture of the map, which is cut into
-- parts. Both mark each message, and `order` judges in which order they are handled. A sweep counts how often the usual
-- order was broken; whoever relies on it reads that number. `--legacy connect-per-request` breaks what is promised.

local sim = require "sim"

local MAP_BYTES = 4 * 1024 * 1024  -- more than the buffers of a connection take: what is small passes what waits
local BURST = 5

local function player()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  local function hear(id)
    sim.handled("notices", id)
    sim.probe("heard", id)
  end

  function command.notice(id)
    hear(id)
  end

  function command.enter()
    hear(cluster.call("b", ".room", "enter"))
    skynet.retpack()
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      command[name](...)
    end)
    skynet.register ".player"
    cluster.open "a"
  end)
end

local function room()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}
  local notices = 0

  local function next_id()
    notices = notices + 1
    return notices
  end

  local function push(text)
    local id = next_id()
    sim.sent("notices", id, "send", #skynet.packstring("notice", id, text))
    cluster.send("a", ".player", "notice", id, text)
  end

  function command.enter()
    local id = next_id()
    sim.sent("notices", id, "reply")
    skynet.retpack(id)
    push "you have entered"
  end

  function command.burst()
    for _ = 1, BURST do
      push "somebody says something"
    end
    skynet.retpack()
  end

  function command.show_map()
    push(string.rep("~", MAP_BYTES))
    push "this is the map"
    skynet.retpack()
  end

  function command.count()
    skynet.retpack(notices)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      command[name]()
    end)
    skynet.register ".room"
    cluster.open "b"
  end)
end

sim.scenario "notices keep the order that skynet.cluster promises" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: order of messages; issues 446, 576, 757",
  nodes = {
    a = { start = "player", cluster = "10.0.0.1:7001" },
    b = { start = "room", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("1ms", "10ms"), bandwidth = "20MB/s" },
  services = { player = player, room = room },
  order = { notices = sim.order.cluster },

  story = function(world)
    local function burst()
      world:call("b", ".room", "burst")
    end
    local function enter()
      world:call("a", ".player", "enter")
    end
    local function show_map()
      world:call("b", ".room", "show_map")
    end
    burst()  -- over a connection that is not there yet
    world:together(enter, burst, enter)
    show_map()
    local sent = world:call("b", ".room", "count")
    sim.liveness("all notices are heard", function() return #world:probes "heard" == sent end, "10s")
  end,
}
