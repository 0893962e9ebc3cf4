-- Claim:  a cluster call with a limit of its own returns all results if they come in time, the reason if the call
--         failed, and nil and "timeout" if neither came; the limit ends the waiting, not the work: the other node still
--         does what it was asked, and the late answer disturbs nobody. skynet.request does the same through a proxy.
-- Kind:   guarantee.
-- Source: distributed services: limits for requests; the first edition (draft) with skynet.timeout, the second with a
--         task and skynet.sleep.
--
-- The first edition's code gives skynet.timeout a function that calls. That returns at once, with nothing, whatever
-- happens; the call is made when the time is over, and nobody gets its results. The second edition's works, but for its
-- last lines: `ok and table.unpack(ret) or nil, ret[1]` returns the first result twice and no other.

local sim = require "sim"

local LIMIT_CS = 100

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, pause_cs)
      sim.probe("asked", name)
      skynet.sleep(pause_cs)
      if name == "fail" then
        error "it fails, on purpose"
      end
      sim.probe("done", name)
      skynet.retpack(name, nil, 3)
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

  function command.first_edition(...)
    local request = table.pack(...)
    local ok, result = pcall(function()
      return skynet.timeout(LIMIT_CS, function()
        return cluster.call("db", "@server", table.unpack(request, 1, request.n))
      end)
    end)
    return ok, type(result) == "string"
  end

  -- true and all results, false and the reason, or nil and "timeout".
  local function call_within(limit_cs, node, service, ...)
    local request = table.pack(...)
    local token, reply = {}, nil
    skynet.fork(function()
      reply = table.pack(pcall(cluster.call, node, service, table.unpack(request, 1, request.n)))
      skynet.wakeup(token)
    end)
    skynet.sleep(limit_cs, token)
    if not reply then
      return nil, "timeout"
    end
    return table.unpack(reply, 1, reply.n)
  end

  function command.with_task(...)
    return call_within(LIMIT_CS, "db", "@server", ...)
  end

  function command.with_request(...)
    local requests = skynet.request { cluster.proxy("db", "@server"), "lua", ... }
    for _, reply in requests:select(LIMIT_CS) do
      if reply then
        return true, table.unpack(reply, 1, reply.n)
      end
      return false, "failed"
    end
    return nil, requests.timeout and "timeout"
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      local before = skynet.now()
      local reply = table.pack(command[name](...))
      skynet.retpack(skynet.now() - before, table.unpack(reply, 1, reply.n))
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a call gets a limit of its own" {
  kind = "guarantee",
  source = "distributed services: limits for requests",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:9001" },
    game = { start = "client", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { client = client, server = server },

  story = function(world)
    local function client(...) return world:call("game", ".client", ...) end
    local function is_done(name)
      return world:wait_until(function()
        for _, probe in ipairs(world:probes "done") do
          if probe[1] == name then
            return true
          end
        end
      end, "10s")
    end

    for _, way in ipairs { "with_task", "with_request" } do
      local took_cs, ok, name, hole, last = client(way, way .. " in time", 10)
      sim.guarantee("an answer in time comes whole",
        ok and name == way .. " in time" and hole == nil and last == 3, "%s %s %s", ok, name, last)
      sim.guarantee("and before the limit", took_cs < LIMIT_CS, "%d cs", took_cs)

      local failed_cs, failed_ok, reason = client(way, "fail", 0)
      sim.guarantee("a call that fails says so before the limit",
        failed_ok == false and reason ~= "timeout" and failed_cs < LIMIT_CS, "%s %s", failed_ok, reason)

      local late_cs, late_ok, text = client(way, way .. " late", 2 * LIMIT_CS)
      sim.guarantee("a call that takes too long is given up",
        late_ok == nil and text == "timeout", "%s %s", late_ok, text)
      sim.guarantee("not before the limit", late_cs >= LIMIT_CS - 1, "%d cs", late_cs)
      sim.guarantee("the work is done all the same", is_done(way .. " late"))
    end

    local asked = #world:probes "asked"
    local took_cs, ok, has_result = client("first_edition", "draft", 0)
    sim.guarantee("the first edition's function returns at once, without a result",
      ok and not has_result and took_cs < LIMIT_CS, "%s %s %d cs", ok, has_result, took_cs)
    sim.guarantee("before it has asked anybody", sim.equal(asked, #world:probes "asked"))
    sim.guarantee("the call is made when the time is over", is_done "draft")
  end,
}
