-- Joins what a service writes to one connection while more messages wait in its mailbox. A write of its own costs a
-- system call and a packet, at both ends more than the rest of a cluster call; busy services write a dozen at once.
-- With an empty mailbox everything is written at once: nothing waits for company that may not come.

local skynet = require "skynet"
local driver = require "skynet.socketdriver"

local send = driver.send
local fork, yield, mqlen = skynet.fork, skynet.yield, skynet.mqlen

-- So many are written even if more messages wait, that the peer may begin.
local WRITES_MAX = 64

---@class skynet.cluster.batch
local Batch = {}
Batch.__index = Batch

-- The task comes to its turn behind the messages that are in the mailbox now.
local function flush_later(batch)
  yield()
  batch:flush()
end

--- Writes, now or when what is in the mailbox has been handled, in the order of the calls, with high priority.
---@param data string
---@return boolean is_alive false: the connection is known to have ended
function Batch:write(data)
  local waiting = self.waiting
  if waiting then
    local count = #waiting + 1
    waiting[count] = data
    return count < WRITES_MAX or self:flush()
  end
  if mqlen() == 0 then
    return send(self.connection, data)
  end
  self.waiting = { data }
  fork(flush_later, self)
  return true
end

--- Writes what waits. To be called before anything is written to the connection in other ways, and before it is closed.
---@return boolean is_alive
function Batch:flush()
  local waiting = self.waiting
  if not waiting then
    return true
  end
  self.waiting = nil
  return send(self.connection, waiting)
end

local batch = {}

--- For the connection with this id of this service.
---@param connection integer
---@return skynet.cluster.batch
function batch.new(connection)
  return setmetatable({ connection = connection, waiting = nil }, Batch)
end

return batch
