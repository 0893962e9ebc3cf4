-- Claim:  a traced call is followed through both nodes: the caller's tag, then the same tag with the names of both and
--         a session in front, under which the other node logs the request from its beginning to its end; a push and an
--         untraced call leave nothing there.
-- Kind:   guarantee.
-- Source: distributed services: tracing of calls (both editions); walk through the cluster framework: skynet.trace in
--         cluster2.

local sim = require "sim"

-- A log service in Lua: reports every line of a trace.
local function trace_log()
  local skynet = require "skynet"

  skynet.register_protocol {
    name = "text",
    id = skynet.PTYPE_TEXT,
    unpack = skynet.tostring,
    dispatch = function(_, source, text)
      local tag, event = string.match(text, "^<TRACE (.-)> %d+ (.*)$")
      if tag then
        sim.probe("trace", tag, event, source)
      end
      print(string.format("[%s] %s", skynet.address(source), text))
    end,
  }
  skynet.start(function() end)
end

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, name)
      sim.probe("served", name)
      if session > 0 then
        skynet.retpack(name)
      end
    end)
    cluster.register "server"
    cluster.open "db"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.traced()
    skynet.trace "cluster"
    cluster.call("db", "@server", "traced")
    return skynet.tracetag()
  end

  function command.push()
    skynet.trace "cluster"
    cluster.send("db", "@server", "push")
    return skynet.tracetag()
  end

  function command.untraced()
    cluster.call("db", "@server", "untraced")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a traced call is followed through both nodes" {
  kind = "guarantee",
  source = "distributed services: tracing of calls",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:9001", config = { logservice = "snlua", logger = "trace_log" } },
    game = { start = "client", cluster = "10.0.0.2:7001", config = { logservice = "snlua", logger = "trace_log" } },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { client = client, server = server, trace_log = trace_log },

  story = function(world)
    -- Log lines come when the log service gets to them, which may be after the answer of a call.
    local function events_of(node, tag)
      local events = {}
      for _, probe in ipairs(world:probes "trace") do
        if probe.node == node and probe[1] == tag then
          events[#events + 1] = string.match(probe[2], "^%S+ ?[^: ]*")
        end
      end
      return events
    end
    local function find_remote_tag()
      for _, probe in ipairs(world:probes "trace") do
        local found = string.match(probe[2], "^session (.*)$")
        if found then
          return found
        end
      end
    end

    world:call("game", ".client", "untraced")
    local tag = world:call("game", ".client", "traced")
    sim.guarantee("a tag is the service and a count", string.match(tag, "^:%x%x%x%x%x%x%x%x%-%d+$") == tag, "%s", tag)
    sim.liveness("the tag for the other node is logged", find_remote_tag, "10s")
    local remote_tag = find_remote_tag()
    local from, to, session, rest = string.match(remote_tag, "^%((.*)%-(.-)%-(%d+)%)(.*)$")
    sim.guarantee("it has the names of both nodes and a session in front of the caller's",
      from ~= "" and to == "db" and tonumber(session) > 0 and rest == tag, "%s", remote_tag)
    sim.liveness("the other node logs the request to its end", function()
      local events = events_of("db", remote_tag)
      return events[#events] == "tracecall end"
    end, "10s")
    sim.guarantee("from the beginning",
      sim.equal({ "tracecall begin", "request", "response", "end", "tracecall end" }, events_of("db", remote_tag)))
    sim.liveness("the sender says where it goes", function()
      return events_of("game", remote_tag)[1] == "cluster db"
    end, "10s")

    local push_tag = world:call("game", ".client", "push")
    sim.liveness("a push arrives", function()
      local served = world:probes "served"
      return served[#served][1] == "push"
    end, "10s")
    sim.liveness("its tag is logged at home", function() return #events_of("game", push_tag) > 0 end, "10s")
    world:sleep "500ms"  -- nothing else may come
    for _, probe in ipairs(world:probes "trace") do
      local is_known = probe[1] == remote_tag or probe.node == "game" and (probe[1] == tag or probe[1] == push_tag)
      sim.guarantee("neither the push nor the untraced call is traced over there", is_known, "%s", probe[1])
    end
  end,
}
