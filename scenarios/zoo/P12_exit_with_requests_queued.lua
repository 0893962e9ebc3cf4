-- Claim:  whoever has called a service that exits before it comes to the request gets an error, and soon.
-- Kind:   liveness.
-- Source: skynet issues 1220, 1223, 1846 and others (2020-24): what was left in the mailbox was answered with session
--         0, the notice that a service is gone. A caller who had used a name did not recognize itself in it and waited
--         for ever. Put back by `--legacy exit-answers-nobody`.
--
-- Scripted: .worker has jobs to do, then the order to exit, then a call in its mailbox. Else the seed says when callers
-- come and where among the jobs the order to exit is.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local CALLERS = IS_SCRIPTED and 1 or 4
local JOBS = 50  -- take 5 ms, longer than it can take the caller to begin

local function worker()
  local skynet = require "skynet"
  require "skynet.manager"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      if name == "exit" then
        skynet.exit()
      elseif name == "ask" then
        skynet.retpack "an answer"
      end
    end)
    skynet.register ".worker"
  end)
end

local function caller()
  local skynet = require "skynet"

  skynet.start(function()
    skynet.dispatch("lua", function()
      local ok = pcall(skynet.call, ".worker", "lua", "ask")
      sim.probe("returned", ok and "answer" or "error")
    end)
  end)
end

local function chief()
  local skynet = require "skynet"
  require "skynet.manager"
  local callers = {}

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, steps)
      for _, step in ipairs(steps) do
        if step == "call" then
          skynet.send(table.remove(callers), "lua")
        else
          skynet.send(".worker", "lua", step)
        end
      end
    end)
    skynet.newservice "worker"
    for i = 1, CALLERS do
      callers[i] = skynet.newservice "caller"
    end
    skynet.register ".chief"
  end)
end

local function plan(world)
  local steps = {}
  if IS_SCRIPTED then
    for i = 1, JOBS do
      steps[i] = "job"
    end
    table.move({ "exit", "call" }, 1, 2, JOBS + 1, steps)
    return steps
  end
  steps[1] = "exit"
  for _ = 1, CALLERS do
    steps[#steps + 1] = "call"
    steps[#steps + 1] = "job"
  end
  return world:shuffle(steps)
end

sim.scenario "a call that waits in the mailbox of a service that exits fails at once" {
  kind = "liveness",
  source = "skynet issues 1220, 1846",
  legacy = "exit-answers-nobody",
  nodes = { n = { start = "chief", cpu = "100us" } },
  services = { chief = chief, worker = worker, caller = caller },

  story = function(world)
    world:send("n", ".chief", plan(world))
    local all_go_on = sim.liveness("every caller goes on", function()
      return #world:probes "returned" == CALLERS
    end, "100ms")

    if IS_SCRIPTED and all_go_on then
      sim.guarantee("the call fails", sim.equal("error", world:probes "returned"[1][1]))
    end
  end,
}
