-- For the services that hold the newest version of what others share (sharedatad, datasheetd): the names, and who waits
-- for a change. A version is a handle, which keeps it alive, and its id, which travels in messages.

local skynet = require "skynet"

-- Watchers of a name that nobody updates are looked through whenever they are twice as many as lived the last time.
local WATCHERS_MIN = 32

---@class skynet.sharednames
local Names = {}
Names.__index = Names

---@return skynet.sharednames
local function new()
  return setmetatable({ entries = {} }, Names)
end

--- Makes `handle` the newest version of `name` and tells who waits.
---@param name string
---@param handle userdata
---@param id lightuserdata
function Names:set(name, handle, id)
  local old = self.entries[name]
  self.entries[name] = { handle = handle, id = id, watchers = {}, swept = WATCHERS_MIN }
  for _, answer in ipairs(old and old.watchers or {}) do
    answer(true, id)
  end
end

--- The id of the newest version; nil if there is none.
---@param name string
---@return lightuserdata|nil
function Names:id(name)
  local entry = self.entries[name]
  return entry and entry.id
end

--- Forgets a name; who waits gets nil. False: there was none.
---@param name string
---@return boolean
function Names:remove(name)
  local entry = self.entries[name]
  self.entries[name] = nil
  for _, answer in ipairs(entry and entry.watchers or {}) do
    answer(true, nil)
  end
  return entry ~= nil
end

local function sweep(entry)
  local living = {}
  for _, answer in ipairs(entry.watchers) do
    if answer "TEST" then
      living[#living + 1] = answer
    end
  end
  entry.watchers = living
  entry.swept = math.max(WATCHERS_MIN, 2 * #living)
end

--- Answers the request of this task with the id of a version that is not `id`, now or when there is one. The name must
--- exist.
---@param name string
---@param id lightuserdata
function Names:watch(name, id)
  local entry = self.entries[name]
  if entry.id ~= id then
    skynet.retpack(entry.id)
    return
  end
  entry.watchers[#entry.watchers + 1] = skynet.response()
  if #entry.watchers > entry.swept then
    sweep(entry)
  end
end

return { new = new }
