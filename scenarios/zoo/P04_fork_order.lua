-- Claim:  forked tasks begin in the order in which skynet.fork was called, and what they fork comes after all of them.
-- Kind:   guarantee.
-- Source: skynet issue 1000 (2019): forked tasks began in another order, because they stood in a table that was emptied
--         with `next`. Put back by `--legacy fork-unordered`.
--
-- One handler forks twelve tasks, and some of these fork again; fifty rounds in one service, as the order of a table
-- depends on what was in it before. Scripted: every third task forks again. Else the seed says how many tasks there are
-- and which of them fork.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local TASKS, ROUNDS = 12, 50

local function forker()
  local skynet = require "skynet"
  require "skynet.manager"

  -- { forks, ... }: the task number i forks another one if forks is true. Returns who began, in order.
  local function round(plan)
    local began = {}
    for i, forks in ipairs(plan) do
      skynet.fork(function()
        began[#began + 1] = i
        if forks then
          skynet.fork(function() began[#began + 1] = -i end)
        end
      end)
    end
    skynet.sleep(0)
    return began
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, plan)
      skynet.retpack(round(plan))
    end)
    skynet.register ".forker"
  end)
end

sim.scenario "forked tasks begin in the order of fork" {
  kind = "guarantee",
  source = "skynet issue 1000",
  legacy = "fork-unordered",
  nodes = {
    a = { start = "forker" },
  },
  services = { forker = forker },

  story = function(world)
    for number = 1, ROUNDS do
      local plan = {}
      for i = 1, IS_SCRIPTED and TASKS or world:choose(TASKS) do
        plan[i] = IS_SCRIPTED and i % 3 == 0 or not IS_SCRIPTED and world:choose(3) == 3
      end
      local expected = {}
      for i in ipairs(plan) do
        expected[#expected + 1] = i
      end
      for i, forks in ipairs(plan) do
        if forks then
          expected[#expected + 1] = -i
        end
      end
      sim.guarantee("tasks begin in the order of fork",
        sim.equal(expected, world:call("a", ".forker", plan), "round " .. number))
    end
  end,
}
