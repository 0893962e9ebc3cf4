-- Claim:  cluster.reload() reads the file of the config again, so a new file and a control command are enough to change
--         a running node; a table comes before the file; a node without a file has to be given a table first; names
--         that a reload does not mention stay.
-- Kind:   guarantee.
-- Source: skynet wiki, Cluster: cluster mode (the file may be left out), update of the configuration; distributed
--         services: `command.reload`.

local sim = require "sim"

local PATH = "/etc/clustername.lua"

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    for name, port in pairs { first = 2528, second = 2529 } do
      local sdb = skynet.newservice "simpledb"
      skynet.call(sdb, "lua", "SET", "a", name)
      cluster.register(name, sdb)
      cluster.open(port)
    end
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  -- What an administrator does: a new file, then the command.
  function command.write(text)
    local file = assert(io.open(skynet.getenv "cluster", "w"))
    file:write(text)
    file:close()
  end

  function command.reload(changes)
    return (pcall(cluster.reload, changes))
  end

  function command.call(node, service)
    local ok, answer = pcall(cluster.call, node, service, "GET", "a")
    return ok and answer or "raised"
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a reload takes the file or a table" {
  kind = "guarantee",
  source = "skynet wiki, Cluster: update of the configuration",
  nodes = {
    db = { start = "server", ip = "10.0.0.1" },
    with = { start = "client", config = { cluster = PATH },
      files = { [PATH] = '__nowaiting = true\nhere = "10.0.0.1:2528"\ngone = "10.0.0.1:9"\n' } },
    without = { start = "client" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { client = client, server = server },

  story = function(world)
    local function call(client, ...) return world:call(client, ".client", "call", ...) end
    local function reload(client, changes) return world:call(client, ".client", "reload", changes) end

    sim.guarantee("the file is read at the start", sim.equal("first", call("with", "here", "@first")))
    sim.guarantee("nobody is at a wrong address", sim.equal("raised", call("with", "gone", "@first")))
    world:call("with", ".client", "write", 'gone = "10.0.0.1:2529"\n')
    sim.guarantee("a new file alone changes nothing", sim.equal("raised", call("with", "gone", "@second")))
    sim.guarantee("a reload without a table succeeds", reload "with")
    sim.guarantee("it reads the file again", sim.equal("second", call("with", "gone", "@second")))
    sim.guarantee("what the file does not name any more stays", sim.equal("first", call("with", "here", "@first")))

    reload("with", { gone = false })
    sim.guarantee("a table comes before the file", sim.equal("raised", call("with", "gone", "@second")))
    reload "with"
    sim.guarantee("until the file is read again", sim.equal("second", call("with", "gone", "@second")))
    world:call("with", ".client", "write", "gone = 2529\n")
    sim.guarantee("a value that is no address is refused", reload "with" == false)
    sim.guarantee("and changes nothing", sim.equal("second", call("with", "gone", "@second")))

    sim.guarantee("without a file a reload without a table does nothing", reload "without")
    local answer
    world:spawn(function() answer = call("without", "db", "@first") end)
    world:sleep "300ms"
    sim.guarantee("without a table calls wait", answer == nil)
    reload("without", { db = "10.0.0.1:2528" })
    sim.liveness("with one they go on", function() return answer == "first" end, "10s")
  end,
}
