-- Claim:  a service of one's own gives an operator four commands for the running cluster: status tells the address of
--         each node and whether it is connected, disconnect closes a node for all services at once, connect opens it
--         again and says if that fails, reload goes back to the file. They are called from services, and typed at the
--         debug console.
-- Kind:   guarantee.
-- Source: distributed services: debug commands (both editions).
--
-- The document adds a command to clusterd, which is skynet's own file. What it needs of clusterd is there already:
-- senders, sender and reload. As printed, clusterd does not know "debug", and the caller gets an error.

local sim = require "sim"

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      if name == "hang" then
        sim.probe "hanging"
        skynet.wait()
      end
      skynet.retpack(name)
    end)
    cluster.register "server"
    cluster.open "db"
  end)
end

local function worker()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      local ok, answer = pcall(cluster.call, "db", "@server", name)
      skynet.retpack(ok and answer or "raised")
    end)
    skynet.register ".worker"
  end)
end

local function operator()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local clusterd
  local command = {}
  local closed = {}

  local function read_addresses()
    local addresses = {}
    assert(loadfile(skynet.getenv "cluster", "t", addresses))()
    return addresses
  end

  function command.status()
    local senders = skynet.call(clusterd, "lua", "senders")
    local status = {}
    for node, address in pairs(read_addresses()) do
      status[node] = { address = address, connected = senders[node] ~= nil and not closed[node] }
    end
    return status
  end

  function command.reload()
    cluster.reload()
    closed = {}
    return "Config reloaded"
  end

  function command.disconnect(node)
    cluster.reload { [node] = false }
    closed[node] = true
    return "Disconnected: " .. node
  end

  function command.connect(node)
    cluster.reload { [node] = read_addresses()[node] }
    closed[node] = nil
    if pcall(skynet.call, clusterd, "lua", "sender", node) then
      return "Connected: " .. node
    end
    return "Not connected: " .. node
  end

  function command.as_printed()
    return (pcall(skynet.call, clusterd, "lua", "debug", "status"))
  end

  skynet.start(function()
    clusterd = skynet.uniqueservice "clusterd"
    skynet.dispatch("lua", function(_, _, name, ...)
      local f = command[name]
      if f then
        skynet.retpack(f(...))
      else
        skynet.retpack("unknown command " .. name)
      end
    end)
    skynet.register ".operator"
  end)
end

local function main()
  local skynet = require "skynet"

  skynet.start(function()
    skynet.newservice "worker"
    skynet.newservice "operator"
  end)
end

sim.scenario "an operator looks at a cluster, and opens and closes nodes" {
  kind = "guarantee",
  source = "distributed services: debug commands",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:9001" },
    game = { start = "main", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { main = main, operator = operator, server = server, worker = worker },

  story = function(world)
    local function operate(...) return world:call("game", ".operator", ...) end
    local function work(name) return world:call("game", ".worker", name) end
    local function expect(claim, expected, seen)
      sim.guarantee(claim, sim.equal(expected, seen))
    end
    local function status_of_db() return operate "status".db end

    expect("before its first use a node is not connected",
      { address = "10.0.0.1:9001", connected = false }, status_of_db())
    expect("services reach it", "hello", work "hello")
    expect("then it is", { address = "10.0.0.1:9001", connected = true }, status_of_db())

    local hanging = world:spawn(function() return work "hang" end)
    world:wait_until(function() return #world:probes "hanging" == 1 end)
    expect("disconnect says what it did", "Disconnected: db", operate("disconnect", "db"))
    expect("it ends the calls under way", "raised", hanging:join())
    expect("services do not reach the node any more", "raised", work "hello")
    expect("status shows it", false, status_of_db().connected)

    local shown = world:console("game", "call .operator 'connect','db'")
    sim.guarantee("the debug console runs the commands, too", string.find(shown, "Connected: db", 1, true), "%s", shown)
    expect("services reach the node again", "hello", work "hello")
    expect("status shows that", true, status_of_db().connected)

    operate("disconnect", "db")
    expect("reload says what it did", "Config reloaded", operate "reload")
    expect("it goes back to the file", "hello", work "hello")

    operate("disconnect", "db")
    world:crash "db"
    expect("connect to a node that is down says that", "Not connected: db", operate("connect", "db"))
    world:start "db"
    expect("and connects when it is back", "Connected: db", operate("connect", "db"))
    expect("an unknown command is told", "unknown command nonsense", operate "nonsense")
    expect("clusterd itself has no command debug", false, operate "as_printed")
  end,
}
