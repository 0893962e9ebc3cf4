-- snax: services whose file defines methods (snax.interface), and objects through which others use them:
--
--   local ping = snax.newservice("pingserver", "hello")
--   ping.post.hello()               -- sends to accept.hello
--   print(ping.req.ping "foobar")   -- calls response.ping
--
-- Config: `snax`, the patterns of service files. `snax_interface_g` names a module whose table is the globals of a file
-- that is only read for its methods; without it there are none but a require that returns nil. `snax_loader` is a file
-- that returns a function to use instead of the search (interface.set_loader).

local skynet = require "skynet"
local interface = require "snax.interface"

skynet.register_protocol {
  name = "snax",
  id = skynet.PTYPE_SNAX,
  pack = skynet.pack,
  unpack = skynet.unpack,
}

---@class skynet.snax
local snax = {}

---------------------------------------------------------------------------------------------------------------------
-- Interfaces

local globals_name = skynet.getenv "snax_interface_g"
local loader_file = skynet.getenv "snax_loader"
if loader_file then
  interface.set_loader(dofile(loader_file))
end

-- Name -> interface.
local interfaces = {}

local function nothing() end

-- What a file may use on this side, which runs it to learn its methods only.
local function few_globals()
  if not globals_name then
    return { require = nothing }
  end
  local globals = {}
  for name, value in next, require(globals_name) do
    globals[name] = value
  end
  return globals
end

--- The methods of a service type, by name.
---@param name string
---@return { name: string, accept: table, response: table, system: table }  method -> number in each
function snax.interface(name)
  if interfaces[name] then
    return interfaces[name]
  end
  if type(name) ~= "string" then
    error("the type of a snax service is a string, not " .. tostring(name), 2)
  end
  local definition = interface.new(few_globals())
  definition:run((interface.find(skynet.getenv "snax", name, definition.environment)))
  local groups = definition.groups
  interfaces[name] = { name = name, accept = groups.accept, response = groups.response, system = groups.system }
  return interfaces[name]
end

---------------------------------------------------------------------------------------------------------------------
-- Objects

-- Handle -> object, while somebody has it.
local objects = setmetatable({}, { __mode = "v" })

-- A table of functions, one for each method, made when it is first used.
local function method_table(ids, make, missing)
  return setmetatable({}, {
    __index = function(methods, name)
      local id = ids[name]
      if not id then
        error(string.format(missing, tostring(name)), 2)
      end
      methods[name] = make(id)
      return methods[name]
    end,
  })
end

local Object = {}

function Object:__tostring()
  return string.format("[%s:%x]", self.type, self.handle)
end

local function new_object(handle, type)
  local methods = snax.interface(type)
  local function poster(id)
    return function(...)
      skynet.send(handle, "snax", id, ...)
    end
  end
  local function requester(id)
    return function(...)
      return skynet.call(handle, "snax", id, ...)
    end
  end
  return setmetatable({
    post = method_table(methods.accept, poster, "post " .. type .. ":%s no exist"),
    req = method_table(methods.response, requester, "request " .. type .. ":%s no exist"),
    type = type,
    handle = handle,
  }, Object)
end

---@class skynet.snax.object
---@field post table<string, fun(...)>  sends
---@field req table<string, fun(...): ...>  calls
---@field type string
---@field handle integer

--- An object for a service that is there.
---@param handle integer
---@param type string
---@return skynet.snax.object
function snax.bind(handle, type)
  if math.type(handle) ~= "integer" then
    error("snax.bind needs a handle, not " .. tostring(handle), 2)
  end
  local object = objects[handle]
  if object and object.type ~= type then
    error(string.format("%s is of type %s, not %s", skynet.address(handle), object.type, tostring(type)), 2)
  end
  object = object or new_object(handle, type)
  objects[handle] = object
  return object
end

local function check_object(object)
  if getmetatable(object) ~= Object then
    error("expected a snax object, not " .. tostring(object), 3)
  end
  return object
end

---------------------------------------------------------------------------------------------------------------------
-- Starting and finding services

--- Starts a service and runs its init(...); what fails there fails here, and the service ends.
---@param name string
---@return integer handle
function snax.rawnewservice(name, ...)
  local system = snax.interface(name).system
  local handle = skynet.newservice("snaxd", name)
  if not handle then
    error(string.format("snax service %s exited while it was read", name), 2)
  end
  local ok, reason = pcall(skynet.call, handle, "snax", system.init, ...)
  if not ok then
    skynet.send(handle, "debug", "EXIT")
    error(reason, 2)
  end
  return handle
end

--- Starts a service.
---@param name string
---@param ... any arguments of its init
---@return skynet.snax.object
function snax.newservice(name, ...)
  return snax.bind(snax.rawnewservice(name, ...), name)
end

-- A function of (name, ...) that asks the service manager.
local function managed(command)
  return function(name, ...)
    if type(name) ~= "string" then
      error("the type of a snax service is a string, not " .. tostring(name), 2)
    end
    local handle, reason = skynet.call(".service", "lua", command, "snaxd", name, ...)
    if not handle then
      error(reason, 2)
    end
    return snax.bind(handle, name)
  end
end

-- fun(name, ...): object. The service of that type, once per node (unique) or once per network (global): starts it if
-- nobody has, or waits until somebody does.
snax.uniqueservice = managed "LAUNCH"
snax.globalservice = managed "GLAUNCH"
snax.queryservice = managed "QUERY"
snax.queryglobal = managed "GQUERY"

---------------------------------------------------------------------------------------------------------------------
-- The life of a service

--- Runs the service's exit(...); then it ends.
---@param object skynet.snax.object
function snax.kill(object, ...)
  check_object(object)
  skynet.call(object.handle, "snax", snax.interface(object.type).system.exit, ...)
end

--- The object of this service, in a snax service.
---@return skynet.snax.object
function snax.self()
  return snax.bind(skynet.self(), SERVICE_NAME)
end

--- Ends this service as snax.kill does.
function snax.exit(...)
  snax.kill(snax.self(), ...)
end

--- Replaces functions of a service; see snax.hotfix.
---@param object skynet.snax.object
---@param source string
---@param ... any arguments of the patch's function hotfix
---@return any ... its results
function snax.hotfix(object, source, ...)
  check_object(object)
  return skynet.call(object.handle, "snax", snax.interface(object.type).system.hotfix, source, ...)
end

--- How often each method ran, and its CPU time in seconds.
---@param object skynet.snax.object
---@return table<string, { count: integer, time: number }>
function snax.profile_info(object)
  check_object(object)
  return skynet.call(object.handle, "snax", snax.interface(object.type).system.profile)
end

--- Logs a formatted line.
---@param format string
function snax.printf(format, ...)
  skynet.error(string.format(format, ...))
end

--- In a snax service: takes calls of type lua as well, which is what comes from other nodes of a cluster.
function snax.enablecluster()
  error("snax.enablecluster is for snax services", 2)  -- snaxd puts its own here
end

return snax
