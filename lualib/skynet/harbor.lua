-- Names and links between the nodes of a harbor network, asked of .cslave. On a single node (harbor = 0) names work,
-- for this node; there is nothing to link.

local skynet = require "skynet"

---@class skynet.harbor
local harbor = {}

--- Binds a global name (1 to 15 bytes).
---@param name string
---@param handle? integer default: the caller
function harbor.globalname(name, handle)
  skynet.send(".cslave", "lua", "REGISTER", name, handle or skynet.self())
end

--- The handle of a global name; waits until it is bound. ".name" is looked up at once and may be nil.
---@param name string
---@return integer? handle
function harbor.queryname(name)
  return skynet.call(".cslave", "lua", "QUERYNAME", name)
end

--- Waits while the node `id` is connected.
---@param id integer
function harbor.link(id)
  skynet.call(".cslave", "lua", "LINK", id)
end

--- Waits until the node `id` is connected.
---@param id integer
function harbor.connect(id)
  skynet.call(".cslave", "lua", "CONNECT", id)
end

--- Waits until the connection to the master is lost.
function harbor.linkmaster()
  skynet.call(".cslave", "lua", "LINKMASTER")
end

return harbor
