-- The public API of a service. The functions that act on tasks (call, send, ret, wait, sleep, fork, ...) are C
-- functions of the engine's task scheduler (module "skynet.tasks"); what stands here is the rest: start and exit,
-- launching, the environment, statistics, request sets.

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

-- Addresses -----------------------------------------------------------------------------------------------------------

local self_handle = core.addresscommand "REG"

---@return integer handle
function skynet.self()
  return self_handle
end

--- The handle of a local name (".name"), or nil.
---@param name string
---@return integer|nil
function skynet.localname(name)
  return core.addresscommand("QUERY", name)
end

---@param address integer|string
---@return string
function skynet.address(address)
  if type(address) == "number" then
    return string.format(":%08x", address)
  end
  return tostring(address)
end

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

-- How many sessions uniqtask lists for one stack.
local SESSIONS_LISTED = 9

--- Tasks that wait at the same place, counted: "<count>\tsessions:[a,b]\n" -> stack.
function skynet.uniqtask()
  local by_stack, order = {}, {}
  for _, wait in ipairs(tasks.waits()) do
    local same = by_stack[wait.stack]
    if not same then
      same = { count = 0, sessions = {}, stack = wait.stack }
      by_stack[wait.stack] = same
      order[#order + 1] = same
    end
    same.count = same.count + 1
    if same.count <= SESSIONS_LISTED then
      same.sessions[same.count] = wait.session
    elseif same.count == SESSIONS_LISTED + 1 then
      same.sessions[same.count] = "..."
    end
  end
  local result = {}
  for _, same in ipairs(order) do
    result[string.format("%d\tsessions:[%s]\n", same.count, table.concat(same.sessions, ","))] = same.stack
  end
  return result
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

-- Time and environment ------------------------------------------------------------------------------------------------

local start_time

---@return integer seconds
function skynet.starttime()
  start_time = start_time or core.intcommand "STARTTIME"
  return start_time
end

---@return number seconds since 1970, to the centisecond
function skynet.time()
  return skynet.now() / 100 + skynet.starttime()
end

---@param key string
---@return string|nil
function skynet.getenv(key)
  return (core.command("GETENV", key))  -- nil if it is not set, never no value
end

---@param key string
---@param value string|number|boolean
function skynet.setenv(key, value)
  assert(core.command("GETENV", key) == nil, "Can't setenv exist key : " .. key)
  core.command("SETENV", key .. " " .. tostring(value))
end

---@param what string mqlen, endless, cpu, time or message
---@return number
function skynet.stat(what)
  return core.intcommand("STAT", what)
end

---@return integer
function skynet.mqlen()
  return core.intcommand("STAT", "mqlen")
end

--- Did the monitor see this service in an endless loop since the last call?
---@return boolean
function skynet.endless()
  return core.intcommand("STAT", "endless") == 1
end

-- Request sets: several calls at once, replies as they come (runtime_api.md 4.4). -------------------------------------

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

--- A set of requests: skynet.request { address, "lua", ... } { ... }.
function skynet.request(first)
  local set = setmetatable({}, requests)
  return first and set:add(first) or set
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
