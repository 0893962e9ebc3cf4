---@meta skynet.service

-- Services without a file: a function is the service, under a name, once per node.

---@class skynet.service
local service = {}

--- The service of that name; started if there is none, and waited for. The function runs in a Lua state of its own: it
--- may use globals and its arguments, no local variables from outside, and sets its own dispatch for "lua". Raises if
--- the service fails, now or before; service.close forgets that.
---@async
---@param name string
---@param main function
---@param ... any arguments of `main`: what a message can hold
---@return skynet.handle handle
function service.new(name, main, ...) end

--- The service of that name; waits until somebody makes it. Raises if that failed.
---@async
---@param name string
---@return skynet.handle handle
function service.query(name) end

--- Kills the service of that name. Who has queried it keeps the dead handle.
---@async
---@param name string
---@return boolean existed
function service.close(name) end

return service
