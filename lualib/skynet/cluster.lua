-- Calls to services of other nodes. Each node of the cluster is reached through one local service, its clustersender;
-- clusterd knows which.
--
-- The first use of a node starts a queue: everything that this service sends there, until clusterd has named the
-- sender, leaves in call order, then the sender is remembered for ever. Arguments are packed when the call is made.
-- If there is no sender, queued sends are dropped and calls raise; the next use asks again.

local skynet = require "skynet"

local call, send, pack, packstring = skynet.call, skynet.send, skynet.pack, skynet.packstring
local assert, error, pcall, type = assert, error, pcall, type

---@class skynet.cluster
local cluster = {}

local clusterd
skynet.init(function()
  clusterd = skynet.uniqueservice "clusterd"
end)

-- Node -> clustersender.
local senders = {}
-- Node -> queue of the deliveries that wait for the sender. A delivery { address, payload, is_call } is the token of
-- its calling task; delivery.sender is set before the task is woken.
local queues = {}

-- Hands a queued call back to its task, and returns when the task has sent its request.
local function hand_back(queue, delivery, sender)
  delivery.sender = sender
  if skynet.wakeup(delivery) then
    skynet.wait(queue)
  end
end

-- Takes deliveries until none is left; more may come meanwhile.
local function run_queue(queue, sender)
  local index = 1
  while queue[index] do
    local delivery = queue[index]
    queue[index] = false
    index = index + 1
    if delivery.is_call then
      hand_back(queue, delivery, sender)
    else
      send(sender, "lua", "push", delivery.address, delivery.payload)
    end
  end
end

local function fail_queue(queue)
  for _, delivery in ipairs(queue) do
    if delivery.is_call then
      skynet.wakeup(delivery)
    end
  end
end

local function resolve(node, queue)
  local ok, sender = pcall(call, clusterd, "lua", "sender", node)
  if ok and sender then
    run_queue(queue, sender)
    senders[node] = sender
    queues[node] = nil
  else
    queues[node] = nil
    fail_queue(queue)
  end
end

local function enqueue(node, delivery)
  local queue = queues[node]
  if queue then
    queue[#queue + 1] = delivery
    return queue
  end
  queue = { delivery }
  queues[node] = queue
  skynet.fork(resolve, node, queue)
  return queue
end

local function call_queued(node, address, ...)
  local delivery = { address = address, payload = packstring(...), is_call = true }
  local queue = enqueue(node, delivery)
  skynet.wait(delivery)
  local sender = delivery.sender
  if not sender then
    error(string.format("cluster node [%s] has no sender", node))
  end
  skynet.wakeup(queue)  -- it goes on when the request below has been sent
  return call(sender, "lua", "req", address, delivery.payload)
end

--- Calls a service of another node; raises if that fails in any way.
---@param node string
---@param address integer|string a handle, "@name", ".name"
---@return ...
function cluster.call(node, address, ...)
  local sender = senders[node]
  if sender then
    return call(sender, "lua", "req", address, pack(...))
  end
  return call_queued(node, address, ...)
end

--- Sends to a service of another node. Reports no error.
---@param node string
---@param address integer|string
function cluster.send(node, address, ...)
  local sender = senders[node]
  if sender then
    send(sender, "lua", "push", address, pack(...))
  else
    enqueue(node, { address = address, payload = packstring(...) })
  end
end

--- Listens for other nodes. A string is a node's name, whose address is in the table of nodes; a number is a port.
---@param port integer|string
---@param maxclient? integer
---@return string address the real one, or the name
---@return integer? port
function cluster.open(port, maxclient)
  if type(port) == "string" then
    return call(clusterd, "lua", "listen", port, nil, maxclient)
  end
  return call(clusterd, "lua", "listen", "0.0.0.0", port, maxclient)
end

--- Sets addresses of nodes: name -> "host:port", or false (known to be down). Nil reads the file of the config again.
---@param nodes? table<string, string|boolean>
function cluster.reload(nodes)
  call(clusterd, "lua", "reload", nodes)
end

--- A local service that stands for a remote one. proxy("node@name") and proxy("node.name") name both at once.
---@param node string
---@param name? string|integer
---@return integer handle
function cluster.proxy(node, name)
  if name == nil then
    local whole = node
    node, name = string.match(whole, "^([^@.]+)([@.].+)$")
    if not node then
      error(string.format("Invalid name %s", whole))
    end
  end
  return call(clusterd, "lua", "proxy", node, name)
end

--- An object for a remote snax service. Without an address, waits until the node has that service.
---@param node string
---@param name string
---@param address? integer|string
---@return table
function cluster.snax(node, name, address)
  local snax = require "skynet.snax"
  address = address or cluster.call(node, ".service", "QUERY", "snaxd", name)
  return snax.bind(cluster.proxy(node, address), name)
end

--- Makes a service reachable as "@name" of this node.
---@param name string
---@param address? integer default: the caller
function cluster.register(name, address)
  assert(type(name) == "string")
  assert(address == nil or type(address) == "number")
  call(clusterd, "lua", "register", name, address)
end

---@param name string
function cluster.unregister(name)
  assert(type(name) == "string")
  call(clusterd, "lua", "unregister", name)
end

--- The handle behind "@name" of another node; raises if there is none.
---@param node string
---@param name string without "@"
---@return integer handle
function cluster.query(node, name)
  return cluster.call(node, 0, name)
end

--- The clustersender of a node that this service has used before.
---@param node string
---@return integer? handle
function cluster.get_sender(node)
  return senders[node]
end

return cluster
