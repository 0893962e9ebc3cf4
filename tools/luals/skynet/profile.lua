---@meta skynet.profile

-- CPU time of a task. Time in which it waits does not count. In a simulation it is the scenario's cost of its
-- dispatches.

---@class skynet.profile
local profile = {}

--- Begins to measure. Raises if that was done already.
---@param thread? thread default: the running one
function profile.start(thread) end

--- Ends it. Raises if nothing is measured.
---@param thread? thread default: the running one
---@return number seconds of CPU time since start()
function profile.stop(thread) end

--- Lua's coroutine.resume.
---@param co thread
---@param ... any
---@return boolean ok
---@return any ...
function profile.resume(co, ...) end

--- Lua's coroutine.wrap.
---@param f function
---@return fun(...: any): ...
function profile.wrap(f) end

return profile
