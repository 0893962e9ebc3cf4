-- Requests of message type queue (8), which their service handles strictly one after another, in the order in which
-- they came, also when its function waits. Deprecated in skynet: skynet.queue does it for any requests.

local skynet = require "skynet"
local queue = require "skynet.queue"

skynet.register_protocol {
  name = "queue",
  id = skynet.PTYPE_QUEUE,
  pack = skynet.pack,
  unpack = skynet.unpack,
}

local section = queue()
-- Requests that have come and not begun.
local waiting = 0
local is_registered = false

-- A request's place in the line. Closed when it begins, or when its task is killed in the line.
local Place = {}
function Place:__close()
  if not self.has_left then
    self.has_left = true
    waiting = waiting - 1
  end
end

local function finish(session, ...)
  if session ~= 0 then
    skynet.retpack(...)
  elseif select("#", ...) > 0 then
    error "mqueue: a message that was sent has no reply, but the function returned a value"
  end
end

---@class skynet.mqueue
local mqueue = {}

--- Sets the function that handles requests; once.
---@param f fun(...): ...  its results are the reply; its errors are the caller's
function mqueue.register(f)
  assert(type(f) == "function", "mqueue.register needs a function")
  assert(not is_registered, "mqueue.register: a function is registered already")
  is_registered = true
  skynet.dispatch("queue", function(session, _, ...)
    waiting = waiting + 1
    local place <close> = setmetatable({}, Place)
    finish(session, section(function(...)
      Place.__close(place)
      return f(...)
    end, ...))
  end)
end

--- Calls a service that has registered; raises as skynet.call.
---@param address integer|string
---@return ...
function mqueue.call(address, ...)
  return skynet.call(address, "queue", ...)
end

--- Sends to a service that has registered; its function must return nothing.
---@param address integer|string
function mqueue.send(address, ...)
  return skynet.send(address, "queue", ...)
end

--- How many requests wait, without the one that is being handled.
---@return integer
function mqueue.size()
  return waiting
end

return mqueue
