---@meta skynet.mqueue

-- Requests that their service handles strictly one after another. Deprecated in skynet; use skynet.queue.

---@class skynet.mqueue
local mqueue = {}

--- Sets the function that handles requests, once. Its results are the reply, its errors are the caller's.
---@deprecated
---@param f fun(...: any): ...
function mqueue.register(f) end

--- Calls a service that has registered; raises as skynet.call.
---@async
---@deprecated
---@param address skynet.address
---@param ... any
---@return any ...
function mqueue.call(address, ...) end

--- Sends to a service that has registered; its function must return nothing.
---@deprecated
---@param address skynet.address
---@param ... any
---@return integer|false|nil session as skynet.send
function mqueue.send(address, ...) end

--- Requests that wait, without the one that is being handled.
---@deprecated
---@return integer
function mqueue.size() end

return mqueue
