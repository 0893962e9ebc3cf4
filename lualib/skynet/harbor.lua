-- Names and links between the nodes of a harbor network, asked of .cslave. On a single node (harbor = 0) names work,
-- for this node; there is nothing to link.

local skynet = require "skynet"

-- A function of one argument that waits for the answer of .cslave.
local function ask(command)
  return function(subject)
    return skynet.call(".cslave", "lua", command, subject)
  end
end

---@class skynet.harbor
---@field queryname fun(name: string): integer?  handle of a global name, waits until it is bound; ".name": at once
---@field link fun(id: integer)  waits while the node is connected
---@field connect fun(id: integer)  waits until the node is connected
---@field linkmaster fun()  waits until the connection to the master is lost
local harbor = {
  queryname = ask "QUERYNAME",
  link = ask "LINK",
  connect = ask "CONNECT",
  linkmaster = ask "LINKMASTER",
}

--- Binds a global name (1 to 15 bytes), without waiting.
---@param name string
---@param handle? integer default: the caller
function harbor.globalname(name, handle)
  skynet.send(".cslave", "lua", "REGISTER", name, handle or skynet.self())
end

return harbor
