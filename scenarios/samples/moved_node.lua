-- Claim:  a node that comes back at another address is used again after cluster.reload, without a restart of those who
--         use it: "@name" finds the service at its new handle, the old handle does not; a call that was under way at
--         the old address raises.
-- Kind:   guarantee.
-- Source: skynet wiki, Cluster: remote name service ("a restarted node may have other addresses"), update of the
--         configuration; distributed services: configuration and hot update (both editions).
--
-- The wiki says that a request without its answer goes on waiting at the old address. It does not: the sender closes
-- the old connection when it is given another address, as skynet's does, so the request raises.

local sim = require "sim"

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    for _ = 1, tonumber(skynet.getenv "services_before") do
      skynet.newservice "other"
    end
    local room = skynet.newservice "room"
    cluster.register("room", room)
    cluster.open(skynet.getenv "channel")
    sim.probe("open", room)
  end)
end

local function other()
  local skynet = require "skynet"

  skynet.start(function()
    skynet.dispatch("lua", function() error "this is not the room" end)
  end)
end

local function room()
  local skynet = require "skynet"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      if name == "hang" then
        sim.probe "hanging"
        skynet.wait()
      end
      skynet.retpack(skynet.getenv "channel")
    end)
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = { reload = cluster.reload }

  function command.call(address, name)
    local ok, answer = pcall(cluster.call, "db", address, name)
    return ok and answer or "raised"
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a node that moved is found after a reload" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: update of the configuration",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:2528", config = { channel = "db", services_before = 3 } },
    two = { start = "client", cluster = "10.0.0.2:2528" },
  },
  cluster = { moved = "10.0.0.1:2600", third = "10.0.0.1:2601" },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { server = server, other = other, room = room, client = client },

  story = function(world)
    local function call(...) return world:call("two", ".client", "call", ...) end
    local old = world:probes "open"[1][1]
    sim.guarantee("the service answers by name", sim.equal("db", call "@room"))
    sim.guarantee("and by its handle", sim.equal("db", call(old)))

    world:restart("db", { config = { channel = "moved", services_before = 0 } })
    sim.guarantee("before the reload calls to the old address raise", sim.equal("raised", call "@room"))
    world:call("two", ".client", "reload", { db = "10.0.0.1:2600" })
    sim.guarantee("after it the name is found at the new address", sim.equal("moved", call "@room"))
    sim.guarantee("with another handle", world:probes "open"[2][1] ~= old)
    sim.guarantee("the old handle means nothing now", sim.equal("raised", call(old)))

    local hanging = world:spawn(function() return call("@room", "hang") end)
    world:wait_until(function() return #world:probes "hanging" == 1 end)
    world:call("two", ".client", "reload", { db = "10.0.0.1:2601" })  -- nobody is there
    sim.guarantee("a call under way raises when its node gets another address", sim.equal("raised", hanging:join()))
    sim.guarantee("a call to where nobody listens raises", sim.equal("raised", call "@room"))
    world:call("two", ".client", "reload", { db = "10.0.0.1:2600" })
    sim.guarantee("the way back works too", sim.equal("moved", call "@room"))
  end,
}
