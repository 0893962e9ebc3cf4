-- The shared tree of values of the service DATACENTER. Keys form a path: get("a", "b") is the value b of branch a.

local skynet = require "skynet"

---@class skynet.datacenter
local datacenter = {}

--- The value at a path; a copy of the table if it is a branch.
---@param ... any keys
---@return any
function datacenter.get(...)
  return skynet.call("DATACENTER", "lua", "QUERY", ...)
end

--- Sets the value at a path; branches are made as needed.
---@param ... any keys, then the value
---@return any old value
function datacenter.set(...)
  return skynet.call("DATACENTER", "lua", "UPDATE", ...)
end

--- Waits until the value at a path is not nil. Raises if somebody makes a branch of it.
---@param ... any keys
---@return any
function datacenter.wait(...)
  return skynet.call("DATACENTER", "lua", "WAIT", ...)
end

return datacenter
