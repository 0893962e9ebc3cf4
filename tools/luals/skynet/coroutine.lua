---@meta skynet.coroutine

-- Coroutines that may call functions which suspend the task: the whole task waits, and meanwhile the status of the
-- coroutine is "blocked".

---@class skynet.coroutine
local coroutine = {}

---@param f function
---@return thread co not running yet
function coroutine.create(f) end

--- Runs a coroutine until it yields, ends or raises. One that another task has blocked, or that was made by Lua's own
--- coroutine.create, gives false and a text.
---@async
---@param co thread
---@param ... any
---@return boolean ok
---@return any ...
function coroutine.resume(co, ...) end

--- Suspends the running coroutine of this module; raises in a bare task.
---@async
---@param ... any
---@return any ...
function coroutine.yield(...) end

---@param co thread
---@return "running"|"suspended"|"normal"|"dead"|"blocked" status
function coroutine.status(co) end

--- The running coroutine, as Lua's coroutine.running.
---@return thread co
---@return boolean is_main
function coroutine.running() end

--- Whether the running code may yield.
---@param co? thread
---@return boolean
function coroutine.isyieldable(co) end

--- A function that resumes a new coroutine each time, and raises what it raises.
---@param f function
---@return fun(...: any): ...
function coroutine.wrap(f) end

--- Ends a suspended or dead coroutine and closes its <close> variables. Raises for one that is anything else.
---@param co thread
---@return boolean ok
---@return any reason
function coroutine.close(co) end

--- The task that a coroutine belongs to.
---@param co? thread default: the running one
---@return thread? task
---@return boolean? is_main true: `co` is the task itself
function coroutine.thread(co) end

return coroutine
