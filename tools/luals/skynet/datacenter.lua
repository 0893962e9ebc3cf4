---@meta skynet.datacenter

-- The tree of values that all nodes of a harbor network share. Keys form a path: get("a", "b") is the value b of branch
-- a. All functions wait for the service DATACENTER, and raise "call failed" when it refuses.

---@class skynet.datacenter
local datacenter = {}

--- The value at a path; of a branch, a copy.
---@async
---@param ... any keys
---@return any value nil: there is none
function datacenter.get(...) end

--- Sets the value at a path and makes the branches on the way. Raises if the path leads through a value.
---@async
---@param ... any keys, then the value; nil removes it
---@return any before
function datacenter.set(...) end

--- Waits until there is a value at a path. Raises if a branch comes to be there.
---@async
---@param ... any keys
---@return any value
function datacenter.wait(...) end

return datacenter
