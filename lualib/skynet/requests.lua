-- Request sets: several calls at once, replies as they come (runtime_api.md 4.4). `skynet.request` makes one; a module
-- of its own because few services do, and each would hold its functions.

local skynet = require "skynet"

local M = {}

local requests = {}
requests.__index = requests

--- Adds a request { address, type, arguments..., n = count if arguments may be nil }.
function requests:add(request)
  self[#self + 1] = request
  return self
end

requests.__call = requests.add

-- One call in a task of its own; its end is put into the set's list.
local function run_request(set, request)
  local last = request.n or #request
  local reply = table.pack(pcall(skynet.call, table.unpack(request, 1, last)))
  request.task = nil
  if reply[1] then
    set.finished[#set.finished + 1] = { request, table.pack(table.unpack(reply, 2, reply.n)) }
  elseif string.find(tostring(reply[2]), "call to invalid address", 1, true) then
    table.insert(set.finished, set.invalid + 1, { request, nil })
    set.invalid = set.invalid + 1
  else
    set.finished[#set.finished + 1] = { request, false }
  end
  skynet.wakeup(set)
end

local function close_set(set)
  for _, request in ipairs(set) do
    if request.task then
      skynet.killthread(request.task)
      request.task = nil
    end
  end
end

local function next_reply(set)
  while true do
    local done = table.remove(set.finished, 1)
    if done then
      set.left = set.left - 1
      if set.invalid > 0 then
        set.invalid = set.invalid - 1
      end
      return done[1], done[2]
    end
    if set.left == 0 then
      return nil
    end
    if set.deadline then
      local ticks = set.deadline - skynet.now()
      if ticks <= 0 or skynet.sleep(ticks, set) ~= "BREAK" and not set.finished[1] then
        set.timeout = true
        return nil
      end
    else
      skynet.wait(set)
    end
  end
end

--- Sends all requests and iterates over (request, reply) as they end. Replies are packed tables; false: the call
--- failed; nil: no such address. After `timeout` centiseconds the loop ends and `set.timeout` is true.
---@param timeout integer|nil
function requests:select(timeout)
  assert(self.finished == nil, "select may be called once")
  self.finished, self.invalid, self.left = {}, 0, #self
  self.deadline = timeout and skynet.now() + timeout
  for _, request in ipairs(self) do
    request.task = skynet.fork(run_request, self, request)
  end
  return next_reply, self, nil, setmetatable({}, { __close = function() close_set(self) end })
end

--- A new set, with a first request if one is given.
function M.new(first)
  local set = setmetatable({}, requests)
  return first and set:add(first) or set
end

return M
