---@meta skynet.cluster

-- Calls between the nodes of a cluster, by node name. What one service sends to one node leaves in its order, whether
-- it calls or sends; a message of 32 KiB or more travels in parts, and smaller ones may overtake it.

---@class skynet.cluster
local cluster = {}

--- Calls a service of another node and waits for its reply. Raises if that fails in any way: the node is unknown or
--- cannot be reached, the connection ends, the service raises.
---@async
---@param node string
---@param address integer|string a handle there, ".name", or "@name" (cluster.register)
---@param ... any
---@return any ...
function cluster.call(node, address, ...) end

--- Sends to a service of another node. Whatever goes wrong, nobody is told.
---@param node string
---@param address integer|string
---@param ... any
function cluster.send(node, address, ...) end

--- Listens for other nodes. Raises if the address cannot be bound.
---@async
---@param port integer|string a port of all addresses, or a node's name whose address is in the table of nodes
---@param maxclient? integer connections at most
---@return string address the real one, or the name
---@return integer? port
function cluster.open(port, maxclient) end

--- Sets addresses of nodes; who waits for one of them goes on. Without a table the file of the config is read again.
---@async
---@param nodes? table<string, string|boolean> name -> "host:port", or false: known to be down
function cluster.reload(nodes) end

--- A local service that stands for one of another node: what is sent to it goes there. `cluster.proxy "node@name"` and
--- `cluster.proxy "node.name"` name both at once.
---@async
---@param node string
---@param name? string|integer
---@return skynet.handle handle
function cluster.proxy(node, name) end

--- An object for a snax service of another node, which must have called snax.enablecluster.
---@async
---@param node string
---@param name string type of the service
---@param address? integer|string default: waits until that node has a unique service of this type
---@return skynet.snax.object
function cluster.snax(node, name, address) end

--- Makes a service reachable as "@name" of this node.
---@async
---@param name string
---@param address? skynet.handle default: this service
function cluster.register(name, address) end

--- Takes the name back.
---@async
---@param name string
function cluster.unregister(name) end

--- The handle behind "@name" of another node. Raises if there is none.
---@async
---@param node string
---@param name string without "@"
---@return integer handle on that node
function cluster.query(node, name) end

--- The local service through which this service reaches a node.
---@param node string
---@return skynet.handle? handle nil: it has not used that node yet
function cluster.get_sender(node) end

return cluster
