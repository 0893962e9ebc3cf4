-- Claim:  when a slave crashes, the calls to it that are under way raise, so do all later ones, by handle and by name,
--         and link returns. Skynet leaves them all waiting for ever; its bytes on the wire are the same.
-- Kind:   guarantee, and liveness.
-- Source: skynet: the harbor service does not notice that a slave is gone.

local sim = require "sim"

local CALLS = 4

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local harbor = require "skynet.harbor"
  local command = {}

  -- Calls that nobody answers, by name and by handle; reports how each ends.
  function command.hang()
    local handle = harbor.queryname "ROOM"
    for n = 1, CALLS do
      skynet.fork(function()
        sim.probe("ended", (pcall(skynet.call, n % 2 == 0 and handle or "ROOM", "lua", "hang")))
      end)
    end
    return skynet.call(handle, "lua", "count")
  end

  -- Whether a call of it returns.
  function command.ask(name)
    return (pcall(skynet.call, name, "lua", "count"))
  end

  function command.ask_handle()
    return command.ask(harbor.queryname "ROOM")
  end

  function command.link(id)
    harbor.link(id)
    return true
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".client"
  end)
end

local function room()
  local skynet = require "skynet"
  require "skynet.manager"
  local waiting = {}

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      if name == "hang" then
        waiting[#waiting + 1] = skynet.response()
      else
        skynet.retpack(#waiting)
      end
    end)
    skynet.register "ROOM"
  end)
end

sim.scenario "calls to a slave that crashes raise, and later ones too" {
  kind = "guarantee",
  source = "skynet: the harbor service does not notice that a slave is gone",
  nodes = {
    m = { start = "client", standalone = true },
    a = { start = "client", harbor = 2 },
    b = { start = "room", harbor = 3 },
  },
  network = { delay = sim.uniform("100us", "5ms") },
  services = { client = client, room = room },

  story = function(world)
    for _, node in ipairs { "a", "m" } do
      world:call(node, ".client", "hang")
    end
    sim.guarantee("nothing has ended yet", #world:probes "ended" == 0)

    world:crash "b"
    sim.liveness("all calls under way end", function() return #world:probes "ended" == 2 * CALLS end, "1s")
    for _, probe in ipairs(world:probes "ended") do
      sim.guarantee("a call under way raises", probe[1] == false)
    end
    for _, node in ipairs { "a", "m" } do
      sim.guarantee("link returns", world:call(node, ".client", "link", 3))
      sim.guarantee("a later call by name raises", not world:call(node, ".client", "ask", "ROOM"))
      sim.guarantee("a later call by handle raises", not world:call(node, ".client", "ask_handle"))
    end
  end,
}
