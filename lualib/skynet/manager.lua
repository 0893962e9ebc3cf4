-- Functions for services that manage others; they are added to the table of "skynet".

local core = require "skynet.core"
local skynet = require "skynet"
local tasks = require "skynet.tasks"

-- Longest harbor-wide name, bytes.
local NAME_BYTES_MAX = 15

--- Launches a service by module name ("snlua", "logger", ...); the script has not run yet when this returns.
---@return integer|nil handle
function skynet.launch(...)
  return core.addresscommand("LAUNCH", table.concat({ ... }, " "))
end

--- Ends a service at once. What it was working on is not answered; prefer that it exits by itself.
---@param address integer|string
function skynet.kill(address)
  if type(address) == "number" then
    skynet.send(".launcher", "lua", "REMOVE", address, true)
    address = skynet.address(address)
  end
  core.command("KILL", address)
end

--- Ends the node.
function skynet.abort()
  core.command "ABORT"
end

-- A harbor-wide name goes to the slave service; false: it is a local name.
local function register_globally(name, handle)
  if string.byte(name) == 46 then  -- "."
    return false
  end
  assert(#name <= NAME_BYTES_MAX, "a global name has at most 15 bytes: " .. name)
  assert(string.byte(name) ~= 58, "a global name must not start with ':': " .. name)
  assert(not tonumber(name), "a global name must not be a number: " .. name)
  skynet.send(".cslave", "lua", "REGISTER", name, handle)
  return true
end

--- Names this service: ".name" locally, other names in the whole network.
---@param name string
function skynet.register(name)
  if not register_globally(name, skynet.self()) then
    core.command("REG", name)
  end
end

--- Names another service.
---@param name string
---@param handle integer
function skynet.name(name, handle)
  if not register_globally(name, handle) then
    core.command("NAME", name .. " " .. skynet.address(handle))
  end
end

--- Starts like skynet.start, but messages of the types in `map` are dispatched as type map[type] and stay the
--- handler's: it must send them on or trash them.
---@param map table<integer, integer>
---@param start fun()
function skynet.forward_type(map, start)
  tasks.install(map)
  skynet.timeout(0, function()
    skynet.init_service(start)
  end)
end

--- Starts like skynet.start, but each message goes through `f(type, msg, size, session, source)` first, which returns
--- the five values to dispatch.
function skynet.filter(f, start)
  local dispatch = skynet.dispatch_message
  core.callback(function(...)
    dispatch(f(...))
  end)
  skynet.timeout(0, function()
    skynet.init_service(start)
  end)
end

--- Makes the unique service `name` the one that hears of every exit.
---@param name string
---@param query boolean|nil only wait for it, do not start it
---@return integer handle
function skynet.monitor(name, query)
  local handle
  if query then
    handle = skynet.queryservice(true, name)
  else
    handle = skynet.uniqueservice(true, name)
  end
  assert(handle, "monitor launch failed")
  core.command("MONITOR", skynet.address(handle))
  return handle
end

return skynet
