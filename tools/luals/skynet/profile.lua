---@meta skynet.profile

-- CPU time of a coroutine, be it a task or not. Time in which it waits or is suspended does not count; what it resumes
-- does. In a simulation it is a sum of the scenario's costs of dispatches, or 0.

---@class skynet.profile
local profile = {}

--- Begins to measure. Raises if that was done already.
---@param co? thread default: the running one
function profile.start(co) end

--- Ends it. Raises if nothing is measured.
---@param co? thread default: the running one
---@return number seconds of CPU time since start()
function profile.stop(co) end

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
