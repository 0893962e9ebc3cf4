-- What can happen to the nodes of a story and to the machines that they run on, beside crash and restart: verbs of
-- sim.world. Each is an event of the trace, and takes effect at once. A node that is down cannot be disturbed.

local core = require "sim.core"
local units = require "sim.units"

---@class sim.Clock the clocks of the machine that a node runs on
local Clock = {}
Clock.__index = Clock

--- Moves the wall clock: "-1h", "2s". Monotonic time (skynet.now, timers, sleeps) does not notice.
---@param by string
---@return sim.Clock
function Clock:step(by)
  core.step_clock(self.node, units.signed_duration(by), tostring(by))
  return self
end

--- Makes both clocks, and all timers with them, fast ("200ppm") or slow ("-200ppm") from now on; 0: exact again. What
--- they have gained stays.
---@param rate string|integer
---@return sim.Clock
function Clock:drift(rate)
  core.drift_clock(self.node, units.drift(rate), tostring(rate))
  return self
end

---@param World sim.World
return function(World)
  --- The clocks of the machine that a node runs on.
  ---@param node string
  ---@return sim.Clock
  function World:clock(node)
    core.check_clock(node)
    return setmetatable({ node = node }, Clock)
  end

  --- Stops the process of a node, as SIGSTOP does, until world:resume. Its machine goes on: the kernel accepts
  --- connections as long as backlogs have room, and acknowledges bytes until the windows are full; clocks run, and
  --- timers fire late. What the story calls and sends waits. A process that is stopped can be killed.
  ---@param node string
  function World:pause(node)
    core.pause(node)
  end

  --- Lets the process of a node go on after world:pause.
  ---@param node string
  function World:resume(node)
    core.resume(node)
  end

  --- Makes each dispatch of a node take so many times as long, from the next one on; 1: as before. It is the machine
  --- that is slow, so a node that is started again there is slow, too.
  ---@param node string
  ---@param factor integer
  function World:slow(node, factor)
    if math.type(factor) ~= "integer" then
      core.complain("world:slow: the factor is a whole number, 1 or more, not " .. tostring(factor))
    end
    core.slow(node, factor)
  end
end
