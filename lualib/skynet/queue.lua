-- A critical section: `local section = queue()`, then `section(f, ...)` runs f alone, in the order of arrival, and
-- returns its results. A task inside may enter again. An error in f leaves the section and is raised again, texts with
-- a traceback, error objects as they are. A killed task leaves the section too, or its place in the line.
--
-- A task that f forks is another task: it waits like everybody. There is no time limit.

local skynet = require "skynet"

local running = coroutine.running
local xpcall, error = xpcall, error
local traceback = debug.traceback

-- Lets the first one in who still waits.
local function pass_on(lock)
  local line, head = lock.line, lock.head
  while head <= lock.tail do
    local ticket = line[head]
    line[head] = nil
    head = head + 1
    if skynet.wakeup(ticket) then
      lock.head, lock.holder = head, ticket.task
      return
    end
  end
  lock.head, lock.tail, lock.holder = 1, 0, nil
end

-- A ticket is the token of one waiting task. It is closed on the way in, and when the task is killed: in that case the
-- task may have got the lock without ever running again.
local Ticket = {}
function Ticket:__close()
  if self.lock.holder == self.task and not self.entered then
    pass_on(self.lock)
  end
end

local function stand_in_line(lock, task)
  local ticket <close> = setmetatable({ lock = lock, task = task, entered = false }, Ticket)
  lock.tail = lock.tail + 1
  lock.line[lock.tail] = ticket
  skynet.wait(ticket)
  ticket.entered = true
end

local Lock = { __close = pass_on }

local function results(ok, ...)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Makes a critical section.
---@return fun(f: function, ...): ...
local function queue()
  local lock = setmetatable({ holder = nil, line = {}, head = 1, tail = 0 }, Lock)

  return function(f, ...)
    local task = running()
    if lock.holder == task then
      return results(xpcall(f, traceback, ...))
    end
    if lock.holder then
      stand_in_line(lock, task)
    else
      lock.holder = task
    end
    local held <close> = lock
    return results(xpcall(f, traceback, ...))
  end
end

return queue
