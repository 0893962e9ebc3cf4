-- The shared tree of values of the service DATACENTER. Keys form a path: get("a", "b") is the value b of branch a.

local skynet = require "skynet"

local function ask(command)
  return function(...)
    return skynet.call("DATACENTER", "lua", command, ...)
  end
end

---@class skynet.datacenter
---@field get fun(...): any  keys; the value there, a copy of the table if it is a branch
---@field set fun(...): any  keys, then the new value; the old value. Branches are made as needed
---@field wait fun(...): any  keys; waits until the value there is not nil, raises if somebody makes a branch of it
return { get = ask "QUERY", set = ask "UPDATE", wait = ask "WAIT" }
