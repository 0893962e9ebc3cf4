-- Claim:  names and services of a harbor network are the same on every node: messages to a name that nobody has yet
--         wait for it and arrive once and in order, queryname waits for it; a newcomer knows the names from before it
--         came, and the others its own; link, connect, unique services, the data center and the exit monitor answer
--         exactly when they should.
-- Kind:   guarantee; liveness for the exit monitor.
-- Source: skynet wiki, master/slave mode; network.md 5-7.

local sim = require "sim"

local SENDS = 5

local function agent()
  local skynet = require "skynet"
  require "skynet.manager"
  local harbor = require "skynet.harbor"
  local datacenter = require "skynet.datacenter"
  local command = {}
  local got = {}

  function command.self()
    return skynet.self()
  end

  function command.note(text)
    got[#got + 1] = text
  end

  function command.got()
    return got
  end

  function command.register(name)
    skynet.register(name)
  end

  function command.query(name)
    return harbor.queryname(name)
  end

  -- Sends to a name, and waits for the answer of a call behind.
  function command.talk(name)
    for n = 1, SENDS do
      skynet.send(name, "lua", "note", n)
    end
    return skynet.call(name, "lua", "got")
  end

  function command.unique(name)
    return skynet.uniqueservice(true, name)
  end

  function command.find(name)
    return skynet.queryservice(true, name)
  end

  function command.set(...)
    return datacenter.set(...)
  end

  function command.get(...)
    return datacenter.get(...)
  end

  function command.wait(...)
    return datacenter.wait(...)
  end

  function command.link(id)
    harbor.link(id)
    return "unlinked"
  end

  function command.connect(id)
    harbor.connect(id)
    return "connected"
  end

  function command.list()
    return skynet.call("SERVICE", "lua", "LIST")
  end

  function command.watch()
    return skynet.monitor "watcher"
  end

  function command.launch_and_kill()
    local handle = skynet.newservice "idle"
    skynet.kill(handle)
    return handle
  end

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, name, ...)
      if session == 0 then
        command[name](...)
      else
        skynet.retpack(command[name](...))
      end
    end)
    skynet.register ".agent"
  end)
end

local function idle()
  local skynet = require "skynet"
  skynet.start(function() end)
end

local function watcher()
  local skynet = require "skynet"
  skynet.register_protocol {
    name = "client", id = skynet.PTYPE_CLIENT, unpack = function() end,
    dispatch = function(_, source)
      sim.probe("exit", source)
    end,
  }
  skynet.start(function() end)
end

sim.scenario "names and services of a harbor network are the same on every node" {
  kind = "guarantee",
  nodes = {
    m = { start = "agent", standalone = true },
    a = { start = "agent", harbor = 7 },
    b = { start = "agent", harbor = 200 },
  },
  network = { delay = sim.uniform("100us", "10ms"), split = "20%" },
  services = { agent = agent, idle = idle, watcher = watcher },

  story = function(world)
    local function ask(node, ...)
      return world:call(node, ".agent", ...)
    end
    local function expect(what, expected, seen)
      sim.guarantee(what, sim.equal(expected, seen))
    end

    -- A name that nobody has yet: what is sent waits, queryname waits.
    local talk = world:spawn(function() return ask("a", "talk", "LATE") end)
    local query = world:spawn(function() return ask("m", "query", "LATE") end)
    world:sleep "100ms"
    world:send("b", ".agent", "register", "LATE")
    expect("messages to a name wait for it, in order", { 1, 2, 3, 4, 5 }, talk:join())
    local late = ask("b", "self")
    expect("the harbor id is in the handle", 200, late >> 24)
    expect("queryname waits for the name", late, query:join())

    -- Unique services are started where the master is.
    local find = world:spawn(function() return ask("b", "find", "idle") end)
    world:sleep "50ms"
    local unique = ask("a", "unique", "idle")
    expect("a unique service is one for all", unique, ask("m", "unique", "idle"))
    expect("queryservice waits for it", unique, find:join())
    expect("it runs where the master is", ask("m", "self") >> 24, unique >> 24)
    sim.guarantee("the service manager lists it", ask("b", "list")["@idle"] ~= nil)

    -- The data center.
    local wait = world:spawn(function() return ask("b", "wait", "town", "street") end)
    world:sleep "50ms"
    ask("a", "set", "town", "street", 42)
    expect("wait returns with the value", 42, wait:join())
    expect("every node sees it", { street = 42 }, ask("m", "get", "town"))

    -- The exit monitor hears of every node that has it.
    ask("m", "watch")
    ask("b", "watch")
    local killed = { ask("m", "launch_and_kill"), ask("b", "launch_and_kill") }
    sim.liveness("the exit monitor hears of both", function()
      local seen = {}
      for _, probe in ipairs(world:probes "exit") do
        seen[probe[1]] = true
      end
      return seen[killed[1]] and seen[killed[2]]
    end, "1s")

    -- A newcomer: names from before it came, links.
    local connect = world:spawn(function() return ask("a", "connect", 9) end)
    local link = world:spawn(function() return ask("a", "link", 200) end)
    expect("connect to one that is there returns", "connected", ask("a", "connect", 200))
    expect("link to one that is not there returns", "unlinked", ask("a", "link", 9))
    world:crash "b"
    expect("link returns when the slave is gone", "unlinked", link:join())
    world:start("b", { harbor = 9 })
    expect("connect returns when the slave is there", "connected", connect:join())
    expect("a newcomer knows the names from before", late, ask("b", "query", "LATE"))
    expect("a newcomer finds unique services", unique, ask("b", "find", "idle"))
    expect("a newcomer finds the data center", 42, ask("b", "get", "town", "street"))
    expect("the others find the newcomer's name", true, (function()
      world:send("b", ".agent", "register", "NEW")
      return ask("a", "query", "NEW") == ask("b", "self")
    end)())
  end,
}
