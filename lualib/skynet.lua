-- The public API of a service. The functions that act on tasks (call, send, ret, wait, sleep, fork, ...) are C
-- functions of the engine's task scheduler (module "skynet.tasks"), and so is what costs nothing as C functions (self,
-- address, time, getenv, ...); what stands here is the rest: start and exit, launching. Each function here costs memory
-- in every service: what few use is in a module of its own that is loaded when it is called.

local core = require "skynet.core"
local tasks = require "skynet.tasks"
local loading = require "skynet.require"

local skynet = {
  -- Message types (the numbers travel between nodes).
  PTYPE_TEXT = 0,
  PTYPE_RESPONSE = 1,
  PTYPE_MULTICAST = 2,
  PTYPE_CLIENT = 3,
  PTYPE_SYSTEM = 4,
  PTYPE_HARBOR = 5,
  PTYPE_SOCKET = 6,
  PTYPE_ERROR = 7,
  PTYPE_QUEUE = 8,
  PTYPE_DEBUG = 9,
  PTYPE_LUA = 10,
  PTYPE_SNAX = 11,
  PTYPE_TRACE = 12,

  pack = core.pack,
  packstring = core.packstring,
  unpack = core.unpack,
  tostring = core.tostring,
  trash = core.trash,
  error = core.error,
  genid = core.genid,
  harbor = core.harbor,
  now = core.now,
  hpc = core.hpc,
  tracelog = core.trace,

  pcall = pcall,
  init = loading.init,
  cache = require "skynet.codecache",
}

for _, name in ipairs {
  "call", "rawcall", "tracecall", "send", "rawsend", "redirect", "ret", "retpack", "response", "ignoreret", "context",
  "wait", "sleep", "yield", "wakeup", "timeout", "fork", "exit", "killthread", "term", "traceproto", "dispatch",
  "dispatch_unknown_request", "dispatch_unknown_response", "dispatch_message", "task", "trace", "tracetag",
  "self", "localname", "address", "starttime", "time", "getenv", "setenv", "mqlen", "endless",
} do
  skynet[name] = tasks[name]
end

-- Protocols by name and by number, as they were registered; for tools.
skynet._proto = {}

--- Teaches this service a message type.
---@param class { name: string, id: integer, pack?: function, unpack?: function, dispatch?: function, trace?: boolean }
function skynet.register_protocol(class)
  tasks.register_protocol(class)
  skynet._proto[class.name] = class
  skynet._proto[class.id] = class
end

skynet.register_protocol { name = "lua", id = skynet.PTYPE_LUA, pack = core.pack, unpack = core.unpack }
skynet.register_protocol { name = "response", id = skynet.PTYPE_RESPONSE, pack = core.pack, unpack = core.unpack }
skynet.register_protocol { name = "error", id = skynet.PTYPE_ERROR, pack = core.pack, unpack = core.unpack }

-- Start and end -------------------------------------------------------------------------------------------------------

--- Runs the registered start functions and then `start`; tells the launcher how it went.
---@param start fun()
function skynet.init_service(start)
  local function run()
    loading.init_all()
    start()
  end
  local ok, reason = xpcall(run, debug.traceback)
  if ok then
    skynet.send(".launcher", "lua", "LAUNCHOK")
  else
    skynet.error("init service failed: " .. tostring(reason))
    skynet.send(".launcher", "lua", "ERROR")
    skynet.exit()
  end
end

local start_task

--- Begins to take messages and runs `start` in the first task.
---@param start fun()
function skynet.start(start)
  tasks.install()
  skynet.memlimit = nil
  start_task = skynet.timeout(0, function()
    skynet.init_service(start)
    start_task = nil
  end)
end

--- Limits the memory of this service; only while the main chunk runs, once.
---@param bytes integer
function skynet.memlimit(bytes)
  skynet.memlimit = nil
  tasks.memlimit(bytes)
end

local plain_task = tasks.task

--- Looks at the tasks that wait; see the reference. "init": where the start function stands, or nil.
function skynet.task(what)
  if what == "init" then
    return start_task and debug.traceback(start_task)
  end
  return plain_task(what)
end

--- Tasks that wait at the same place, counted: "<count>\tsessions:[a,b]\n" -> stack.
function skynet.uniqtask()
  return require("skynet.debug").uniqtask()
end

--- The engine knows where every timer was set; kept for services that switch it on.
function skynet.trace_timeout() end

-- Services ------------------------------------------------------------------------------------------------------------

---@param name string
---@return integer|nil handle
function skynet.newservice(name, ...)
  return skynet.call(".launcher", "lua", "LAUNCH", "snlua", name, ...)
end

-- The manager answers (nil, message) for a service that cannot be had.
local function managed(handle, message)
  if not handle and message then
    error(message, 3)
  end
  return handle
end

--- Starts a service once per node, or once per network with a leading true.
---@param global boolean|string
---@return integer handle
function skynet.uniqueservice(global, ...)
  if global == true then
    return managed(skynet.call(".service", "lua", "GLAUNCH", ...))
  end
  return managed(skynet.call(".service", "lua", "LAUNCH", global, ...))
end

--- Waits for a unique service.
---@param global boolean|string
---@return integer handle
function skynet.queryservice(global, ...)
  if global == true then
    return managed(skynet.call(".service", "lua", "GQUERY", ...))
  end
  return managed(skynet.call(".service", "lua", "QUERY", global, ...))
end

-- Statistics ----------------------------------------------------------------------------------------------------------

---@param what string mqlen, endless, cpu, time or message
---@return number
function skynet.stat(what)
  return core.intcommand("STAT", what)
end

-- What few services need, loaded when it is first used. ---------------------------------------------------------------

--- A set of requests: skynet.request { address, "lua", ... } { ... }; see skynet.requests.
function skynet.request(first)
  return require("skynet.requests").new(first)
end

-- Debug protocol ------------------------------------------------------------------------------------------------------

--- Registers what the debug command INFO answers.
---@param f fun(...): any
function skynet.info_func(f)
  require("skynet.debug").info_func(f)
end

skynet.register_protocol {
  name = "debug",
  id = skynet.PTYPE_DEBUG,
  pack = core.pack,
  unpack = core.unpack,
  dispatch = function(...)
    require("skynet.debug").dispatch(...)
  end,
}

return skynet
