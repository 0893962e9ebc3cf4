-- The connections that other nodes have made to this one, as clusterd sees them. Each is served by an agent of its own,
-- a service that is started when the connection comes and told "exit" when it has ended.
--
-- A connection is a record { agent, is_over }: agent is nil while it is being started; is_over: it ended meanwhile.

local skynet = require "skynet"

---@class skynet.cluster.connection_table
local ConnectionTable = {}
ConnectionTable.__index = ConnectionTable

--- Makes an empty table.
---@param start_agent fun(gate: integer, fd: integer): integer? starts the agent of a connection
---@return skynet.cluster.connection_table
local function new(start_agent)
  return setmetatable({ connections = {}, start_agent = start_agent }, ConnectionTable)
end

--- A gate has a new connection: starts its agent, and waits for it. Without one the connection is closed.
---@param gate integer
---@param fd integer
function ConnectionTable:open(gate, fd)
  local connection = {}
  self.connections[fd] = connection
  local ok, agent = pcall(self.start_agent, gate, fd)
  if not (ok and agent) then
    skynet.error(string.format("no agent for connection %d: %s", fd, agent))
    self.connections[fd] = nil
    skynet.send(gate, "lua", "kick", fd)
  elseif connection.is_over then
    skynet.send(agent, "lua", "exit")
  else
    connection.agent = agent
  end
end

--- A connection has ended. Told twice ("error" and "close"), the second time it finds nothing.
---@param fd integer
function ConnectionTable:close(fd)
  local connection = self.connections[fd]
  if not connection then
    return
  end
  self.connections[fd] = nil
  connection.is_over = true
  if connection.agent then
    skynet.send(connection.agent, "lua", "exit")
  end
end

--- Sends a message of type lua to every agent, in the order of the connections.
function ConnectionTable:tell_agents(...)
  local fds = {}
  for fd in next, self.connections do
    fds[#fds + 1] = fd
  end
  table.sort(fds)
  for _, fd in ipairs(fds) do
    local agent = self.connections[fd].agent
    if agent then
      skynet.send(agent, "lua", ...)
    end
  end
end

return { new = new, ConnectionTable = ConnectionTable }
