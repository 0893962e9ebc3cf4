-- The nodes of a cluster as clusterd sees them: addresses, and one clustersender service per node.
--
-- A node is a record { name, address, sender, channel, is_closed, opening, resolving }:
--   address  "host:port", false (known to be down), nil (not known yet)
--   sender   its clustersender, for the life of the process
--   channel  the sender while it is set to `address` and its connect succeeded
--   is_closed   the sender has been told that the node is down
--   opening  the attempt under way, { line, closing_line, is_closing, reason }: tokens of the tasks behind it, and of
--            those that wait until the sender has closed and is told the next address
--   resolving   the token of the task that waits for an address
-- At most one attempt per node is under way, so a node has at most one sender (and that at most one connection).

local skynet = require "skynet"

---@class skynet.cluster.node_table
local NodeTable = {}
NodeTable.__index = NodeTable

--- Makes an empty table.
---@param start_sender fun(name: string, address: string): integer starts the clustersender of a node
---@return skynet.cluster.node_table
local function new(start_sender)
  return setmetatable({ nodes = {}, options = {}, start_sender = start_sender }, NodeTable)
end

function NodeTable:node(name)
  local node = self.nodes[name]
  if not node then
    node = { name = name }
    self.nodes[name] = node
  end
  return node
end

-- Sets the sender of `node` to `address`, and connects it.
local function point_sender(self, node, address)
  if address == nil then
    error(string.format("cluster node [%s] is absent.", node.name), 0)
  end
  if address == false then
    if node.sender and not node.is_closed then
      node.opening.is_closing = true
      skynet.call(node.sender, "lua", "changenode", false)
      node.is_closed, node.opening.is_closing = true, false
    end
    return
  end
  node.is_closed = false
  if not node.sender then
    node.sender = self.start_sender(node.name, address)
  end
  if not pcall(skynet.call, node.sender, "lua", "changenode", address) then
    error(string.format("changenode [%s] (%s) failed", node.name, address), 0)
  end
end

local function wait_for_address(self, node)
  if node.address ~= nil or self.options.nowaiting then
    return
  end
  skynet.error(string.format("Waiting for cluster node [%s]", node.name))
  node.resolving = {}
  skynet.wait(node.resolving)
  if node.address ~= nil then
    skynet.error(string.format("Cluster node [%s] resolved : %s", node.name, node.address))
  end
end

local function wake_all(tickets)
  for _, ticket in ipairs(tickets) do
    skynet.wakeup(ticket)
  end
end

local function open(self, node)
  local attempt = { line = {}, closing_line = {} }
  node.opening, node.channel = attempt, nil
  local address, ok, reason
  repeat
    wait_for_address(self, node)
    address = node.address
    wake_all(attempt.closing_line)  -- they run when the sender has been told, in the next line
    attempt.closing_line = {}
    ok, reason = pcall(point_sender, self, node, address)
  until node.address == address
  if ok and address then
    node.channel = node.sender
  end
  node.opening = nil
  attempt.reason = not ok and reason or nil
  wake_all(attempt.line)
  if not ok then
    error(reason, 0)
  end
  return node.sender
end

-- Waits for the attempts under way, also for those that start meanwhile.
local function join(node)
  local attempt
  repeat
    attempt = node.opening
    local ticket = {}
    attempt.line[#attempt.line + 1] = ticket
    skynet.wait(ticket)
  until not node.opening
  if not node.channel then
    error(attempt.reason or string.format("cluster node [%s] is down", node.name), 0)
  end
  return node.channel
end

--- The clustersender of a node; connects it first, and may wait until the node has an address. Nil: the node is down
--- and never had a sender. Raises if the connect fails.
---@param name string
---@return integer? sender
function NodeTable:acquire(name)
  local node = self:node(name)
  if node.channel then
    return node.channel
  elseif node.opening then
    return join(node)
  end
  return open(self, node)
end

-- Connects a sender to its changed address, in the background.
local function reopen(self, node)
  if node.opening or node.channel then
    return  -- a request was quicker
  end
  local ok, reason = pcall(open, self, node)
  if not ok then
    skynet.error(reason)
  end
end

local function wake_resolving(node)
  if node.resolving then
    skynet.wakeup(node.resolving)
    node.resolving = nil
  end
end

-- True if a living sender has to be set to the new address.
local function set_address(node, address)
  if type(address) ~= "string" and address ~= false then
    error(string.format("cluster node [%s] needs an address or false, not %s", node.name, tostring(address)))
  end
  if node.address == address then
    return false
  end
  node.address, node.channel = address, nil
  wake_resolving(node)
  return node.sender ~= nil and not node.opening
end

local function sorted_keys(map)
  local keys = {}
  for key in next, map do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

--- Takes over addresses (name -> address) and options ("__name" -> value). Names not given stay as they are.
---@param addresses table<string, string|boolean>
function NodeTable:update(addresses)
  local changed, keys = {}, sorted_keys(addresses)
  for _, key in ipairs(keys) do
    local option = string.match(key, "^__(.+)")
    if option then
      self.options[option] = addresses[key]
    elseif set_address(self:node(key), addresses[key]) then
      changed[#changed + 1] = key
    end
  end
  if self.options.nowaiting then
    for _, name in ipairs(sorted_keys(self.nodes)) do
      wake_resolving(self.nodes[name])
    end
  end
  for _, name in ipairs(changed) do
    skynet.fork(reopen, self, self.nodes[name])
  end
  if changed[1] then
    skynet.yield()  -- the senders are told before the caller goes on
  end
  for _, key in ipairs(keys) do
    local node = self.nodes[key]
    local attempt = node and node.opening
    if attempt and attempt.is_closing and node.address then
      local ticket = {}
      attempt.closing_line[#attempt.closing_line + 1] = ticket
      skynet.wait(ticket)
    end
  end
end

--- The address of a node that can be listened on; raises if it has none.
---@param name string
---@return string address
function NodeTable:address(name)
  local address = self:node(name).address
  if type(address) ~= "string" then
    error(name .. " is down", 0)
  end
  return address
end

--- Name -> clustersender, of the nodes that have one.
---@return table<string, integer>
function NodeTable:senders()
  local senders = {}
  for name, node in next, self.nodes do
    senders[name] = node.sender
  end
  return senders
end

return { new = new, NodeTable = NodeTable }
