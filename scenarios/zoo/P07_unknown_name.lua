-- Claim:  calls to a node that the table does not have wait for a reload that brings it, and then all go on in their
--         order; with __nowaiting = true they raise at once; without either they wait.
-- Kind:   liveness.
-- Source: skynet issues 803, 819 and 856 (2018): such calls waited in silence, and there was no way to be told instead.
--         Put back by `--legacy nowaiting-ignored`.
--
-- Three callers, and one of three things: the reload after 3 s, __nowaiting, nothing. Scripted: __nowaiting.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local CALLS = 3
local VARIANTS = { "reload", "nowaiting", "never" }

local function caller()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = { reload = cluster.reload }

  function command.call(i)
    local ok, answer = pcall(cluster.call, "db9", ".db", i)
    sim.probe("finished", ok and answer or "raised")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(session, _, name, ...)
      command[name](...)
      if session > 0 then
        skynet.retpack()
      end
    end)
    skynet.register ".caller"
  end)
end

local function db()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, i)
      skynet.retpack(i)
    end)
    skynet.register ".db"
    cluster.open "db"
  end)
end

sim.scenario "calls to an unknown node wait for it, or raise at once, as the table says" {
  kind = "liveness",
  source = "skynet issues 803, 819, 856",
  legacy = "nowaiting-ignored",
  nodes = {
    a = { start = "caller", cluster = "10.0.0.1:7001" },
    db = { start = "db", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { caller = caller, db = db },

  story = function(world)
    local variant = IS_SCRIPTED and "nowaiting" or VARIANTS[world:choose(#VARIANTS)]
    local function finished() return #world:probes "finished" end
    local function answers()
      local list = {}
      for i, probe in ipairs(world:probes "finished") do
        list[i] = probe[1]
      end
      return list
    end

    if variant == "nowaiting" then
      world:call("a", ".caller", "reload", { __nowaiting = true })
    end
    for i = 1, CALLS do
      world:send("a", ".caller", "call", i)
    end
    if variant == "nowaiting" then
      sim.liveness("with __nowaiting the calls end at once", function() return finished() == CALLS end, "10ms")
      sim.guarantee("they raise", sim.equal({ "raised", "raised", "raised" }, answers()))
      return
    end

    world:sleep(variant == "reload" and "3s" or "60s")
    sim.guarantee("without an address the calls wait", finished() == 0)
    if variant == "reload" then
      world:call("a", ".caller", "reload", { db9 = "10.0.0.2:7001" })
      sim.liveness("after the reload the calls end", function() return finished() == CALLS end, "100ms")
      sim.guarantee("in the order in which they were made", sim.equal({ 1, 2, 3 }, answers()))
    end
  end,
}
