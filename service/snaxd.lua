-- A snax service. Argument: its type, which names its file (snax.interface). The file sees SERVICE_NAME = its type,
-- SERVICE_PATH = the folder "<type>/" beside it, and modules of that folder first.
--
-- Messages (snax; after snax.enablecluster() lua too): number of the method, arguments.
--   1 init(...)      -> nothing; must be the first
--   2 exit(...)      -> nothing, and the service ends
--   3 hotfix(source, ...) -> results of the patch's function hotfix
--   4 profile()      -> { method = { count, time = CPU seconds } }
--   5 and up         the file's methods; to an accept method there is no reply
-- debug INFO -> as profile.

local skynet = require "skynet"
local interface = require "snax.interface"
local profile = require "skynet.profile"
local snax = require "skynet.snax"

local name = ...

local definition = interface.new(_G)
local methods = definition.methods
-- Method name -> { count, time }.
local statistics = {}
-- "new", "starting", "running", "ending".
local life = "new"

---------------------------------------------------------------------------------------------------------------------
-- System methods

local system = {}

local function run_own(method_name, ...)
  local f = definition:find("system", method_name)
  if f then
    f(...)
  end
end

function system.init(...)
  assert(life == "new", "Already init")
  life = "starting"
  local ok, reason = xpcall(run_own, debug.traceback, "init", ...)
  life = ok and "running" or "new"
  if not ok then
    error(reason, 0)
  end
  skynet.ret()
end

function system.exit(...)
  assert(life == "running", "Never init")
  life = "ending"
  local ok, reason = xpcall(run_own, debug.traceback, "exit", ...)
  if not ok then
    skynet.error(string.format("exit of snax service %s: %s", name, reason))
  end
  skynet.ret()
  skynet.exit()
end

function system.hotfix(...)
  skynet.retpack(require "snax.hotfix".apply(definition, ...))
end

function system.profile()
  skynet.retpack(statistics)
end

---------------------------------------------------------------------------------------------------------------------
-- The file's methods

local function note(method, seconds)
  local entry = statistics[method.name]
  if not entry then
    entry = { count = 0, time = 0 }
    statistics[method.name] = entry
  end
  entry.count = entry.count + 1
  entry.time = entry.time + seconds
end

local function finish_response(method, ...)
  note(method, profile.stop())
  skynet.retpack(...)
end

local function run_method(method, ...)
  assert(life ~= "new" and life ~= "starting", "Init first")
  profile.start()
  if method.group == "response" then
    finish_response(method, method.f(...))
  else
    method.f(...)
    note(method, profile.stop())
  end
end

local function dispatch(_, _, number, ...)
  local method = methods[number]
  if not method then
    error(string.format("snax service %s has no method %s", name, tostring(number)), 0)
  elseif method.group == "system" then
    system[method.name](...)
  else
    run_method(method, ...)
  end
end

skynet.dispatch("snax", dispatch)

function snax.enablecluster()
  skynet.dispatch("lua", dispatch)
end

skynet.info_func(function()
  return statistics
end)

---------------------------------------------------------------------------------------------------------------------

-- The folder of the service's own modules, of the pattern that found its file.
local function folder_of(pattern)
  local folder = string.match(pattern, "^(.-)[^/]*%?") or string.match(pattern, "^(.*/)") or ""
  return folder .. name .. "/"
end

local chunk, pattern = interface.find(skynet.getenv "snax", name, definition.environment)
SERVICE_NAME = name
SERVICE_PATH = folder_of(pattern)
package.path = SERVICE_PATH .. "?.lua;" .. package.path
definition:run(chunk)

skynet.start(function() end)
