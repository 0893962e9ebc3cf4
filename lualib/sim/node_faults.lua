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
end
