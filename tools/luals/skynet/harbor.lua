---@meta skynet.harbor

-- Names and links between the nodes of a harbor network. On a node with harbor = 0 names work, and there is nothing to
-- link.

---@class skynet.harbor
local harbor = {}

--- Binds a name in the whole network, without waiting.
---@param name string 1 to 15 bytes
---@param handle? skynet.handle default: this service
function harbor.globalname(name, handle) end

--- The handle of a name of the network; waits until somebody binds it. A ".name" is answered at once.
---@async
---@param name string
---@return skynet.handle? handle
function harbor.queryname(name) end

--- Waits while the node with that id is connected; returns when it is lost.
---@async
---@param id integer from 1 to 255
function harbor.link(id) end

--- Waits until the node with that id is connected.
---@async
---@param id integer from 1 to 255
function harbor.connect(id) end

--- Waits until the connection to the master is lost.
---@async
function harbor.linkmaster() end

return harbor
