-- Three nodes get new code, one after the other, while a client goes on calling: other code, another config, another
-- number of workers, and for the last one another address.

local sim = require "sim"

local NODES = { "store1", "store2", "store3" }

-- The client: asks the stores in turn, and the next one if a call fails.
local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local stores = { "store1", "store2", "store3" }
  local command = {}

  function command.ask(number)
    for try = 0, #stores - 1 do
      local store = stores[(number + try) % #stores + 1]
      local ok, version = pcall(cluster.call, store, ".store", "version")
      if ok then
        return store, version
      end
    end
    return nil
  end

  -- What an operator does after he has put a new table of addresses.
  function command.reload()
    cluster.reload()
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".client"
    cluster.open "client"
  end)
end

-- The code of the stores, as a file of each node.
local STORE = [[
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}
  function command.version()
    return %s
  end
  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".store"
    cluster.open(%s)
  end)
]]
local OLD = STORE:format('"old"', 'skynet.getenv "me"')
local NEW = STORE:format('"new " .. skynet.getenv "feature" .. " " .. skynet.getenv "thread"', 'skynet.getenv "me"')
local MOVED = STORE:format('"moved"', "7009")

local function store(name, address)
  return {
    start = "store", cluster = address, config = { me = name }, files = { ["service/store.lua"] = OLD },
  }
end

sim.scenario "a rolling upgrade is seen by nobody who asks another node when one is away" {
  nodes = {
    client = { start = "client", cluster = "10.0.0.9:7001" },
    store1 = store("store1", "10.0.0.1:7001"),
    store2 = store("store2", "10.0.0.2:7001"),
    store3 = store("store3", "10.0.0.3:7001"),
  },
  network = { delay = sim.uniform("200us", "2ms") },
  services = { client = client },

  story = function(world)
    local answers, is_over = {}, false
    local caller = world:spawn(function()
      local number = 0
      while not is_over do
        number = number + 1
        local from, version = world:call("client", ".client", "ask", number)
        sim.guarantee("somebody answers", from ~= nil)
        answers[from .. " " .. version] = (answers[from .. " " .. version] or 0) + 1
        world:sleep "1ms"
      end
    end)
    world:sleep "100ms"
    for _, node in ipairs { "store1", "store2" } do
      world:restart(node, {
        thread = 2, config = { feature = "fast" }, files = { ["service/store.lua"] = NEW },
      })
      world:sleep "100ms"
    end
    -- The last one moves: its new code listens elsewhere, and everybody gets a new table of addresses.
    local table_of_addresses = {}
    for index, node in ipairs(NODES) do
      table_of_addresses[index] = ('%s = "10.0.0.%d:%d"\n'):format(node, index, index == 3 and 7009 or 7001)
    end
    local text = table.concat(table_of_addresses)
    world:put_files("client", { ["/sim/cluster.lua"] = text })
    world:restart("store3", { files = { ["service/store.lua"] = MOVED, ["/sim/cluster.lua"] = text } })
    world:call("client", ".client", "reload")
    world:sleep "100ms"
    is_over = true
    caller:join()
    for _, seen in ipairs { "store1 old", "store1 new fast 2", "store2 old", "store2 new fast 2", "store3 old",
      "store3 moved" } do
      sim.guarantee("answers of " .. seen, (answers[seen] or 0) > 3, "%d", answers[seen] or 0)
    end
    -- A node that starts again without changes keeps its last ones. The first call finds a dead connection.
    world:restart "store1"
    world:call("client", ".client", "ask", 0)
    local from, version = world:call("client", ".client", "ask", 0)
    sim.guarantee("changes stay", from == "store1" and version == "new fast 2", "%s %s", from, version)
  end,
}
