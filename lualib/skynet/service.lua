-- Services without a file: a function is the service, under a name, once per node.
--
--   local service = require "skynet.service"
--   local counter = service.new("counter", function(first)
--     local skynet = require "skynet"
--     skynet.dispatch("lua", function() first = first + 1; skynet.retpack(first) end)
--   end, 10)
--
-- The function runs in a Lua state of its own, so that it may use globals and its arguments only, and sets its own
-- dispatch for "lua". It may call skynet.start: that function runs when it has returned, and then the service is there.

local skynet = require "skynet"

local provider
skynet.init(function()
  provider = skynet.uniqueservice "service_provider"
end)

-- Name -> handle. A service that is closed stays in the caches of others.
local handles = {}

local function check_name(name)
  if type(name) ~= "string" then
    error(string.format("the name of a service is a string, not a %s", type(name)), 3)
  end
end

local function dump(name, main)
  if type(main) ~= "function" then
    error(string.format("service %s: the main function is a %s", name, type(main)), 3)
  end
  local upvalue = debug.getupvalue(main, 1)
  if upvalue == "_ENV" then
    upvalue = debug.getupvalue(main, 2)
  end
  if upvalue then
    error(string.format("service %s: its main function uses the local '%s' from outside", name, upvalue), 3)
  end
  return string.dump(main)
end

---@class skynet.service
local service = {}

--- The service of that name, which is started if there is none. Waits until it is there. Raises if it fails, or has
--- failed before: a failure stays until close(name).
---@param name string
---@param main function its only upvalue may be _ENV
---@param ... any arguments of `main`, whatever a message can hold
---@return integer handle
function service.new(name, main, ...)
  check_name(name)
  local code = dump(name, main)
  local handle, is_booting = skynet.call(provider, "lua", "test", name)
  if is_booting then
    handle = skynet.call(provider, "lua", "query", name)
  elseif not handle then
    handle = skynet.call(provider, "lua", "launch", name, code, ...)
  end
  handles[name] = handle
  return handle
end

--- The service of that name; waits until somebody makes it. Raises if that failed.
---@param name string
---@return integer handle
function service.query(name)
  check_name(name)
  handles[name] = handles[name] or skynet.call(provider, "lua", "query", name)
  return handles[name]
end

--- Kills the service of that name, and forgets how it failed.
---@param name string
---@return boolean existed
function service.close(name)
  check_name(name)
  handles[name] = nil
  local handle = skynet.call(provider, "lua", "close", name)
  if not handle then
    return false
  end
  require "skynet.manager".kill(handle)
  return true
end

return service
